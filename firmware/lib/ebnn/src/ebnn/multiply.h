/*
 * Sums of bytes times weights of 8 bits. A weight lies in flash as weight + 128, so that loads and products are of
 * unsigned bytes; 128 times the sum of the values is taken off again. Sums are exact modulo 2^32, and fit.
 */
#ifndef EBNN_MULTIPLY_H
#define EBNN_MULTIPLY_H

#include "integer.h"

#if EBNN_LANES == 2

#include "multiply_words.h"

/* Values are factors as they are. */
#define ebnn_find_factors ebnn_find_bytes
#define ebnn_find_factors_here ebnn_find_all
#define ebnn_find_signs_as_factors ebnn_find_signs

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

#else

#include "multiply_avr.h"

/* Factors of either kind are unsigned. */
#define ebnn_multiply_signed ebnn_multiply

#endif

#endif
