/* What the sketch takes its readings from. */
#ifndef SENSOR_H
#define SENSOR_H

/* Starts the sensor. Returns whether it answers. */
bool sensor_begin(void);

/* Reads CHANNELS values. Returns whether there were any. */
bool sensor_read(float *values);

#endif
