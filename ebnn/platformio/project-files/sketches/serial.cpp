/* Numbers that come in over serial: a line is a reading, its numbers parted by commas, semicolons, tabs or spaces.
 *
 * A line of another number of numbers, or with anything else in it, is left out. */
#include <Arduino.h>

#include "sensor.h"
#include "settings.h"

#define LONGEST_NUMBER 23

static char text[LONGEST_NUMBER + 1]; /* of the number that is under way */
static uint8_t length;
static float row[CHANNELS];
static uint8_t count;
static bool wrong;

/* Divides or multiplies by a power of ten. One rounding up to 7 digits and 10 powers, as computers read the number. */
static float scaled(float value, int16_t power)
{
    float factor = 1.0f;
    uint8_t left = (uint8_t)(power < 0 ? -power : power);

    for (; left > 0; left--)
        factor *= 10.0f;
    return power < 0 ? value / factor : value * factor;
}

/* Reads the number in text. Returns whether it is one. */
static bool read_number(float *value)
{
    const char *at = text;
    const bool negative = *at == '-';
    uint32_t digits = 0;
    int16_t power = 0;
    bool any = false;
    bool after_point = false;

    if (*at == '-' || *at == '+')
        at++;
    for (; (*at >= '0' && *at <= '9') || (*at == '.' && !after_point); at++) {
        if (*at == '.') {
            after_point = true;
            continue;
        }
        any = true;
        if (digits < 100000000ul) {
            digits = digits * 10u + (uint32_t)(*at - '0');
            power = (int16_t)(power - after_point);
        } else {
            power = (int16_t)(power + !after_point);
        }
    }
    if (any && (*at == 'e' || *at == 'E')) {
        const bool down = *++at == '-';
        int16_t exponent = 0;

        if (*at == '-' || *at == '+')
            at++;
        any = *at >= '0' && *at <= '9';
        for (; *at >= '0' && *at <= '9' && exponent < 100; at++)
            exponent = (int16_t)(exponent * 10 + (*at - '0'));
        power = (int16_t)(power + (down ? -exponent : exponent));
    }
    if (!any || *at != '\0' || power > 30 || power < -38)
        return false;
    *value = scaled(negative ? -(float)digits : (float)digits, power);
    return true;
}

static void end_number(void)
{
    if (length == 0)
        return;
    text[length] = '\0';
    if (length > LONGEST_NUMBER || count == CHANNELS || !read_number(&row[count]))
        wrong = true;
    else
        count++;
    length = 0;
}

bool sensor_begin(void)
{
    return true;
}

bool sensor_read(float *values)
{
    while (Serial.available() > 0) {
        const char letter = (char)Serial.read();

        if (letter == '\n' || letter == '\r') {
            bool whole;

            end_number();
            whole = !wrong && count == CHANNELS;
            memcpy(values, row, sizeof row);
            count = 0;
            wrong = false;
            if (whole)
                return true;
        } else if (letter == ',' || letter == ';' || letter == '\t' || letter == ' ') {
            end_number();
        } else if (length < LONGEST_NUMBER) {
            text[length++] = letter;
        } else {
            wrong = true;
        }
    }
    return false;
}
