/* A network with the interface of an emitted header, and scores that anyone can work out: every score depends on every
 * byte of the sample and on its place. As a real network may, it overwrites its input. With STUB_RAW it has an encoder:
 * a byte of the sample is the exclusive or of the two bytes of a raw value. */
#ifndef STUB_NETWORK_H
#define STUB_NETWORK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define EBNN_NETWORK_NAME "stub"
#define EBNN_NETWORK_HASH 0x5EED0001UL
#define EBNN_INPUT_BYTES 64
#define EBNN_INPUT_TYPE uint8_t
#define EBNN_CLASSES 10
#define EBNN_LAYERS 2
#define EBNN_ARENA_BYTES 64

static uint8_t stub_arena[EBNN_ARENA_BYTES];

static inline uint8_t *ebnn_network_input(void)
{
    return stub_arena;
}

/* Layer 0 inverts the input into the arena, layer 1 inverts it again:
 * scores[k] = sum over i of input[i] * ((7 i + 13 k) mod 31 - 15) * 1000 + k */
static inline uint8_t ebnn_network_layer(uint8_t index, const EBNN_INPUT_TYPE *input, int32_t *scores)
{
    int32_t best_score = 0;
    uint8_t best = 0;
    uint8_t k;
    uint16_t i;

    if (index == 0) {
        for (i = 0; i < EBNN_INPUT_BYTES; i++) {
            stub_arena[i] = (uint8_t)(input[i] ^ 0xFFu);
        }
        return 0;
    }
    for (k = 0; k < EBNN_CLASSES; k++) {
        int32_t score = k;
        for (i = 0; i < EBNN_INPUT_BYTES; i++) {
            score += (int32_t)(stub_arena[i] ^ 0xFFu) * ((int32_t)((7u * i + 13u * k) % 31u) - 15) * 1000;
        }
        if (scores != NULL) {
            scores[k] = score;
        }
        if (k == 0 || score > best_score) {
            best_score = score;
            best = k;
        }
    }
    memset(stub_arena, 0xA5, sizeof stub_arena);
    return best;
}

#ifdef STUB_RAW
#define EBNN_RAW_TYPE int16_t
#define EBNN_RAW_VALUES 64

static inline void ebnn_network_encode_value(int16_t value, size_t at, uint8_t *input)
{
    input[at] = (uint8_t)((uint16_t)value ^ ((uint16_t)value >> 8));
}
#endif

static inline uint8_t ebnn_network_scores(const EBNN_INPUT_TYPE *input, int32_t *scores)
{
    (void)ebnn_network_layer(0, input, scores);
    return ebnn_network_layer(1, input, scores);
}

#endif
