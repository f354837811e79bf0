/* The time, from the ARC core's timer 0. */
#include "Arduino.h"

#define TIMER_COUNT 0x21
#define TIMER_CONTROL 0x22
#define TIMER_LIMIT 0x23
#define TIMER_RUNS_ALWAYS 2u
#define CLOCKS_PER_US (F_CPU / 1000000ul)

/* To be called at least once in two minutes: the timer has 32 bits of clocks. */
unsigned long micros(void)
{
    static uint32_t counted; /* clocks of which the microseconds are in `total` */
    static uint32_t total;
    static uint8_t started;
    uint32_t passed;

    if (!started) {
        __builtin_arc_sr(0xFFFFFFFFu, TIMER_LIMIT);
        __builtin_arc_sr(TIMER_RUNS_ALWAYS, TIMER_CONTROL);
        __builtin_arc_sr(0, TIMER_COUNT);
        started = 1;
    }
    passed = ((uint32_t)__builtin_arc_lr(TIMER_COUNT) - counted) / CLOCKS_PER_US;
    counted += passed * CLOCKS_PER_US;
    total += passed;
    return total;
}

unsigned long millis(void)
{
    return micros() / 1000ul;
}

void delay(unsigned long milliseconds)
{
    unsigned long start = micros();

    while (milliseconds > 0) {
        if (micros() - start >= 1000ul) {
            start += 1000ul;
            milliseconds--;
        }
    }
}

void yield(void)
{
}
