/* Reads a sensor and prints lines for a computer to read.
 *
 * With PREDICTS (settings.h) each line is an answer of the network: the class by name, then the probability of each
 * class, averaged over the last SMOOTH answers; `ebnn live` shows them. Without, each line is a reading, for `ebnn
 * record`. */
#include <Arduino.h>

#include "sensor.h"
#include "settings.h"

#if PREDICTS
#include "network.h"

#if defined(NETWORK_WINDOW)
#define READINGS_BEHIND (NETWORK_WINDOW / 4u)
#else
#define READINGS_BEHIND 0u
#endif

static uint16_t recent[SMOOTH][NETWORK_CLASSES]; /* probabilities of the last answers, in 1/EBNN_SURE */
static uint8_t next_recent;
static uint8_t recent_count;

static inline void convert(float value, float *raw)
{
    *raw = value;
}

static inline void convert(float value, int16_t *raw)
{
    const float whole = floorf(value + 0.5f);

    *raw = whole >= 32767.0f ? INT16_MAX : whole >= -32768.0f ? (int16_t)whole : INT16_MIN;
}

/* Gives the network a reading. Returns whether it is to answer. */
static bool take_reading(const float *values)
{
    network_raw_t reading[CHANNELS];

    for (uint8_t i = 0; i < CHANNELS; i++)
        convert(values[i], &reading[i]);
#if defined(NETWORK_WINDOW)
    return network_push(reading) != 0;
#else
    network_encode(reading, network_input());
    return true;
#endif
}

/* Readings were lost: what was seen before them does not count. */
static void forget_readings(void)
{
#if defined(NETWORK_WINDOW)
    network_restart();
#endif
    recent_count = 0;
    next_recent = 0;
}

/* The sum of a class's last probabilities. */
static uint32_t recent_sum(uint16_t k)
{
    uint32_t sum = 0;

    for (uint8_t i = 0; i < recent_count; i++)
        sum += recent[i][k];
    return sum;
}

/* Prints sum / whole with three decimals. */
static void print_share(uint32_t sum, uint32_t whole)
{
    const uint16_t thousandths = (uint16_t)((sum * 1000u + whole / 2u) / whole);

    Serial.print(thousandths / 1000u);
    Serial.print('.');
    Serial.print(thousandths / 100u % 10u);
    Serial.print(thousandths / 10u % 10u);
    Serial.print(thousandths % 10u);
}

static void print_class(uint16_t k)
{
#if defined(NETWORK_CLASS_NAME_BYTES)
    const char *name = network_class_name((uint8_t)k);

    if ((uint8_t)name[0] <= '9') /* as a number's first sign, with which the line would be a reading's */
        Serial.print(F("class "));
    Serial.print(name);
#else
    Serial.print(F("class "));
    Serial.print(k);
#endif
}

static void print_answer(void)
{
    int32_t scores[NETWORK_CLASSES];
    uint16_t best = 0;
    uint32_t whole;

    (void)network_scores(network_input(), scores);
    network_probabilities(scores, recent[next_recent]);
    next_recent = (uint8_t)((next_recent + 1u) % SMOOTH);
    if (recent_count < SMOOTH)
        recent_count++;
    whole = EBNN_SURE * (uint32_t)recent_count;
    for (uint16_t k = 1; k < NETWORK_CLASSES; k++)
        if (recent_sum(k) > recent_sum(best))
            best = k;
#if defined(NETWORK_REJECTION)
    if (recent_sum(best) < (uint32_t)NETWORK_REJECTION * recent_count)
        Serial.print(F("unknown"));
    else
#endif
        print_class(best);
    for (uint16_t k = 0; k < NETWORK_CLASSES; k++) {
        Serial.print(',');
        print_share(recent_sum(k), whole);
    }
    Serial.println();
}
#else
static void print_reading(const float *values)
{
    for (uint8_t i = 0; i < CHANNELS; i++) {
        if (i > 0)
            Serial.print(',');
        Serial.print((double)values[i], DECIMALS);
    }
    Serial.println();
}
#endif

#if PERIOD_US
static uint32_t due; /* when the next reading is, by micros() */

/* Whether a reading is due. While the network calculated, some may have been: they are taken one after the other. */
static bool reading_is_due(void)
{
    const uint32_t late = micros() - due;

    if (late > INT32_MAX)
        return false;
#if PREDICTS
    if (late / PERIOD_US > READINGS_BEHIND) {
        forget_readings();
        due += late;
    }
#else
    if (late / PERIOD_US > 1u)
        due += late;
#endif
    due += PERIOD_US;
    return true;
}
#endif

void setup()
{
    Serial.begin(115200);
    while (!sensor_begin()) {
        Serial.println(F("no answer from the sensor: see to its wires"));
        delay(1000);
    }
#if PREDICTS
    forget_readings();
    Serial.println(F("ready"));
#else
    Serial.println(F(CHANNEL_NAMES));
#endif
#if PERIOD_US
    due = micros();
#endif
}

void loop()
{
    float values[CHANNELS];

#if PERIOD_US
    if (!reading_is_due())
        return;
#endif
    if (!sensor_read(values))
        return;
#if PREDICTS
    if (take_reading(values))
        print_answer();
#else
    print_reading(values);
#endif
}
