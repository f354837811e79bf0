/* Arduino's part: bytes in, bytes out, the time, the memory. Name the board with -DEBNN_BOARD=uno;
 * -DEBNN_BAUD=57600 sets the bits per second, 115,200 by default, which then are ebnn's --baud.
 *
 * Serial may be a UART or USB's own serial port. Nothing here waits for a host: it may come and go.
 */
#include <Arduino.h>
#include <ebnn.h> /* so that PlatformIO finds the library wherever network.h lies */

#include "responder.h"
#include "stack.h"

#if !defined(EBNN_BAUD)
#define EBNN_BAUD 115200
#endif

void ebnn_port_put(uint8_t byte)
{
    Serial.write(byte);
}

uint32_t ebnn_port_micros(void)
{
    return static_cast<uint32_t>(micros());
}

void ebnn_port_memory(uint32_t *untouched, uint32_t *deepest_stack)
{
    ebnn_stack_measure(untouched, deepest_stack);
}

void setup()
{
    ebnn_stack_paint();
    Serial.begin(EBNN_BAUD);
#ifdef EBNN_UPDATABLE
    ebnn_responder_reset();
#endif
}

void loop()
{
    while (Serial.available() > 0) {
        ebnn_responder_take(static_cast<uint8_t>(Serial.read()));
    }
}
