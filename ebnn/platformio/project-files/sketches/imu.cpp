/* Acceleration in g and, with six channels, rotation in degrees a second: up to 4 g and 2000 degrees a second.
 *
 * Of the sensor that is on the board (IMU_LSM9DS1, IMU_CURIE: platformio.ini says which), else of an MPU6050 at I2C:
 * SDA and SCL to the board's pins of these names, VCC to 3.3 V or, where its board has a regulator, 5 V. */
#include <Arduino.h>

#include "sensor.h"
#include "settings.h"

#if defined(IMU_LSM9DS1)
#include <Arduino_LSM9DS1.h>

bool sensor_begin(void)
{
    return IMU.begin() != 0;
}

bool sensor_read(float *values)
{
    if (!IMU.readAcceleration(values[0], values[1], values[2]))
        return false;
#if CHANNELS > 3
    return IMU.readGyroscope(values[3], values[4], values[5]) != 0;
#else
    return true;
#endif
}

#elif defined(IMU_CURIE)
#include <CurieIMU.h>

bool sensor_begin(void)
{
    if (!CurieIMU.begin())
        return false;
    CurieIMU.setAccelerometerRange(4);
    CurieIMU.setGyroRange(2000);
    CurieIMU.setAccelerometerRate(200);
    CurieIMU.setGyroRate(200);
    return true;
}

bool sensor_read(float *values)
{
    CurieIMU.readAccelerometerScaled(values[0], values[1], values[2]);
#if CHANNELS > 3
    CurieIMU.readGyroScaled(values[3], values[4], values[5]);
#endif
    return true;
}

#else
#include <Wire.h>

#define ADDRESS ((uint8_t)0x68) /* 0x69 with pin AD0 at VCC */

static bool set_register(uint8_t number, uint8_t value)
{
    Wire.beginTransmission(ADDRESS);
    Wire.write(number);
    Wire.write(value);
    return Wire.endTransmission() == 0;
}

static float next_value(float units)
{
    const uint8_t high = (uint8_t)Wire.read();
    const uint8_t low = (uint8_t)Wire.read();

    return (float)(int16_t)((uint16_t)high << 8 | low) / units;
}

bool sensor_begin(void)
{
    Wire.begin();
    return set_register(0x6B, 0x01)     /* awake, by the gyroscope's clock */
           && set_register(0x1A, 0x03)  /* a low pass of 44 Hz */
           && set_register(0x1B, 0x18)  /* 2000 degrees a second */
           && set_register(0x1C, 0x08); /* 4 g */
}

bool sensor_read(float *values)
{
    const uint8_t bytes = CHANNELS > 3 ? 14 : 6;

    Wire.beginTransmission(ADDRESS);
    Wire.write((uint8_t)0x3B);
    if (Wire.endTransmission(false) != 0 || Wire.requestFrom(ADDRESS, bytes) != bytes)
        return false;
    for (uint8_t i = 0; i < 3; i++)
        values[i] = next_value(8192.0f);
#if CHANNELS > 3
    (void)next_value(1.0f); /* the temperature */
    for (uint8_t i = 3; i < 6; i++)
        values[i] = next_value(16.4f);
#endif
    return true;
}
#endif
