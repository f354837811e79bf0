/* Prints what stack.c measures: at the start, again, after a call that takes 300 bytes of stack, and after 100 of
 * heap. */
#include <stdint.h>
#include <stdlib.h>

#include "stack.h"

#if defined(__AVR__)
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>

static void put(char letter)
{
    while (!(UCSR0A & _BV(UDRE0))) {
    }
    UDR0 = (uint8_t)letter;
}

/* The simulator ends when the processor sleeps for good. */
static void halt(void)
{
    cli();
    sleep_mode();
}
#else
#include <stdio.h>

static void put(char letter)
{
    putchar(letter);
}

static void halt(void)
{
    exit(0);
}
#endif

static void put_number(uint32_t value)
{
    char digits[10];
    uint8_t count = 0;

    do {
        digits[count++] = (char)('0' + value % 10u);
        value /= 10u;
    } while (value != 0u);
    while (count != 0u) {
        put(digits[--count]);
    }
    put(' ');
}

static void tell(void)
{
    uint32_t untouched, deepest;

    ebnn_stack_measure(&untouched, &deepest);
    put_number(untouched);
    put_number(deepest);
    put('\n');
}

static __attribute__((noinline)) void use_stack(uint8_t value)
{
    volatile uint8_t room[300];
    uint16_t i;

    for (i = 0; i < sizeof room; i++) {
        room[i] = value;
    }
}

static __attribute__((noinline)) void use_heap(uint8_t value)
{
    volatile uint8_t *room = malloc(100);
    uint8_t i;

    for (i = 0; i < 100u; i++) {
        room[i] = value;
    }
}

int main(void)
{
#if defined(__AVR__)
    UCSR0B = _BV(TXEN0);
#endif
    ebnn_stack_paint();
    tell();
    tell();
    use_stack(1);
    tell();
    use_heap(1);
    tell();
    halt();
    return 0;
}
