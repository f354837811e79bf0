/*
 * Dot products of activations with ±1 weights in flash: acc = n − 2·popcount(a xor w) over bits, and for bytes
 * acc = 2·(sum of the values whose weight is +1) − (sum of all values).
 */
#ifndef EBNN_DOT_H
#define EBNN_DOT_H

#include "bits.h"

#if defined(__AVR__)

/* Mismatches in `quads` times four bytes, at least one: 52 cycles each. Moves both pointers behind them. */
EBNN_INLINE uint16_t ebnn_mismatches_quads(const uint8_t **bits, const uint8_t **weights, uint8_t quads)
{
    uint16_t count = 0;
    uint8_t a, b, c, d, low, high;

    __asm__("1:\n\t"
            "ld %[a], X+\n\t"
            "lpm __tmp_reg__, Z+\n\t"
            "eor %[a], __tmp_reg__\n\t"
            "ld %[b], X+\n\t"
            "lpm __tmp_reg__, Z+\n\t"
            "eor %[b], __tmp_reg__\n\t"
            "ld %[c], X+\n\t"
            "lpm __tmp_reg__, Z+\n\t"
            "eor %[c], __tmp_reg__\n\t"
            "ld %[d], X+\n\t"
            "lpm __tmp_reg__, Z+\n\t"
            "eor %[d], __tmp_reg__\n\t"
            "mov %[low], r30\n\t"
            "mov %[high], r31\n\t"
            "ldi r31, hi8(%[ones])\n\t"
            "mov r30, %[a]\n\t"
            "lpm %[a], Z\n\t"
            "mov r30, %[b]\n\t"
            "lpm __tmp_reg__, Z\n\t"
            "add %[a], __tmp_reg__\n\t"
            "mov r30, %[c]\n\t"
            "lpm __tmp_reg__, Z\n\t"
            "add %[a], __tmp_reg__\n\t"
            "mov r30, %[d]\n\t"
            "lpm __tmp_reg__, Z\n\t"
            "add %[a], __tmp_reg__\n\t"
            "add %A[count], %[a]\n\t"
            "adc %B[count], __zero_reg__\n\t"
            "mov r30, %[low]\n\t"
            "mov r31, %[high]\n\t"
            "dec %[quads]\n\t"
            "brne 1b\n\t"
            : "+x"(*bits), "+z"(*weights), [count] "+r"(count), [quads] "+r"(quads), [a] "=&r"(a), [b] "=&r"(b),
              [c] "=&r"(c), [d] "=&r"(d), [low] "=&r"(low), [high] "=&r"(high)
            : [ones] "i"(ebnn_ones)
            : "memory");
    return count;
}

/* Mismatches between `bytes` bytes of bits in RAM, of any alignment, and weights. */
EBNN_KERNEL size_t ebnn_mismatches(const uint8_t *bits, const uint32_t *weights, size_t bytes)
{
    const uint8_t *in_flash = (const uint8_t *)weights;
    size_t count = 0;

    while (bytes >= 4u) {
        const uint8_t quads = (uint8_t)(bytes < 1020u ? bytes / 4u : 255u);

        count += ebnn_mismatches_quads(&bits, &in_flash, quads);
        bytes -= (size_t)quads * 4u;
    }
    for (; bytes > 0u; bytes--)
        count += ebnn_popcount8((uint8_t)(*bits++ ^ EBNN_READ_U8(in_flash++)));
    return count;
}

/* The same of whole words, of the bits that are 1 in `mask`. */
EBNN_KERNEL size_t ebnn_masked_mismatches(const uint8_t *bits, const uint8_t *mask, const uint32_t *weights,
                                          size_t words)
{
    const uint8_t *in_flash = (const uint8_t *)weights;
    const uint8_t *end = bits + 4u * words;
    size_t count = 0;

    while (bits != end)
        count += ebnn_popcount8((uint8_t)((*bits++ ^ EBNN_READ_U8(in_flash++)) & *mask++));
    return count;
}

#else

/* Full adders, one for each bit: leaves the sum in `*sum`, returns the carry. */
EBNN_INLINE uint32_t ebnn_add_carry(uint32_t *sum, uint32_t a, uint32_t b)
{
    const uint32_t half = *sum ^ a;
    const uint32_t carry = (*sum & a) | (half & b);

    *sum = half ^ b;
    return carry;
}

/* A word of bits, word-aligned, against one of weights. */
#define EBNN_MISMATCH(bits, weights, at) (ebnn_load_word((bits) + 4u * (at)) ^ EBNN_READ_U32((weights) + (at)))

/*
 * Mismatches between `bytes` bytes of bits in RAM, of any alignment, and weights. Eight words at a time go through full
 * adders, bit by bit, so that one in eight is counted (Harley and Seal, in Warren, Hacker's Delight, 2nd ed., 5-1).
 */
EBNN_KERNEL size_t ebnn_mismatches(const uint8_t *bits, const uint32_t *weights, size_t bytes)
{
    size_t count = 0;

    if ((uintptr_t)bits % 4u == 0u) { /* all but a sample of bits that the caller holds at an odd place */
        if (bytes >= 32u) {
            uint32_t ones = 0, twos = 0, fours = 0;

            for (; bytes >= 32u; bytes -= 32u, bits += 32, weights += 8) {
                uint32_t a = ebnn_add_carry(&ones, EBNN_MISMATCH(bits, weights, 0), EBNN_MISMATCH(bits, weights, 1));
                uint32_t b = ebnn_add_carry(&ones, EBNN_MISMATCH(bits, weights, 2), EBNN_MISMATCH(bits, weights, 3));
                uint32_t c = ebnn_add_carry(&twos, a, b);

                a = ebnn_add_carry(&ones, EBNN_MISMATCH(bits, weights, 4), EBNN_MISMATCH(bits, weights, 5));
                b = ebnn_add_carry(&ones, EBNN_MISMATCH(bits, weights, 6), EBNN_MISMATCH(bits, weights, 7));
                count += ebnn_popcount32(ebnn_add_carry(&fours, c, ebnn_add_carry(&twos, a, b)));
            }
            count = 8u * count + 4u * ebnn_popcount32(fours) + 2u * ebnn_popcount32(twos) + ebnn_popcount32(ones);
        }
        for (; bytes >= 4u; bytes -= 4u, bits += 4, weights++)
            count += ebnn_popcount32(EBNN_MISMATCH(bits, weights, 0));
    }
    if (bytes > 0u) {
        const uint8_t *rest = (const uint8_t *)weights;

        for (; bytes > 0u; bytes--)
            count += ebnn_popcount8((uint8_t)(*bits++ ^ EBNN_READ_U8(rest++)));
    }
    return count;
}

/* The same of whole words, word-aligned, of the bits that are 1 in `mask`. */
EBNN_KERNEL size_t ebnn_masked_mismatches(const uint8_t *bits, const uint8_t *mask, const uint32_t *weights,
                                          size_t words)
{
    size_t count = 0;
    size_t i;

    for (i = 0; i < words; i++)
        count += ebnn_popcount32(EBNN_MISMATCH(bits, weights, i) & ebnn_load_word(mask + 4u * i));
    return count;
}

#endif

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
