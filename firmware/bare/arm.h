/* What the Cortex-M boards have in common. */
#ifndef EBNN_BARE_ARM_H
#define EBNN_BARE_ARM_H

#include "board.h"

/* Lets an interrupt of the UART wake the processor from `bare_sleep`. It is never taken. */
void bare_wake_on(uint8_t interrupt);

/* Sleeps until the interrupt is pending, and clears it. It may have been pending before. */
void bare_sleep(uint8_t interrupt);

#endif
