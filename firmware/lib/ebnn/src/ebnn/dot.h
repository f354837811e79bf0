/*
 * Dot products of activations with ±1 weights in flash: acc = n − 2·popcount(a xor w) over bits, and for bytes
 * acc = 2·(sum of the values whose weight is +1) − (sum of all values).
 */
#ifndef EBNN_DOT_H
#define EBNN_DOT_H

#include "bits.h"

/* Mismatches between `bytes` bytes of bits in RAM, of any alignment, and weights. */
EBNN_KERNEL uint32_t ebnn_mismatches(const uint8_t *bits, const uint32_t *weights, size_t bytes)
{
    uint32_t count = 0;
    size_t i = 0;

#if !defined(__AVR__)
    if ((uintptr_t)bits % 4u == 0u) { /* all but a sample of bits that the caller holds at an odd place */
        const uint8_t *aligned = (const uint8_t *)EBNN_WORD_ALIGNED(bits);

        for (; i + 4u <= bytes; i += 4u) {
            uint32_t word;

            memcpy(&word, aligned + i, 4u);
            count += ebnn_popcount32(word ^ EBNN_READ_U32(weights + i / 4u));
        }
    }
#endif
    for (; i < bytes; i++)
        count += ebnn_popcount8((uint8_t)(bits[i] ^ EBNN_READ_U8((const uint8_t *)weights + i)));
    return count;
}

/* The same, of the bits that are 1 in `mask`. */
EBNN_KERNEL uint32_t ebnn_masked_mismatches(const uint8_t *bits, const uint8_t *mask, const uint32_t *weights,
                                            size_t bytes)
{
    uint32_t count = 0;
    size_t i;

    for (i = 0; i < bytes; i++)
        count += ebnn_popcount8((uint8_t)((bits[i] ^ EBNN_READ_U8((const uint8_t *)weights + i)) & mask[i]));
    return count;
}

/* Sum of `count` bytes whose weight is +1. */
EBNN_KERNEL int32_t ebnn_sum_bytes(const uint8_t *values, const uint32_t *weights, size_t count, uint8_t is_signed)
{
    int32_t sum = 0;
    uint32_t word = 0;
    size_t i;

    for (i = 0; i < count; i++) {
        word = i % 32u == 0u ? EBNN_READ_U32(weights + i / 32u) : word >> 1;
        if (word & 1u)
            sum += is_signed ? (int32_t)(int8_t)values[i] : (int32_t)values[i];
    }
    return sum;
}

/* Dot product of floats, added one after the other in the order of memory. */
EBNN_KERNEL float ebnn_dot_float(const float *values, const uint32_t *weights, size_t count)
{
    float sum = 0.0f;
    uint32_t word = 0;
    size_t i;

    for (i = 0; i < count; i++) {
        word = i % 32u == 0u ? EBNN_READ_U32(weights + i / 32u) : word >> 1;
        if (word & 1u)
            sum += values[i];
        else
            sum -= values[i];
    }
    return sum;
}

#endif
