/* The functions of the Arduino 101's library for its IMU that a sketch calls, with readings from stdin. */
#ifndef CURIE_IMU_H
#define CURIE_IMU_H

#include <stdio.h>

class CurieIMUClass
{
  public:
    bool begin()
    {
        return true;
    }
    void setAccelerometerRange(int range)
    {
        acceleration = range;
    }
    void setGyroRange(int range)
    {
        rotation = range;
    }
    void setAccelerometerRate(float)
    {
    }
    void setGyroRate(float)
    {
    }
    void readAccelerometerScaled(float &x, float &y, float &z)
    {
        read(acceleration == 4, x, y, z);
    }
    void readGyroScaled(float &x, float &y, float &z)
    {
        read(rotation == 2000, x, y, z);
    }

  private:
    int acceleration, rotation;

    void read(bool ready, float &x, float &y, float &z)
    {
        if (!ready || scanf("%f,%f,%f,", &x, &y, &z) != 3)
            x = y = z = 0;
    }
};

static CurieIMUClass CurieIMU;

#endif
