#include "memory.h"

#include <stdint.h>

#include "responder.h"

#define PAINT 0xC5C5C5C5ul

/* Of the linker script: the end of static data, and the end of RAM, where the stack starts. */
extern uint32_t __bss_end[], __stack[];

void bare_paint(void)
{
    volatile uint32_t *word = __bss_end;
    volatile uint32_t *end;

#if defined(__riscv)
    __asm__ volatile("mv %0, sp" : "=r"(end));
#else
    __asm__ volatile("mov %0, sp" : "=r"(end));
#endif
    while (word < end) {
        *word = PAINT;
        word++;
    }
}

void ebnn_port_memory(uint32_t *untouched, uint32_t *deepest_stack)
{
    const volatile uint32_t *word = __bss_end;

    while (word < __stack && *word == PAINT) {
        word++;
    }
    *untouched = (uint32_t)(word - __bss_end) * 4u;
    *deepest_stack = (uint32_t)(__stack - word) * 4u;
}
