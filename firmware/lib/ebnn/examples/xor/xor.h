/*
 * xor: a binarized neural network, emitted by ebnn 0.2.0. Do not edit.
 *
 * hash        9a5ec1f79911ca022d240ec53caa081218a871158ef8f8579dfc47ced59c0beb
 * arithmetic  integer
 * input       bits, 1×1×2 (channels×height×width), 1 B
 *             rows of bits, a pixel's channels side by side, least significant bit first, whole bytes a row
 * flash       68 B of constants
 * RAM         8 B of arena, the input included
 *
 * layer   input  output    weights  thresholds  MACs
 * dense1  1×1×2  8×1×1     32 B     16 B        16
 * output  8×1×1  2 scores  8 B      12 B        16
 */

#ifndef XOR_EBNN_NETWORK_H
#define XOR_EBNN_NETWORK_H

#include "ebnn.h"

#if !defined(EBNN_RUNTIME_VERSION) || EBNN_RUNTIME_VERSION != 3
#error "xor was emitted by ebnn 0.2.0 for runtime version 3: export again, or take that library"
#endif

#if defined(XOR_TITLE) || defined(XOR_HASH) \
    || defined(XOR_CLASSES) || defined(XOR_LAYERS)
#error "another header has macros of xor: export it with another --name"
#endif

#define XOR_TITLE "xor"
#define XOR_HASH 0x9A5EC1F7ul
#define XOR_EBNN_HEADER 0x1E13A74Bul /* of this text */
#define XOR_INPUT_BYTES 1
#define XOR_INPUT_VALUES 2
#define XOR_CLASSES 2
#define XOR_LAYERS 2
#define XOR_FLASH_BYTES 68
#define XOR_SCORE_SCALE 1.82658841e-05f /* score × this is the trainer's logit */
#define XOR_ARENA_BYTES 8

#if defined(__AVR__) && !defined(__AVR_HAVE_MUL__)
#error "ebnn: xor multiplies, which this AVR cannot: export it with --optimize size"
#endif
#if defined(__AVR__) && EBNN_RAM_OF_ONES > 0
#if XOR_ARENA_BYTES + EBNN_RAM_OF_ONES > RAMEND - RAMSTART + 1
#error "ebnn: no room for xor and the table of ones: export it with --optimize balanced"
#endif
#endif


EBNN_ONE_HEADER("xor", "xor_1E13A74B");

/* The memory of one prediction: activations lie at opposite ends in turn, a patch under the kernel between them. */
typedef union {
    uint8_t bytes[XOR_ARENA_BYTES];
    uint32_t words[XOR_ARENA_BYTES / 4]; /* aligns the rest */
    float floats[XOR_ARENA_BYTES / 4];
} xor_arena_t;

#ifdef __cplusplus
extern "C" {
#endif

/* The program's own arena: one, whichever source files use it. */
#if defined(EBNN_STATIC)
#define XOR_EBNN_SCOPE EBNN_PRIVATE
EBNN_PRIVATE xor_arena_t xor_arena;
#else
#define XOR_EBNN_SCOPE extern
extern xor_arena_t xor_arena;
#endif

/* Runs one layer; in turn, from 0 to NAME_LAYERS - 1, they are a prediction. The first takes the input, the last
 * writes the scores, if not NULL, and returns the class; the others return 0. */
XOR_EBNN_SCOPE uint8_t xor_layer_in(xor_arena_t *arena, uint8_t index, const uint8_t *input, int32_t *scores);

/* A prediction that touches no memory but its arguments: re-entrant, where each call under way has its own arena.
 * input: NAME_INPUT_BYTES bytes, anywhere. scores: NAME_CLASSES of them, or NULL. Returns the class. */
XOR_EBNN_SCOPE uint8_t xor_predict_in(xor_arena_t *arena, const uint8_t *input, int32_t *scores);

#ifdef __cplusplus
}
#endif

/* Where a sample may be written; it is overwritten by the prediction. */
static inline uint8_t *xor_input_in(xor_arena_t *arena)
{
    return (uint8_t *)(void *)arena->bytes;
}

/* As above, with the program's own arena. Not re-entrant: no other thread and no interrupt may use it meanwhile. */
static inline uint8_t *xor_input(void)
{
    return xor_input_in(&xor_arena);
}

static inline uint8_t xor_layer(uint8_t index, const uint8_t *input, int32_t *scores)
{
    return xor_layer_in(&xor_arena, index, input, scores);
}

static inline uint8_t xor_scores(const uint8_t *input, int32_t *scores)
{
    return xor_predict_in(&xor_arena, input, scores);
}

static inline uint8_t xor_predict(const uint8_t *input)
{
    return xor_predict_in(&xor_arena, input, NULL);
}

