/* Arm MPS2 with the AN385 (Cortex-M3) or AN386 (Cortex-M4) image: UART 0 and timer 0 of the CMSDK. */
#include "arm.h"

#ifdef EBNN_UPDATABLE
#include <string.h>

#include "../src/store.h"
#endif

#define UART_DATA BARE_REGISTER(0x40004000u)
#define UART_STATE BARE_REGISTER(0x40004004u) /* bit 0: output is full, bit 1: input is full */
#define UART_CTRL BARE_REGISTER(0x40004008u)
#define UART_INTCLEAR BARE_REGISTER(0x4000400Cu)
#define UART_BAUDDIV BARE_REGISTER(0x40004010u)
#define UART_INTERRUPT 0u

#define TIMER_CTRL BARE_REGISTER(0x40000000u)
#define TIMER_VALUE BARE_REGISTER(0x40000004u) /* counts down */
#define TIMER_RELOAD BARE_REGISTER(0x40000008u)

void bare_start(void)
{
    UART_BAUDDIV = 217; /* 25 MHz / 115,200 */
    UART_CTRL = 0x0Bu;  /* send, receive, interrupt on receiving */
    bare_wake_on(UART_INTERRUPT);
    TIMER_RELOAD = 0xFFFFFFFFu;
    TIMER_VALUE = 0xFFFFFFFFu;
    TIMER_CTRL = 1;
}

uint8_t bare_get(void)
{
    while ((UART_STATE & 2u) == 0u) {
        bare_sleep(UART_INTERRUPT);
        UART_INTCLEAR = 2;
    }
    return (uint8_t)UART_DATA;
}

void bare_put(uint8_t byte)
{
    while ((UART_STATE & 1u) != 0u) {
    }
    UART_DATA = byte;
}

/* An instruction takes 1,024 ns (-icount shift=10), a tick of the timer 40: 5 instructions are 128 ticks. What is left
 * of a division is rounded, and so is exact; the sum of the differences survives the timer's wrapping round. */
uint32_t bare_instructions(void)
{
    static uint32_t ticks, instructions;
    uint32_t now = ~TIMER_VALUE;
    uint32_t passed = now - ticks;

    ticks = now;
    instructions += (passed / 128u) * 5u + (passed % 128u * 5u + 64u) / 128u;
    return instructions;
}

#ifdef EBNN_UPDATABLE
/* In the memory that stands for flash, beyond every program: a reset leaves it as it is. */
#define STORE ((uint8_t *)0x00300000u)
#define STORE_BYTES 65536u

uint32_t ebnn_store_bytes(void)
{
    return STORE_BYTES;
}

void ebnn_store_read(uint32_t at, uint8_t *bytes, uint32_t count)
{
    memcpy(bytes, STORE + at, count);
}

void ebnn_store_write(uint32_t at, const uint8_t *bytes, uint32_t count)
{
    memcpy(STORE + at, bytes, count);
}
#endif
