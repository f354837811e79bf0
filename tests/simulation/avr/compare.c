/*
 * Compares with ebnn_compare_fours and with plain loops. Sends how many comparisons it has made and how many of them
 * have failed, 16 bits each. CASES lists words, taps, outputs and the first of WEIGHTS and of THRESHOLDS of each case;
 * LONGEST is the words of the longest filters.
 */
#include <avr/io.h>

#include "ebnn/compare.h"
#include "filters.h"

#define REPEATS 12u
#define ROOM 8u /* bytes of outputs */

typedef struct {
    uint16_t words, taps, outputs, weights, thresholds;
} case_t;

static const case_t cases[] EBNN_FLASH = {CASES};
static const uint32_t weights[] EBNN_FLASH = {WEIGHTS};
static const int16_t thresholds[] EBNN_FLASH = {THRESHOLDS};
static const uint32_t zeros[EBNN_GROUP * LONGEST] EBNN_FLASH = {0};
static const int16_t longest_thresholds[EBNN_GROUP] EBNN_FLASH = {-32 * LONGEST, 1 - 32 * LONGEST, -32768, 32767};

static uint8_t values[4u * LONGEST + 1u], mask[4u * LONGEST + 1u];
static uint8_t found[ROOM], expected[ROOM];
static uint32_t seed = 1;
static uint16_t comparisons, failures;

/* Functions of their own, to be timed: words without a mask, with two bytes in the last one, with a mask. */
#define TIMED(name, taps, words, bits_mask)                                                                           \
    void name(uint16_t outputs);                                                                                      \
    __attribute__((noinline, noclone)) void name(uint16_t outputs)                                                    \
    {                                                                                                                 \
        const ebnn_filters_t filters = {taps, words, outputs, EBNN_BITS, 2, (taps - 1) % 32 < 16, zeros, thresholds}; \
        const ebnn_place_t place = {found, 1};                                                                        \
                                                                                                                      \
        ebnn_compare_fours(&filters, values, bits_mask, taps, place);                                                 \
    }
TIMED(ten, 320, 10, NULL)
TIMED(nine, 288, 9, NULL)
TIMED(eight_and_half, 272, 9, NULL)
TIMED(masked, 288, 9, mask)

static uint8_t choose(void)
{
    seed = seed * 1664525ul + 1013904223ul;
    return (uint8_t)(seed >> 24);
}

/* Random bits, `taps` of them, zeros behind; a few bytes all 0 or all 1. */
static void fill(uint8_t *bits, uint16_t taps, uint16_t words)
{
    uint16_t i;

    for (i = 0; i < 4u * words; i++) {
        const uint8_t kind = choose();

        bits[i] = kind < 16u ? 0x00 : kind < 32u ? 0xFF : choose();
        if (8u * i >= taps)
            bits[i] = 0;
        else if (8u * i + 8u > taps)
            bits[i] = (uint8_t)(bits[i] & (0xFFu >> (8u * i + 8u - taps)));
    }
}

static uint8_t ones(uint8_t byte)
{
    uint8_t count = 0;

    for (; byte != 0u; byte = (uint8_t)(byte & (byte - 1u)))
        count++;
    return count;
}

/* The same by plain loops, from bit `at` of `expected` on. */
static void compare_plainly(const ebnn_filters_t *filters, const uint8_t *bits, const uint8_t *inside_mask,
                            uint16_t inside, uint8_t at)
{
    const uint16_t grouped = filters->outputs / EBNN_GROUP * EBNN_GROUP;
    const uint16_t words = (uint16_t)filters->words;
    uint16_t f, i;

    for (f = 0; f < filters->outputs; f++, at++) {
        const uint16_t stride = f < grouped ? EBNN_GROUP : 1u;
        const uint32_t *filter = filters->weights + f * words;
        int32_t acc = inside;

        if (f < grouped)
            filter = filters->weights + f / EBNN_GROUP * EBNN_GROUP * words + f % EBNN_GROUP;
        for (i = 0; i < 4u * words; i++) {
            const uint8_t *weight = (const uint8_t *)(filter + i / 4u * stride) + i % 4u;
            const uint8_t mismatches = (uint8_t)(bits[i] ^ EBNN_READ_U8(weight));

            acc -= 2 * ones((uint8_t)(inside_mask == NULL ? mismatches : mismatches & inside_mask[i]));
        }
        if (acc >= (int16_t)EBNN_READ_U16((const uint16_t *)filters->thresholds + f))
            expected[at / 8u] = (uint8_t)(expected[at / 8u] | (1u << (at % 8u)));
    }
}

