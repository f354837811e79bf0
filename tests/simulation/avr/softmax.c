/* Probabilities: takes the scores of a network's classes from the serial port, answers with their probabilities and
 * the class, or 255. */
#include <avr/io.h>
#include <stddef.h>
#include <stdint.h>

#include "net.h"

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

int main(void)
{
    int32_t scores[NET_CLASSES];
    uint16_t probabilities[NET_CLASSES];
    size_t i;

    UCSR0A = _BV(U2X0);
    UBRR0 = 0;
    UCSR0B = _BV(RXEN0) | _BV(TXEN0);
    for (;;) {
        for (i = 0; i < sizeof scores; i++)
            ((uint8_t *)scores)[i] = receive();
        net_probabilities(scores, probabilities);
        for (i = 0; i < sizeof probabilities; i++)
            transmit(((const uint8_t *)probabilities)[i]);
        transmit(net_class_or_unknown(scores));
    }
}
