/* Encoders: takes the number of one and a raw sample for it from the serial port, answers with the input. */
#include <avr/io.h>
#include <stddef.h>
#include <stdint.h>

#include "encoders.h"

static uint8_t receive(void)
{
    while ((UCSR0A & _BV(RXC0)) == 0) {
    }
    return UDR0;
}

static void transmit(uint8_t byte)
{
    while ((UCSR0A & _BV(UDRE0)) == 0) {
    }
    UDR0 = byte;
}

#define RUN(number, name, NAME)                                     \
    case number: {                                                  \
        name##_raw_t raw[NAME##_RAW_VALUES];                        \
        size_t i;                                                   \
        for (i = 0; i < sizeof raw; i++) {                          \
            ((uint8_t *)raw)[i] = receive();                        \
        }                                                           \
        name##_encode(raw, name##_input());                         \
        for (i = 0; i < NAME##_INPUT_BYTES; i++) {                  \
            transmit(((const uint8_t *)(void *)name##_input())[i]); \
        }                                                           \
        break;                                                      \
    }

int main(void)
{
    UCSR0A = _BV(U2X0);
    UBRR0 = 0;
    UCSR0B = _BV(RXEN0) | _BV(TXEN0);
    for (;;) {
        switch (receive()) {
            ENCODERS
        default:
            break;
        }
    }
}
