/* Voltages at analog pins, as analogRead gives them. */
#include <Arduino.h>

#include "sensor.h"
#include "settings.h"

static const uint8_t pins[CHANNELS] = {PINS};

bool sensor_begin(void)
{
    return true;
}

bool sensor_read(float *values)
{
    for (uint8_t i = 0; i < CHANNELS; i++)
        values[i] = (float)analogRead(pins[i]);
    return true;
}
