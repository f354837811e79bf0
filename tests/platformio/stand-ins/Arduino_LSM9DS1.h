/* The functions of Arduino's library for the IMU of a Nano 33 BLE that a sketch calls, with readings from stdin. */
#ifndef ARDUINO_LSM9DS1_H
#define ARDUINO_LSM9DS1_H

#include <stdio.h>

class LSM9DS1Class
{
  public:
    int begin()
    {
        return 1;
    }
    int readAcceleration(float &x, float &y, float &z)
    {
        return read(x, y, z);
    }
    int readGyroscope(float &x, float &y, float &z)
    {
        return read(x, y, z);
    }

  private:
    int read(float &x, float &y, float &z)
    {
        return scanf("%f,%f,%f,", &x, &y, &z) == 3;
    }
};

static LSM9DS1Class IMU;

#endif
