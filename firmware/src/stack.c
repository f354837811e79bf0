#include "stack.h"

#include <stddef.h>

#include "responder.h"

#define PAINT 0xC5

#if !defined(EBNN_NO_PROFILE) && defined(__AVR__)
#define PAINTED
#include <avr/io.h>

/* From the linker script. */
extern uint8_t __heap_start[];

/* Runs before main and before anything lies on the stack, between the start-up code's other sections: no frame, no
 * return, and registers that nothing else needs yet. Up to the stack pointer: above it there may be a table of the
 * network's, which then counts as stack. */
void ebnn_stack_paint_all(void) __attribute__((naked, used, section(".init3")));
void ebnn_stack_paint_all(void)
{
    __asm__ volatile("ldi r30, lo8(__heap_start)\n\t"
                     "ldi r31, hi8(__heap_start)\n\t"
                     "in r26, __SP_L__\n\t"
                     "in r27, __SP_H__\n\t"
                     "ldi r24, %[paint]\n"
                     "1:\n\t"
                     "st Z+, r24\n\t"
                     "cp r26, r30\n\t"
                     "cpc r27, r31\n\t"
                     "brsh 1b\n"
                     :
                     : [paint] "i"(PAINT));
}

void ebnn_stack_paint(void)
{
}

static const uint8_t *gap_start(void)
{
    return __heap_start;
}

static const uint8_t *stack_top(void)
{
    return (const uint8_t *)RAMEND + 1;
}

#elif !defined(EBNN_NO_PROFILE) && \
    (defined(ARDUINO_ARCH_SAMD) || defined(ARDUINO_ARCH_SAM) || defined(ARDUINO_ARCH_STM32))
/* Cortex-M without an operating system: the heap grows from the static data upwards, towards the only stack. */
#define PAINTED

char *sbrk(int increment);

static const uint8_t *gap_start(void)
{
    return (const uint8_t *)sbrk(0);
}

/* The stack pointer that the processor starts with is the vector table's first word; VTOR says where that lies. */
static const uint8_t *stack_top(void)
{
    const uint32_t *vectors = *(const uint32_t *const volatile *)0xE000ED08u;

    return (const uint8_t *)vectors[0];
}

/* Byte by byte, for a call of memset would lie in the gap; an interrupt's frame there is done with when this goes
 * on. */
void ebnn_stack_paint(void)
{
    volatile uint8_t *byte = (volatile uint8_t *)sbrk(0);
    volatile uint8_t *end;

    __asm__ volatile("mov %0, sp" : "=r"(end));
    while (byte < end) {
        *byte = PAINT;
        byte++;
    }
}
#endif

#ifdef PAINTED
/* The longest painted run: below it lies what the heap has used, if there is one; above it the stack. */
void ebnn_stack_measure(uint32_t *untouched, uint32_t *deepest)
{
    const uint8_t *const top = stack_top();
    const uint8_t *byte = gap_start();
    const uint8_t *end = byte; /* of the longest run */
    size_t run = 0, longest = 0;

    while (byte < top) {
        run = *byte == PAINT ? run + 1u : 0u;
        byte++;
        if (run > longest) {
            longest = run;
            end = byte;
        }
    }
    *untouched = (uint32_t)longest;
    *deepest = (uint32_t)(top - end);
}
#else
void ebnn_stack_paint(void)
{
}

void ebnn_stack_measure(uint32_t *untouched, uint32_t *deepest)
{
    *untouched = EBNN_UNTOLD;
    *deepest = EBNN_UNTOLD;
}
#endif
