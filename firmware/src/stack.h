/* How much RAM a sketch has used: the free RAM between static data and stack is painted at the start, and what is still
 * painted has not been touched. */
#ifndef EBNN_STACK_H
#define EBNN_STACK_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* To be called once, first thing in setup(). On AVR the painting is done already, before main. */
void ebnn_stack_paint(void);

/* As ebnn_port_memory. Boards with an operating system, which gives each task a stack of its own, can't tell. */
void ebnn_stack_measure(uint32_t *untouched, uint32_t *deepest);

#ifdef __cplusplus
}
#endif

#endif