/* The frame has no fixed size, so that the compiler needs a frame pointer at every level. */
static void check(const ebnn_filters_t *filters, const uint8_t *bits, const uint8_t *inside_mask, uint16_t inside,
                  uint8_t at)
{
    volatile uint8_t *const frame = (volatile uint8_t *)__builtin_alloca(at % 8u + 1u);
    const ebnn_place_t place = {found + at / 8u, (uint8_t)(1u << (at % 8u))};
    uint8_t i;

    frame[0] = at;
    for (i = 0; i < ROOM; i++)
        found[i] = expected[i] = choose() & choose() & choose();
    ebnn_compare_fours(filters, bits, inside_mask, inside, place);
    compare_plainly(filters, bits, inside_mask, inside, at);
    comparisons++;
    if (memcmp(found, expected, ROOM) != 0 || frame[0] != at)
        failures++;
}

static void check_case(const case_t *in_flash)
{
    ebnn_filters_t filters;
    case_t each;
    uint8_t i;

    EBNN_READ_BLOCK(&each, in_flash, sizeof each);
    filters.taps = each.taps;
    filters.words = each.words;
    filters.outputs = each.outputs;
    filters.kind = EBNN_BITS;
    filters.half = (each.taps - 1u) % 32u < 16u;
    filters.threshold_bytes = 2;
    filters.weights = weights + each.weights;
    filters.thresholds = thresholds + each.thresholds;
    for (i = 0; i < REPEATS; i++) {
        uint8_t *const bits = values + i % 2u;
        uint8_t *const inside_mask = mask + i / 2u % 2u;
        uint16_t j, inside = 0;

        fill(bits, each.taps, each.words);
        fill(inside_mask, each.taps, each.words);
        for (j = 0; j < 4u * each.words; j++)
            inside = (uint16_t)(inside + ones(inside_mask[j]));
        check(&filters, bits, NULL, each.taps, choose() % 16u);
        check(&filters, bits, inside_mask, inside, choose() % 16u);
    }
}

/* All bits of the longest filters mismatch. */
static void check_longest(void)
{
    const ebnn_filters_t filters = {32u * LONGEST, LONGEST, EBNN_GROUP, EBNN_BITS, 2, 0, zeros, longest_thresholds};

    memset(values, 0xFF, sizeof values);
    memset(mask, 0xFF, sizeof mask);
    check(&filters, values, NULL, 32u * LONGEST, 3);
    check(&filters, values, mask, 32u * LONGEST, 6);
}

static void transmit(uint16_t number)
{
    uint8_t i;

    for (i = 0; i < 2u; i++, number = (uint16_t)(number >> 8)) {
        while ((UCSR0A & _BV(UDRE0)) == 0) {
        }
        UDR0 = (uint8_t)number;
    }
}

int main(void)
{
    uint16_t outputs;
    uint8_t i;

    UCSR0A = _BV(U2X0);
    UBRR0 = 0;
    UCSR0B = _BV(TXEN0);
    for (outputs = 4; outputs <= 8u; outputs = (uint16_t)(outputs + 4u)) {
        ten(outputs);
        nine(outputs);
        eight_and_half(outputs);
        masked(outputs);
    }
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_case(cases + i);
    check_longest();
    transmit(comparisons);
    transmit(failures);
    __asm__ __volatile__("sei");
    for (;;) {
    }
}