/* Names without a name, for the program's first network. */
#ifndef EBNN_NETWORK_NAME
#define EBNN_NETWORK_NAME XOR_TITLE
#define EBNN_NETWORK_HASH XOR_HASH
#define EBNN_INPUT_TYPE uint8_t
#define EBNN_INPUT_BYTES XOR_INPUT_BYTES
#define EBNN_CLASSES XOR_CLASSES
#define EBNN_LAYERS XOR_LAYERS
#define EBNN_ARENA_BYTES XOR_ARENA_BYTES
#define ebnn_network_input xor_input
#define ebnn_network_layer xor_layer
#define ebnn_network_scores xor_scores


#ifndef CEIL_POS /* as in eBNN's own library, whose programs count bytes with it */
#define CEIL_POS(x) (((x) - (int)(x)) > 0 ? (int)((x) + 1) : (int)(x))
#endif

/* As in eBNN: writes the class to output[0].
 * The sample is packed as there: channel after channel, row after row, the first bit the highest of a byte. */
static inline void ebnn_compute(const uint8_t *input, uint8_t *output)
{
    uint8_t *bits = xor_input();
    uint32_t c, y, x, from = 0, to;

    for (to = 0; to < XOR_INPUT_BYTES; to++)
        bits[to] = 0;
    for (c = 0; c < 1; c++)
        for (y = 0; y < 1; y++)
            for (x = 0; x < 2; x++, from++) {
                to = y * 8 + x * 1 + c;
                if (input[from / 8] & 0x80 >> from % 8)
                    bits[to / 8] = (uint8_t)(bits[to / 8] | 1u << to % 8);
            }
    output[0] = xor_predict(bits);
}
#endif

#elif XOR_HASH != 0x9A5EC1F7ul
#error "two networks are called xor: export one of them with another --name"
#elif XOR_EBNN_HEADER != 0x1E13A74Bul
#error "two headers of xor differ: export it once, and include the one file everywhere"
#endif

#if !defined(XOR_EBNN_DEFINED) \
    && (defined(XOR_IMPLEMENTATION) || !defined(XOR_DECLARATIONS))
#define XOR_EBNN_DEFINED

#if defined(EBNN_STATIC)
#define XOR_EBNN_LINKAGE EBNN_PRIVATE
#elif defined(XOR_IMPLEMENTATION)
#define XOR_EBNN_LINKAGE
#elif defined(EBNN_SHARED)
#define XOR_EBNN_LINKAGE EBNN_SHARED
#else
#error "ebnn: define NAME_IMPLEMENTATION in one source file, NAME_DECLARATIONS in all others that include the header"
#endif

/* 8 outputs of 2 bits in the order of the input's memory, each whole words; 4 word beside word */
static const uint32_t xor_dense1_weights[8] EBNN_FLASH = {
    0x00000001ul, 0x00000000ul, 0x00000001ul, 0x00000001ul, 0x00000001ul, 0x00000001ul, 0x00000000ul, 0x00000001ul
};

/* per output: its bit is acc >= threshold */
static const int16_t xor_dense1_thresholds[8] EBNN_FLASH = {
    1, 0, 1, 0, 1, 0, 1, 0
};

static const ebnn_dense_t xor_dense1 EBNN_FLASH = {
    {2, 1, 8, EBNN_BITS, 2, 1, xor_dense1_weights, xor_dense1_thresholds},
    NULL, NULL
};

/* 2 outputs of 8 bits in the order of the input's memory, each whole words */
static const uint32_t xor_output_weights[2] EBNN_FLASH = {
    0x000000ECul, 0x00000037ul
};

/* per class */
static const int16_t xor_output_multipliers[2] EBNN_FLASH = {
    32767, 30915
};

/* per class; score × 1.8265883827017685e-05 is the trainer's logit */
static const int32_t xor_output_offsets[2] EBNN_FLASH = {
    -37352l, 51370l
};

static const ebnn_output_t xor_output EBNN_FLASH = {
    {8, 1, 2, EBNN_BITS, 0, 1, xor_output_weights, NULL},
    xor_output_multipliers, xor_output_offsets
};

#if !defined(EBNN_STATIC)
XOR_EBNN_LINKAGE xor_arena_t xor_arena;
#endif

XOR_EBNN_LINKAGE uint8_t xor_layer_in(xor_arena_t *arena, uint8_t index, const uint8_t *input, int32_t *scores)
{
    EBNN_CHECK_REACH("xor", XOR_FLASH_BYTES + sizeof xor_dense1 + sizeof xor_output);
    switch (index) {
    case 0:
        ebnn_dense(&xor_dense1, ebnn_compare_fours, ebnn_take_bits(arena->bytes, input, XOR_INPUT_BYTES),
            arena->bytes + XOR_ARENA_BYTES - 4);
        return 0;
    default:
        return ebnn_output_bits(&xor_output, arena->bytes + XOR_ARENA_BYTES - 4, scores);
    }
}

XOR_EBNN_LINKAGE uint8_t xor_predict_in(xor_arena_t *arena, const uint8_t *input, int32_t *scores)
{
    uint8_t index, winner = 0;

    for (index = 0; index < XOR_LAYERS; index++)
        winner = xor_layer_in(arena, index, input, scores);
    return winner;
}

#endif
