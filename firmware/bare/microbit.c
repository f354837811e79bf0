/* BBC micro:bit: nRF51822 (Cortex-M0), its UART and its timer 0. */
#include "arm.h"

#define UART_STARTRX BARE_REGISTER(0x40002000u)
#define UART_STARTTX BARE_REGISTER(0x40002008u)
#define UART_RXDRDY BARE_REGISTER(0x40002108u)
#define UART_TXDRDY BARE_REGISTER(0x4000211Cu)
#define UART_INTENSET BARE_REGISTER(0x40002304u)
#define UART_ENABLE BARE_REGISTER(0x40002500u)
#define UART_PSELTXD BARE_REGISTER(0x4000250Cu)
#define UART_PSELRXD BARE_REGISTER(0x40002514u)
#define UART_RXD BARE_REGISTER(0x40002518u)
#define UART_TXD BARE_REGISTER(0x4000251Cu)
#define UART_BAUDRATE BARE_REGISTER(0x40002524u)
#define UART_INTERRUPT 2u

#define TIMER_START BARE_REGISTER(0x40008000u)
#define TIMER_CAPTURE BARE_REGISTER(0x40008040u)
#define TIMER_BITMODE BARE_REGISTER(0x40008508u)
#define TIMER_PRESCALER BARE_REGISTER(0x40008510u)
#define TIMER_CC BARE_REGISTER(0x40008540u)

void bare_start(void)
{
    UART_PSELTXD = 24;
    UART_PSELRXD = 25;
    UART_BAUDRATE = 0x01D7E000u; /* 115,200 */
    UART_ENABLE = 4;
    UART_INTENSET = 1u << 2; /* RXDRDY */
    UART_STARTRX = 1;
    UART_STARTTX = 1;
    bare_wake_on(UART_INTERRUPT);
    TIMER_BITMODE = 3;   /* 32 bits */
    TIMER_PRESCALER = 0; /* 16 MHz */
    TIMER_START = 1;
}

uint8_t bare_get(void)
{
    while (UART_RXDRDY == 0u) {
        bare_sleep(UART_INTERRUPT);
    }
    UART_RXDRDY = 0; /* before the byte is read, for then the next one sets it */
    return (uint8_t)UART_RXD;
}

void bare_put(uint8_t byte)
{
    UART_TXD = byte;
    while (UART_TXDRDY == 0u) {
    }
    UART_TXDRDY = 0;
}

/* An instruction takes 1,024 ns (-icount shift=10), a tick of the timer 62.5: 125 instructions are 2,048 ticks. What is
 * left of a division is rounded, and so is exact; the sum of the differences survives the timer's wrapping round. */
uint32_t bare_instructions(void)
{
    static uint32_t ticks, instructions;
    uint32_t now, passed;

    TIMER_CAPTURE = 1;
    now = TIMER_CC;
    passed = now - ticks;
    ticks = now;
    instructions += (passed / 2048u) * 125u + (passed % 2048u * 125u + 1024u) / 2048u;
    return instructions;
}
