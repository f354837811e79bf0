/* QEMU's virt machine with an RV32IMC hart: a 16550 UART behind the PLIC. */
#include "board.h"

#define UART_BASE 0x10000000u
#define UART(offset) (*(volatile uint8_t *)(UART_BASE + (offset)))
#define UART_DATA UART(0)
#define UART_IER UART(1)
#define UART_FCR UART(2)
#define UART_LCR UART(3)
#define UART_LSR UART(5) /* bit 0: a byte is there, bit 5: a byte may go */
#define UART_INTERRUPT 10u

#define PLIC_PRIORITY BARE_REGISTER(0x0C000000u + 4u * UART_INTERRUPT)
#define PLIC_ENABLE BARE_REGISTER(0x0C002000u)
#define PLIC_THRESHOLD BARE_REGISTER(0x0C200000u)
#define PLIC_CLAIM BARE_REGISTER(0x0C200004u)

void bare_trapped(void) __attribute__((used));
void bare_trapped(void)
{
    char what[] = "trap with mcause 00";
    uint32_t cause, pc;

    __asm__ volatile("csrr %0, mcause\n\tcsrr %1, mepc" : "=r"(cause), "=r"(pc));
    what[17] = (char)('0' + cause / 10u % 10u);
    what[18] = (char)('0' + cause % 10u);
    bare_stop(what, pc);
}

/* On a stack of its own making: the program's may be what went wrong. */
static void trap(void) __attribute__((naked, aligned(4)));
static void trap(void)
{
    __asm__ volatile("la sp, __stack\n\tj bare_trapped");
}

/* The UART's interrupt wakes the hart from wfi; it is never taken. */
void bare_start(void)
{
    __asm__ volatile("csrw mtvec, %0\n\tcsrci mstatus, 8" ::"r"(trap));
    UART_LCR = 3; /* 8 bits, no parity */
    UART_FCR = 7; /* with a queue, emptied */
    UART_IER = 1; /* interrupt on receiving */
    PLIC_PRIORITY = 1;
    PLIC_ENABLE = 1u << UART_INTERRUPT;
    PLIC_THRESHOLD = 0;
    __asm__ volatile("csrw mie, %0" ::"r"(1u << 11));
}

uint8_t bare_get(void)
{
    while ((UART_LSR & 1u) == 0u) {
        __asm__ volatile("wfi" ::: "memory");
        PLIC_CLAIM = PLIC_CLAIM;
    }
    return UART_DATA;
}

void bare_put(uint8_t byte)
{
    while ((UART_LSR & 0x20u) == 0u) {
    }
    UART_DATA = byte;
}

/* The low word of the counter of retired instructions (-icount shift=0). */
uint32_t bare_instructions(void)
{
    uint32_t count;

    __asm__ volatile("csrr %0, instret" : "=r"(count));
    return count;
}
