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

#if EBNN_LANES == 2
#include "multiply_words.h"
#else
#include "multiply_avr.h"
#endif

#if EBNN_LANES == 1 && !defined(EBNN_OWN_MULTIPLY)

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
