/* A network with the interface of an emitted header, and scores that anyone can work out: every score depends on every
 * byte of the sample and on its place. As a real network may, it overwrites its input. */
#ifndef STUB_NETWORK_H
#define STUB_NETWORK_H

#include <stdint.h>
#include <string.h>

#define EBNN_NETWORK_NAME "stub"
#define EBNN_NETWORK_HASH 0x5EED0001UL
#define EBNN_INPUT_BYTES 64
#define EBNN_INPUT_TYPE uint8_t
#define EBNN_CLASSES 10
#define EBNN_ARENA_BYTES 64

static uint8_t stub_arena[EBNN_ARENA_BYTES];

static inline uint8_t *ebnn_network_input(void)
{
    return stub_arena;
}

/* scores[k] = sum over i of input[i] * ((7 i + 13 k) mod 31 - 15) * 1000 + k */
static inline uint8_t ebnn_network_scores(const EBNN_INPUT_TYPE *input, int32_t *scores)
{
    uint8_t best = 0;
    uint8_t k;
    uint16_t i;

    for (k = 0; k < EBNN_CLASSES; k++) {
        scores[k] = k;
        for (i = 0; i < EBNN_INPUT_BYTES; i++) {
            scores[k] += (int32_t)input[i] * ((int32_t)((7u * i + 13u * k) % 31u) - 15) * 1000;
        }
        if (scores[k] > scores[best]) {
            best = k;
        }
    }
    memset(stub_arena, 0xA5, sizeof stub_arena);
    return best;
}

#endif
