/* Programs that go wrong, each in its own way. */
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include <stdint.h>
#include <stdlib.h>

volatile uint8_t table[100];

__attribute__((noinline, unused)) static uint8_t recurse(uint8_t depth)
{
    volatile uint8_t frame[60];

    frame[0] = depth;
    return (uint8_t)(recurse((uint8_t)(depth + 1u)) + frame[0] + table[depth % 100u]);
}

int main(void)
{
#if defined(STACK)
    table[0] = recurse(0);
#elif defined(ERASED)
    ((void (*)(void))0x3000)();
#elif defined(JUMP)
    __asm__ volatile("ldi r30, 0xff\n ldi r31, 0xff\n ijmp");
#elif defined(OPCODE)
    __asm__ volatile(".word 0x0001");
#elif defined(WRITE)
    *(volatile uint8_t *)0x4567 = 1;
#elif defined(READ)
    table[0] = *(volatile uint8_t *)0x5678;
#elif defined(SLEEP)
    cli();
    sleep_enable();
    sleep_cpu();
#elif defined(HALTED)
    abort();
#endif
    sei();
    for (;;) {
    }
}
