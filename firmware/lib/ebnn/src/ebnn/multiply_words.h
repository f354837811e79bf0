/*
 * Sums of bytes times weights of 8 bits on cores that work in words of 32 bits: one or two patches under four filters
 * at a time, so that a value or a weight is loaded once for several products; the last filters by two and alone.
 *
 * Products of a Cortex-M3 and of RV32 are two patches' under four filters, 14 and 22 instructions for 8 of them. A
 * Cortex-M0 has registers for one patch. A core with DSP instructions (Cortex-M4, M33) makes words of two values of 16
 * bits out of bytes and multiplies two pairs at once: 41 instructions for 32 products.
 */
#ifndef EBNN_MULTIPLY_WORDS_H
#define EBNN_MULTIPLY_WORDS_H

#include "integer.h"

/* Where the weight of one of four taps for one of four filters is, so that pairs can be made of words. */
#define EBNN_WEIGHT(tap, filter) ((tap) % 2u * 8u + (filter) / 2u * 4u + (tap) / 2u * 2u + (filter) % 2u)

/* Has these computed here, in registers, in this order. */
#if defined(__GNUC__)
#define EBNN_HERE(a, b) __asm__ volatile("" : "+r"(a), "+r"(b))
#else
#define EBNN_HERE(a, b) ((void)0)
#endif

/* One or two patches, and what their sums start with. */
typedef struct {
    const uint8_t *x, *y;
    uint32_t x_start, y_start;
} ebnn_factors_t;

/* Sums of two bytes of a word each. */
EBNN_PART uint32_t ebnn_pairs_of(const uint8_t *values, uint8_t is_signed)
{
    const uint32_t word = ebnn_load_word(values) ^ (is_signed ? (uint32_t)0x80808080ul : 0u);

    return (word & (uint32_t)0x00FF00FFul) + ((word >> 8) & (uint32_t)0x00FF00FFul);
}

/* Sum of the values of a patch. */
EBNN_PART uint32_t ebnn_sum_values(const uint8_t *values, size_t taps, uint8_t is_signed)
{
    const uint8_t *const end = values + taps;
    uint32_t sum = is_signed ? 0u - 128u * (uint32_t)taps : 0u;

    if ((uintptr_t)values % 4u == 0u)
        while (end - values >= 4) {
            const uint8_t *const some = values + (end - values >= 512 ? 512 : (end - values) / 4 * 4);
            uint32_t pairs = 0; /* two sums of at most 256 bytes */

            if ((some - values) % 8 != 0) {
                pairs = ebnn_pairs_of(values, is_signed);
                values += 4;
            }
            for (; values != some; values += 8) {
                pairs += ebnn_pairs_of(values, is_signed);
                pairs += ebnn_pairs_of(values + 4, is_signed);
            }
            sum += (uint16_t)pairs + (pairs >> 16);
        }
    for (; values != end; values++)
        sum += (uint32_t)(*values ^ (is_signed ? 0x80u : 0u));
    return sum;
}

/* A value as a factor. */
EBNN_PART uint32_t ebnn_factor(uint8_t value, uint8_t is_signed)
{
    return is_signed ? (uint32_t)(int32_t)(int8_t)value : (uint32_t)value;
}

/* Adds the products of one tap of one patch, or of two, with a weight. */
#define EBNN_TIMES(weight, x_sum, y_sum) \
    do {                                 \
        const uint32_t w = (weight);     \
                                         \
        x_sum += x * w;                  \
        if (patches == 2u)               \
            y_sum += y * w;              \
        EBNN_HERE(x_sum, y_sum);         \
    } while (0)

/* One tap under four filters, whose weights are at these places. */
#define EBNN_TAP_OF_4(tap, fours_weights, of_0, of_1, of_2, of_3) \
    do {                                                          \
        const uint32_t x = ebnn_factor(values.x[tap], is_signed); \
        const uint32_t y = ebnn_factor(values.y[tap], is_signed); \
                                                                  \
        EBNN_TIMES((fours_weights)[of_0], x0, y0);                \
        EBNN_TIMES((fours_weights)[of_1], x1, y1);                \
        EBNN_TIMES((fours_weights)[of_2], x2, y2);                \
        EBNN_TIMES((fours_weights)[of_3], x3, y3);                \
    } while (0)

/* The same for tap `at` of four whose weights lie in their order, from tap `from` on. */
#define EBNN_TAP_AMONG_4(from, at, its)                                                              \
    EBNN_TAP_OF_4((from) + (at), its, EBNN_WEIGHT(at, 0u), EBNN_WEIGHT(at, 1u), EBNN_WEIGHT(at, 2u), \
                  EBNN_WEIGHT(at, 3u))
#define EBNN_TAPS_AMONG_4(from, its)     \
    do {                                 \
        EBNN_TAP_AMONG_4(from, 0u, its); \
        EBNN_TAP_AMONG_4(from, 1u, its); \
        EBNN_TAP_AMONG_4(from, 2u, its); \
        EBNN_TAP_AMONG_4(from, 3u, its); \
    } while (0)

#include "multiply_arm.h"

