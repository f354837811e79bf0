/* Arduino's part: bytes in, bytes out, the time. Name the board with -DEBNN_BOARD=uno. */
#include <Arduino.h>

#include "responder.h"

void ebnn_port_put(uint8_t byte)
{
    Serial.write(byte);
}

uint32_t ebnn_port_micros(void)
{
    return static_cast<uint32_t>(micros());
}

void setup()
{
    Serial.begin(115200);
}

void loop()
{
    while (Serial.available() > 0) {
        ebnn_responder_take(static_cast<uint8_t>(Serial.read()));
    }
}
