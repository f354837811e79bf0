#include "arm.h"

#define NVIC_ISER BARE_REGISTER(0xE000E100u)
#define NVIC_ICPR BARE_REGISTER(0xE000E280u)

void bare_wake_on(uint8_t interrupt)
{
    __asm__ volatile("cpsid i");
    NVIC_ISER = 1ul << interrupt;
}

void bare_sleep(uint8_t interrupt)
{
    __asm__ volatile("wfi" ::: "memory");
    NVIC_ICPR = 1ul << interrupt;
}

/* `frame` is what the processor has pushed: r0 to r3, r12, lr, pc, xpsr. */
void bare_hard_fault(const uint32_t *frame) __attribute__((used));
void bare_hard_fault(const uint32_t *frame)
{
    bare_stop("hard fault", frame[6]);
}

/* picolibc's vector table names it. */
void arm_hardfault_isr(void) __attribute__((naked));
void arm_hardfault_isr(void)
{
    __asm__ volatile("mov r0, sp\n\t"
                     "ldr r1, =bare_hard_fault\n\t"
                     "bx r1\n\t"
                     ".ltorg");
}
