/* Answers requests about the network of network.h. Bytes go in one by one; answers come out through ebnn_port_put. */
#ifndef EBNN_RESPONDER_H
#define EBNN_RESPONDER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Takes one byte from the wire; answers if it ends a frame. Returns when the answer is written. */
void ebnn_responder_take(uint8_t byte);

/* As after a reset: no session, no kept reply, no inference counted. Updatable firmware runs the network that is kept;
 * it must call this first of all. */
void ebnn_responder_reset(void);

/* The program supplies these three: main.cpp on Arduino, firmware/host/main.c on this computer. */
void ebnn_port_put(uint8_t byte);
uint32_t ebnn_port_micros(void); /* microseconds since any moment; may wrap round */

/* Bytes of RAM that nothing has touched since the reset, and the deepest stack since then in bytes; EBNN_UNTOLD where
 * the port can't tell. */
#define EBNN_UNTOLD 0xFFFFFFFFul
void ebnn_port_memory(uint32_t *untouched, uint32_t *deepest_stack);

#ifdef __cplusplus
}
#endif

#endif
