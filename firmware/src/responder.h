/* Answers requests about the network of network.h. Bytes go in one by one; answers come out through ebnn_port_put. */
#ifndef EBNN_RESPONDER_H
#define EBNN_RESPONDER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Takes one byte from the wire; answers if it ends a frame. Returns when the answer is written. */
void ebnn_responder_take(uint8_t byte);

/* As after a reset: no session, no kept reply, no inference counted. */
void ebnn_responder_reset(void);

/* The program supplies these two: main.cpp on Arduino, firmware/host/main.c on this computer. */
void ebnn_port_put(uint8_t byte);
uint32_t ebnn_port_micros(void); /* microseconds since any moment; may wrap round */

#ifdef __cplusplus
}
#endif

#endif
