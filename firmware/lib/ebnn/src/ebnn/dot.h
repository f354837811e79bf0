/*
 * Dot products of activations with ±1 weights in flash: acc = n − 2·popcount(a xor w) over bits, and for bytes
 * acc = 2·(sum of the values whose weight is +1) − (sum of all values).
 */
#ifndef EBNN_DOT_H
#define EBNN_DOT_H

#if defined(__AVR__)
#include "count_avr.h"
#else
#include "count.h"
#endif

/* What the values of an input are. */
#define EBNN_BITS 0u
#define EBNN_UINT8 1u
#define EBNN_INT8 2u
#define EBNN_FLOAT 3u

/* Filters whose weights lie word beside word, where they do: word w of filter j of a group is 4 · w + j of its
 * words. */
#define EBNN_GROUP 4u

/* Words whose mismatches a uint16_t can count. */
#define EBNN_MOST_WORDS 2047u

/* Filters: all that is multiplied with one input, or with one patch of it. */
typedef struct {
    size_t taps;             /* values that a filter adds up */
    size_t words;            /* of one filter's weights */
    uint16_t outputs;        /* filters */
    uint8_t kind;            /* of the input */
    uint8_t threshold_bytes; /* 2: thresholds are int16_t, 4: int32_t */
    uint8_t half;            /* 1 where only the lower half of a filter's last word is used */
    const uint32_t *weights; /* outputs × words */
    const void *thresholds;  /* outputs; of the integer arithmetic's blocks */
} ebnn_filters_t;

/* Sum of `count` bytes. */
EBNN_INLINE int32_t ebnn_total(const uint8_t *values, size_t count, uint8_t is_signed)
{
    int32_t total = 0;
    size_t i;

    for (i = 0; i < count; i++)
        total += is_signed ? (int32_t)(int8_t)values[i] : (int32_t)values[i];
    return total;
}

/* Sum of up to 8 bytes whose bit of `weights` is 1, added to `sum`. */
EBNN_INLINE int16_t ebnn_sum_eight(const uint8_t *values, const uint8_t *end, uint8_t weights, uint8_t is_signed,
                                   int16_t sum)
{
    for (; values != end; values++, weights = (uint8_t)(weights >> 1))
        if (weights & 1u)
            sum = (int16_t)(sum + (is_signed ? (int16_t)(int8_t)*values : (int16_t)*values));
    return sum;
}

/* Sum of `count` bytes whose weight is +1. */
EBNN_KERNEL int32_t ebnn_sum_bytes(const uint8_t *values, const uint32_t *weights, size_t count, uint8_t is_signed)
{
    const uint8_t *in_flash = (const uint8_t *)weights;
    int32_t sum = 0;

    while (count > 0) {
        const size_t few = count < 128u ? count : 128u; /* their sum fits 16 bits */
        const uint8_t *end = values + few;
        int16_t part = 0;

        for (; end - values >= 8; values += 8)
            part = ebnn_sum_eight(values, values + 8, EBNN_READ_U8(in_flash++), is_signed, part);
        if (values != end)
            part = ebnn_sum_eight(values, end, EBNN_READ_U8(in_flash++), is_signed, part);
        values = end;
        sum += part;
        count -= few;
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
