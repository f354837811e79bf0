/* The network that the responder runs: that of network.h, or in updatable firmware the one that was pushed last.
 *
 * For responder.c alone, which has it to itself: it includes the header with the weights.
 */
#ifndef EBNN_RUNNING_H
#define EBNN_RUNNING_H

#ifndef EBNN_NO_NETWORK
#define EBNN_STATIC /* the network is this file's alone, which takes less flash */
#include "network.h"
#elif !defined(EBNN_UPDATABLE)
#error "EBNN_NO_NETWORK is for updatable firmware: define EBNN_UPDATABLE too"
#endif

#if defined(__AVR__)
#include <avr/io.h>
#define EBNN_RAM_BYTES (RAMEND - RAMSTART + 1)
#endif

#ifndef EBNN_UPDATABLE

/* Left out with -DEBNN_NO_PROFILE, and where the header cannot run layer by layer. */
#if defined(EBNN_LAYERS) && !defined(EBNN_NO_PROFILE)
#define WITH_PROFILE
#endif

/* Of a network with an encoder: raw samples are encoded value by value as they come, which takes RAM for one value. */
#if defined(EBNN_RAW_VALUES)
#define WITH_RAW
#define RAW_TYPE EBNN_RAW_TYPE
#define RAW_BYTES ((uint32_t)(EBNN_RAW_VALUES) * sizeof(EBNN_RAW_TYPE))
#define RAW_SIZE sizeof(EBNN_RAW_TYPE)
#define ENCODE_VALUE(value, at) ebnn_network_encode_value(*(value), at, (void *)INPUT)
#else
#define RAW_BYTES 0u
#endif

#define HASH ((uint32_t)(EBNN_NETWORK_HASH))
#define INPUT ebnn_network_input()
#define INPUT_BYTES ((uint32_t)(EBNN_INPUT_BYTES))
#define ARENA_BYTES ((uint32_t)(EBNN_ARENA_BYTES))
#define CLASSES ((uint16_t)(EBNN_CLASSES))
#define RUN_LAYER(index, scores) ebnn_network_layer(index, INPUT, scores)

#if defined(__AVR__)
/* Beside arena and scores, on an ATmega328P. Static data: 239 bytes, of them 157 of the Arduino core's Serial, 43 of
 * the responder's state, the rest the core's timers and the names. Stack: 334 bytes measured with a convolution on
 * small patches of pixels, interrupts included. The remaining 50 are for other compilers and longer names. */
#define RAM_BESIDE (640 + EBNN_RAM_OF_ONES + 4 * EBNN_CLASSES)
#if EBNN_ARENA_BYTES + RAM_BESIDE > EBNN_RAM_BYTES
#error "this network's arena and the serial firmware do not fit the board's RAM: use fewer filters or a larger board"
#endif
#endif

#else

#include <string.h>

#include "push.h"

#ifndef EBNN_NO_PROFILE
#define WITH_PROFILE
#endif

#define WITH_RAW
#define RAW_TYPE uint32_t /* room for a float or an int16_t */
#define RAW_BYTES ebnn_running.raw_bytes
#define RAW_SIZE ebnn_running.raw_size
#define ENCODE_VALUE(value, at) encode_value(value, at)

#define HASH ebnn_running.hash
#define INPUT ebnn_running.arena
#define INPUT_BYTES ebnn_running.input_bytes
#define ARENA_BYTES ebnn_running.arena_bytes
#define CLASSES ebnn_running.classes
#define LAYERS ebnn_running.layers
#define RUN_LAYER(index, scores) run_layer(index, scores)

/* What the firmware's own network takes of the pool. */
#ifndef EBNN_NO_NETWORK
#define OWN_BYTES (EBNN_ARENA_BYTES + 4 * (EBNN_CLASSES > EBNN_LAYERS ? EBNN_CLASSES : EBNN_LAYERS))
/* Its functions that take an arena: `network_layer` becomes `network_layer_in`. */
#define IN_OF(function) function##_in
#define IN(function) IN_OF(function)
#else
#define OWN_BYTES 0
#define EBNN_RAM_OF_ONES 0
#endif

