/* A bare-metal board, without an operating system or an Arduino core: what each of mps2.c, microbit.c and virt.c
 * supplies.
 *
 * The boards exist in QEMU, where every instruction takes the same time: the clock counts instructions.
 */
#ifndef EBNN_BARE_BOARD_H
#define EBNN_BARE_BOARD_H

#include <stdint.h>

/* A register at a fixed address. */
#define BARE_REGISTER(address) (*(volatile uint32_t *)(address))

/* Switches on the UART and the clock. */
void bare_start(void);

/* The next byte of the UART, which the processor sleeps for. */
uint8_t bare_get(void);

void bare_put(uint8_t byte);

/* Instructions since any moment; may wrap round. */
uint32_t bare_instructions(void);

/* Ends the simulation, saying what stopped the program, and where: for the handlers of faults. */
void bare_stop(const char *what, uint32_t pc) __attribute__((noreturn));

#endif
