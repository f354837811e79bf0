/* A network with the interface of an emitted header that does as its input says: byte 0 is what, bytes 1 to 4 how
 * much. */
#ifndef PROBE_NETWORK_H
#define PROBE_NETWORK_H

#include <stddef.h>
#include <stdint.h>

#define EBNN_NETWORK_NAME "probe"
#define EBNN_NETWORK_HASH 0x5EED0002ul
#define EBNN_INPUT_BYTES 260
#define EBNN_INPUT_TYPE uint8_t
#define EBNN_CLASSES 2
#define EBNN_LAYERS 1
#define EBNN_ARENA_BYTES 260

#define PROBE_LOOP 0      /* counts down from an amount above 0: 2 instructions each */
#define PROBE_UNALIGNED 1 /* loads a word from an address that no word has */
#define PROBE_WILD 2      /* calls the amount for a function */
#define PROBE_STACK 3     /* writes the amount of words below the stack pointer */
#define PROBE_SUM 4       /* adds the bytes after byte 0 */
#define PROBE_STATIC 5    /* the score is how often this was asked for since the reset, but for the first value of 40 */

static uint8_t probe_arena[EBNN_ARENA_BYTES] __attribute__((aligned(4)));
static uint32_t probe_asked = 40;

static inline uint8_t *ebnn_network_input(void)
{
    return probe_arena;
}

/* The loop alone, so that it can be counted by hand. */
static inline void probe_loop(uint32_t amount)
{
#if defined(__riscv)
    __asm__ volatile("1:\n\taddi %0, %0, -1\n\tbnez %0, 1b" : "+r"(amount));
#else
    __asm__ volatile(".syntax unified\n1:\n\tsubs %0, #1\n\tbne 1b" : "+l"(amount)::"cc");
#endif
}

static inline void probe_stack(uint32_t words)
{
    uint32_t at;

#if defined(__riscv)
    __asm__ volatile("mv %0, sp" : "=r"(at));
#else
    __asm__ volatile("mov %0, sp" : "=r"(at));
#endif
    while (words != 0u) {
        at -= 4u;
        *(volatile uint32_t *)at = 0x01020304ul;
        words--;
    }
}

static inline uint8_t ebnn_network_layer(uint8_t index, const EBNN_INPUT_TYPE *input, int32_t *scores)
{
    uint32_t amount = input[1] | (uint32_t)input[2] << 8 | (uint32_t)input[3] << 16 | (uint32_t)input[4] << 24;
    uint32_t result = 0;
    uint32_t i;

    (void)index;
    switch (input[0]) {
    case PROBE_LOOP:
        probe_loop(amount);
        break;
    case PROBE_UNALIGNED:
        result = *(const volatile uint32_t *)(uintptr_t)(amount + 1u);
        break;
    case PROBE_WILD:
        ((void (*)(void))(uintptr_t)amount)();
        break;
    case PROBE_STACK:
        probe_stack(amount);
        break;
    case PROBE_SUM:
        for (i = 1; i < EBNN_INPUT_BYTES; i++) {
            result += input[i] * i;
        }
        break;
    default:
        probe_asked++;
        result = probe_asked;
        break;
    }
    if (scores != NULL) {
        scores[0] = (int32_t)result;
        scores[1] = (int32_t)amount;
    }
    return 0;
}

static inline uint8_t ebnn_network_scores(const EBNN_INPUT_TYPE *input, int32_t *scores)
{
    return ebnn_network_layer(0, input, scores);
}

#endif