/* The pool has images, scores and arenas. */
#if defined(__AVR__)
/* Beside it, on an ATmega328P. Static data: 427 bytes. Stack: 537 bytes measured with products of 8 bits in a pushed
 * network, on an ATmega2560, interrupts included. The rest is for other compilers and longer names. */
#define RAM_BESIDE (1020 + EBNN_RAM_OF_ONES)
#ifndef EBNN_POOL_BYTES
#define EBNN_POOL_BYTES ((EBNN_RAM_BYTES - RAM_BESIDE) / 4 * 4)
#endif
#if OWN_BYTES > EBNN_POOL_BYTES
#error "this network's arena and the updatable firmware do not fit the board's RAM: use fewer filters or a larger board"
#endif
#elif !defined(EBNN_POOL_BYTES)
#define EBNN_POOL_BYTES 8192
#endif

static uint32_t pool[(OWN_BYTES > EBNN_POOL_BYTES ? OWN_BYTES : EBNN_POOL_BYTES) / 4];

void ebnn_push_fall_back(uint32_t *memory)
{
#ifndef EBNN_NO_NETWORK
    struct ebnn_running *run = &ebnn_running;

    run->source = EBNN_BUILT_IN;
    run->layers = (uint8_t)(EBNN_LAYERS);
    run->classes = (uint16_t)(EBNN_CLASSES);
    run->hash = (uint32_t)(EBNN_NETWORK_HASH);
    run->input_bytes = (uint32_t)(EBNN_INPUT_BYTES);
#if defined(EBNN_RAW_VALUES)
    run->raw_size = (uint8_t)sizeof(EBNN_RAW_TYPE);
    run->raw_bytes = (uint32_t)(EBNN_RAW_VALUES) * sizeof(EBNN_RAW_TYPE);
#endif
    run->arena_bytes = (uint32_t)(EBNN_ARENA_BYTES);
    run->end = (uint32_t)(OWN_BYTES);
    run->scores = (int32_t *)memory;
    run->arena = (uint8_t *)(void *)memory + (OWN_BYTES - EBNN_ARENA_BYTES);
#else
    (void)memory;
#endif
}

#define TITLE_BYTES 32u /* a longer name is cut off */

/* Writes the name of the network that runs. */
static void name_network(char *text)
{
    text[0] = 0;
    if (ebnn_running.source == EBNN_PUSHED) {
        (void)ebnn_model_title(&ebnn_pushed_model, text, TITLE_BYTES);
    }
#ifndef EBNN_NO_NETWORK
    if (ebnn_running.source == EBNN_BUILT_IN) {
        strncpy(text, EBNN_NETWORK_NAME, TITLE_BYTES - 1u);
        text[TITLE_BYTES - 1u] = 0;
    }
#endif
}

static uint8_t run_layer(uint8_t index, int32_t *scores)
{
    static ebnn_model_place_t place;

    if (ebnn_running.source == EBNN_PUSHED) {
        if (index == 0u) {
            ebnn_model_begin(&ebnn_pushed_model, &place);
        }
        return ebnn_model_next(&ebnn_pushed_model, &place, INPUT, INPUT, scores);
    }
#ifndef EBNN_NO_NETWORK
    return IN(ebnn_network_layer)((void *)INPUT, index, (const void *)INPUT, scores);
#else
    return 0;
#endif
}

static void encode_value(const uint32_t *value, size_t at)
{
    if (ebnn_running.source == EBNN_PUSHED) {
        ebnn_model_encode_value(&ebnn_pushed_model, value, at, INPUT);
    }
#if !defined(EBNN_NO_NETWORK) && defined(EBNN_RAW_VALUES)
    if (ebnn_running.source == EBNN_BUILT_IN) {
        EBNN_RAW_TYPE own;

        memcpy(&own, value, sizeof own);
        ebnn_network_encode_value(own, at, (void *)INPUT);
    }
#endif
}

#endif
#endif