/* `patches` under four filters; sums: of the first patch; those of the second are `step` behind. */
EBNN_PART void ebnn_multiply_fours(ebnn_factors_t values, uint8_t patches, const uint8_t *weights, size_t taps,
                                   uint8_t is_signed, int32_t *sums, size_t step)
{
    const uint8_t *const fours = values.x + taps / 4u * 4u, *const end = values.x + taps;
    uint32_t x0 = values.x_start, x1 = x0, x2 = x0, x3 = x0;
    uint32_t y0 = values.y_start, y1 = y0, y2 = y0, y3 = y0;

#if defined(EBNN_OWN_FOURS)
    if (values.x != fours)
        EBNN_OWN_FOURS;
#else
    const uint8_t *const eights = values.x + taps / 8u * 8u;

    if (values.x != eights)
        do {
            EBNN_TAPS_AMONG_4(0u, weights);
            EBNN_TAPS_AMONG_4(4u, weights + 16);
            values.x += 8;
            values.y += 8;
            weights += 32;
        } while (values.x != eights);
    if (values.x != fours) {
        EBNN_TAPS_AMONG_4(0u, weights);
        values.x += 4;
        values.y += 4;
        weights += 16;
    }
#endif
    for (; values.x != end; values.x++, values.y++, weights += 4)
        EBNN_TAP_OF_4(0, weights, 0, 1, 2, 3);
    sums[0] = (int32_t)x0;
    sums[1] = (int32_t)x1;
    sums[2] = (int32_t)x2;
    sums[3] = (int32_t)x3;
    if (patches == 2u) {
        sums += step;
        sums[0] = (int32_t)y0;
        sums[1] = (int32_t)y1;
        sums[2] = (int32_t)y2;
        sums[3] = (int32_t)y3;
    }
}

/* One tap under one filter or two, whose weights are a filter apart. */
#define EBNN_TAP_OF_ROWS(tap)                                     \
    do {                                                          \
        const uint32_t x = ebnn_factor(values.x[tap], is_signed); \
        const uint32_t y = ebnn_factor(values.y[tap], is_signed); \
                                                                  \
        EBNN_TIMES(weights[tap], x0, y0);                         \
        if (filters == 2u)                                        \
            EBNN_TIMES(second[tap], x1, y1);                      \
    } while (0)

/* `patches` under one filter or two, whose weights follow each other. */
EBNN_PART void ebnn_multiply_rows(ebnn_factors_t values, uint8_t patches, uint8_t filters, const uint8_t *weights,
                                  size_t taps, uint8_t is_signed, int32_t *sums, size_t step)
{
    const uint8_t *const fours = values.x + taps / 4u * 4u, *const end = values.x + taps;
    const uint8_t *second = weights + taps;
    uint32_t x0 = values.x_start, x1 = x0, y0 = values.y_start, y1 = y0;

    if (values.x != fours) {
#if defined(EBNN_OWN_ROWS)
        EBNN_OWN_ROWS;
#else
        do {
            EBNN_TAP_OF_ROWS(0);
            EBNN_TAP_OF_ROWS(1);
            EBNN_TAP_OF_ROWS(2);
            EBNN_TAP_OF_ROWS(3);
            values.x += 4;
            values.y += 4;
            weights += 4;
            second += 4;
        } while (values.x != fours);
#endif
    }
    for (; values.x != end; values.x++, values.y++, weights++, second++)
        EBNN_TAP_OF_ROWS(0);
    sums[0] = (int32_t)x0;
    if (patches == 2u)
        sums[step] = (int32_t)y0;
    if (filters == 2u) {
        sums[1] = (int32_t)x1;
        if (patches == 2u)
            sums[step + 1u] = (int32_t)y1;
    }
}

/* `patches` under all filters. */
EBNN_PART void ebnn_multiply_all(const ebnn_filters_t *filters, ebnn_factors_t values, uint8_t patches,
                                 uint8_t is_signed, int32_t *sums)
{
    const size_t taps = filters->taps, step = filters->outputs;
    const uint8_t *weights = (const uint8_t *)filters->weights;
    uint16_t left = filters->outputs;

    for (; left >= 4u; left = (uint16_t)(left - 4u), sums += 4, weights += 4u * taps)
        ebnn_multiply_fours(values, patches, weights, taps, is_signed, sums, step);
    if (left & 2u) {
        ebnn_multiply_rows(values, patches, 2, weights, taps, is_signed, sums, step);
        sums += 2;
        weights += 2u * taps;
    }
    if (left & 1u)
        ebnn_multiply_rows(values, patches, 1, weights, taps, is_signed, sums, step);
}

EBNN_PART void ebnn_multiply_any(const ebnn_integer_t *layer, const ebnn_patch_t *patches, uint8_t count,
                                 uint8_t is_signed, int32_t *sums)
{
    const ebnn_filters_t *const filters = &layer->conv.filters;

    while (count > 0u) {
        ebnn_factors_t values;

        values.x = values.y = patches->values;
        values.x_start = values.y_start = 0u - 128u * ebnn_sum_values(values.x, filters->taps, is_signed);
        if (count == 2u && !EBNN_EIGHT_REGISTERS) {
            values.y = patches[1].values;
            values.y_start = 0u - 128u * ebnn_sum_values(values.y, filters->taps, is_signed);
            ebnn_multiply_all(filters, values, 2, is_signed, sums);
            return;
        }
        ebnn_multiply_all(filters, values, 1, is_signed, sums);
        sums += filters->outputs;
        patches++;
        count--;
    }
}

#endif
