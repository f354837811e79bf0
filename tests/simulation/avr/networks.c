/* Many networks: takes the number of one and a sample for it from the serial port, answers with its class and
 * scores. */
#include <avr/io.h>
#include <stddef.h>
#include <stdint.h>

#include "networks.h"

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

#define RUN(number, name, NAME)                              \
    case number: {                                           \
        uint8_t *sample = (uint8_t *)(void *)name##_input(); \
        int32_t scores[NAME##_CLASSES];                      \
        size_t i;                                            \
        for (i = 0; i < NAME##_INPUT_BYTES; i++) {           \
            sample[i] = receive();                           \
        }                                                    \
        transmit(name##_scores(name##_input(), scores));     \
        for (i = 0; i < sizeof scores; i++) {                \
            transmit(((const uint8_t *)scores)[i]);          \
        }                                                    \
        break;                                               \
    }

int main(void)
{
    UCSR0A = _BV(U2X0);
    UBRR0 = 0;
    UCSR0B = _BV(RXEN0) | _BV(TXEN0);
    for (;;) {
        switch (receive()) {
            NETWORKS
        default:
            break;
        }
    }
}
