/*
 * Runs images on AVR. A byte from the serial port says what is next: 'I' an image, which is loaded into RAM as it
 * comes; 'E' one, of which two bytes of length come before, that is written into the EEPROM and loaded from there; 'F'
 * the image in flash; 'S' a sample, 'H' one for the network of a header. Answers to an image with what ebnn_model_load
 * returns, to a sample with class, scores, and the cycles that the prediction took (uint32_t).
 */
#include <avr/eeprom.h>
#include <avr/interrupt.h>
#include <avr/io.h>

#include "ebnn/model.h"

#if defined(EBNN_MODEL_IN_FLASH)
#include <avr/pgmspace.h>

static const uint8_t image[] PROGMEM = {
#include "image.h"
};
#endif

#if defined(WITH_HEADER)
#include "net.h"
#define HEADER_INPUT_BYTES NET_INPUT_BYTES
#define BY_HEADER net_predict_in((net_arena_t *)(void *)arena.bytes, (const void *)arena.bytes, scores)
#else
#define HEADER_INPUT_BYTES 0u
#define BY_HEADER 0
#endif

static union {
    uint8_t bytes[ARENA_BYTES];
    uint32_t words[ARENA_BYTES / 4];
} arena;
#if !defined(EBNN_MODEL_IN_FLASH)
static uint8_t ram[RAM_BYTES];
#endif

static ebnn_model_t model;
static int32_t scores[40];

static uint8_t receive(void)
{
    while ((UCSR0A & _BV(RXC0)) == 0) {
    }
    return UDR0;
}

static void transmit(const void *from, size_t bytes)
{
    const uint8_t *at = (const uint8_t *)from;

    for (; bytes > 0; bytes--) {
        while ((UCSR0A & _BV(UDRE0)) == 0) {
        }
        UDR0 = *at++;
    }
}

#if !defined(EBNN_MODEL_IN_FLASH)

static int from_serial(void *context)
{
    (void)context;
    return receive();
}

static int from_eeprom(void *context)
{
    uint16_t *at = (uint16_t *)context;

    if (*at > E2END)
        return -1;
    return eeprom_read_byte((const uint8_t *)(*at)++);
}

static uint8_t by_eeprom(void)
{
    uint16_t at = 0, bytes = receive();

    for (bytes |= (uint16_t)(receive() << 8); at < bytes; at++) {
        eeprom_update_byte((uint8_t *)at, receive());
        transmit("", 1); /* the next may come */
    }
    at = 0;
    return ebnn_model_load(&model, from_eeprom, &at, ram, sizeof ram);
}

#endif

/* Cycles since begin_cycles, in which an interrupt counts the timer's rounds. */
static volatile uint16_t rounds;

ISR(TIMER1_OVF_vect)
{
    rounds++;
}

static void begin_cycles(void)
{
    rounds = 0;
    TCNT1 = 0;
    TIFR1 = _BV(TOV1);
    TIMSK1 = _BV(TOIE1);
    sei();
    TCCR1B = _BV(CS10);
}

static uint32_t end_cycles(void)
{
    const uint16_t count = TCNT1;

    TCCR1B = 0;
    return (uint32_t)rounds << 16 | count;
}

static void predict(uint8_t by)
{
    const size_t bytes = by == 'S' ? (size_t)model.input_bytes : HEADER_INPUT_BYTES;
    uint32_t cycles;
    size_t at;
    uint8_t winner;

    for (at = 0; at < bytes; at++)
        arena.bytes[at] = receive();
    begin_cycles();
    winner = by == 'S' ? ebnn_model_predict(&model, arena.bytes, arena.bytes, scores) : BY_HEADER;
    cycles = end_cycles();
    transmit(&winner, 1);
    transmit(scores, 4u * model.classes);
    transmit(&cycles, sizeof cycles);
}

int main(void)
{
    uint8_t status;

    UCSR0A = _BV(U2X0);
    UBRR0 = 0;
    UCSR0B = _BV(RXEN0) | _BV(TXEN0);
    for (;;) {
        switch (receive()) {
#if defined(EBNN_MODEL_IN_FLASH)
        case 'F':
            status = ebnn_model_open(&model, image, sizeof image);
            break;
#else
        case 'I':
            status = ebnn_model_load(&model, from_serial, NULL, ram, sizeof ram);
            break;
        case 'E':
            status = by_eeprom();
            break;
#endif
        case 'S':
            predict('S');
            continue;
        case 'H':
            predict('H');
            continue;
        default:
            continue;
        }
        if (status == EBNN_MODEL_OK && model.arena_bytes > sizeof arena)
            status = 99;
        transmit(&status, 1);
    }
}
