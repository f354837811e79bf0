/* Runs a network on a sensor's readings, and prints each answer: the class by name, and the scores. */
#include <Arduino.h>

#include "network.h"

static uint32_t due;
static int16_t count;

void setup()
{
    Serial.begin(115200);
    Serial.println(F("ready"));
    due = millis();
}

void loop()
{
    net_raw_t reading[NET_RAW_CHANNELS];
    int32_t scores[NET_CLASSES];

    if ((int32_t)(millis() - due) < 0) {
        return;
    }
    due += 5;
    reading[0] = (int16_t)(count * 37 % 1000);
    reading[1] = (int16_t)(500 - count * count % 701);
    count++;
    if (count == 150) {
        count = 0; /* before its square no longer fits */
    }
    if (net_push(reading)) {
        Serial.print(net_class_name(net_scores(net_input(), scores)));
        for (uint8_t k = 0; k < NET_CLASSES; k++) {
            Serial.print(',');
            Serial.print(scores[k]);
        }
        Serial.println();
    }
}
