/*
 * Sums of bytes times weights of 8 bits. A weight lies in flash as weight + 128, so that loads and products are of
 * unsigned bytes; 128 times the sum of the values is taken off again. Sums are exact modulo 2^32, and fit.
 */
#ifndef EBNN_MULTIPLY_H
#define EBNN_MULTIPLY_H

#include "integer.h"

/* A value times a weight + 128, in 16 bits where an int has no more. */
EBNN_INLINE uint32_t ebnn_product(uint8_t value, uint8_t weight, uint8_t is_signed)
{
    return is_signed ? (uint32_t)(int32_t)(int16_t)((int16_t)(int8_t)value * (int16_t)weight)
                     : (uint32_t)(uint16_t)((uint16_t)value * (unsigned)weight);
}

#include "multiply_avr.h"

#if !defined(EBNN_OWN_MULTIPLY) && !EBNN_HAS_WORDS

/* On an AVR that cannot multiply: two filters side by side, and the last one alone. */
EBNN_INLINE void ebnn_multiply_any(const ebnn_integer_t *layer, const ebnn_patch_t *patches, uint8_t count,
                                   uint8_t is_signed, int32_t *sums)
{
    const ebnn_filters_t *filters = &layer->conv.filters;

    for (; count > 0u; count--, patches++) {
        const uint8_t *weights = (const uint8_t *)filters->weights;
        const uint32_t extra = 128u * (uint32_t)ebnn_total(patches->values, filters->taps, is_signed);
        uint16_t left = filters->outputs;

        while (left > 0u) {
            const uint8_t pair = left > 1u ? 2u : 1u;
            uint8_t i;

            for (i = 0; i < pair; i++) {
                uint32_t sum = 0;
                size_t tap;

                for (tap = 0; tap < filters->taps; tap++)
                    sum += ebnn_product(patches->values[tap], EBNN_READ_U8(weights + tap * pair + i), is_signed);
                *sums++ = (int32_t)(sum - extra);
            }
            weights += filters->taps * pair;
            left = (uint16_t)(left - pair);
        }
    }
}

#elif !defined(EBNN_OWN_MULTIPLY)

/* Adds the products of one patch with one filter, whose weights follow each other. */
EBNN_INLINE uint32_t ebnn_multiply_one(const uint8_t *values, const uint8_t *weights, size_t taps, uint8_t is_signed)
{
    uint32_t sum = 0;

    for (; taps > 0u; taps--)
        sum += ebnn_product(*values++, EBNN_READ_U8(weights++), is_signed);
    return sum;
}

/*
 * Adds the products of one patch with four filters. The weights of four taps are in the order that EBNN_WEIGHT says, so
 * that pairs of 16 bits can be made of words; taps behind them are in their order, each with its four filters.
 */
#define EBNN_WEIGHT(tap, filter) ((tap) % 2u * 8u + (filter) / 2u * 4u + (tap) / 2u * 2u + (filter) % 2u)

EBNN_INLINE void ebnn_multiply_four(const uint8_t *values, const uint8_t *weights, size_t taps, uint8_t is_signed,
                                    uint32_t *sums)
{
    uint8_t tap, filter;

    for (filter = 0; filter < 4u; filter++)
        sums[filter] = 0;
    for (; taps >= 4u; taps -= 4u, values += 4, weights += 16)
        for (tap = 0; tap < 4u; tap++)
            for (filter = 0; filter < 4u; filter++)
                sums[filter] += ebnn_product(values[tap], EBNN_READ_U8(weights + EBNN_WEIGHT(tap, filter)), is_signed);
    for (; taps > 0u; taps--, values++)
        for (filter = 0; filter < 4u; filter++)
            sums[filter] += ebnn_product(*values, EBNN_READ_U8(weights++), is_signed);
}

EBNN_INLINE void ebnn_multiply_any(const ebnn_integer_t *layer, const ebnn_patch_t *patches, uint8_t count,
                                   uint8_t is_signed, int32_t *sums)
{
    const ebnn_filters_t *filters = &layer->conv.filters;
    uint8_t i, j;

    for (i = 0; i < count; i++) {
        const uint8_t *values = patches[i].values;
        const uint8_t *weights = (const uint8_t *)filters->weights;
        const uint32_t extra = 128u * (uint32_t)ebnn_total(values, filters->taps, is_signed);
        uint16_t left = filters->outputs;

        for (; left >= 4u; left = (uint16_t)(left - 4u), weights += 4u * filters->taps) {
            uint32_t four[4];

            ebnn_multiply_four(values, weights, filters->taps, is_signed, four);
            for (j = 0; j < 4u; j++)
                *sums++ = (int32_t)(four[j] - extra);
        }
        for (; left > 0u; left--, weights += filters->taps)
            *sums++ = (int32_t)(ebnn_multiply_one(values, weights, filters->taps, is_signed) - extra);
    }
}

#endif

/* Values of 0 to 255. */
EBNN_KERNEL void ebnn_multiply(const ebnn_integer_t *layer, const ebnn_patch_t *patches, uint8_t count, int32_t *sums)
{
    ebnn_multiply_any(layer, patches, count, 0, sums);
}

/* Values of −128 to 127. */
EBNN_KERNEL void ebnn_multiply_signed(const ebnn_integer_t *layer, const ebnn_patch_t *patches, uint8_t count,
                                      int32_t *sums)
{
    ebnn_multiply_any(layer, patches, count, 1, sums);
}

#endif
