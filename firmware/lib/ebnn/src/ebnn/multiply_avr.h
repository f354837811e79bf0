/*
 * Products of bytes with weights + 128 on AVR. X and Y read patches in RAM, Z reads weights in flash, those of two
 * filters side by side. The sum of up to 256 products fits 24 bits, unsigned or signed.
 *
 * Cycles a tap: two patches under two filters 30 (ld 2 · 2, lpm 2 · 3, four times mul 2, add, adc, adc 3), so 7.5 a
 * product; one patch under two filters 18, so 9; one under one 10. Of signed values one more a product, for its sign. A
 * turn of four taps takes 4 more, each of the last, fewer than four, 3.
 *
 * Y, which may be the frame pointer, is saved in the assembly; operands are kept off it by the constraints "l" (r2 to
 * r15), "a" (r16 to r23, which mulsu needs), "x" and "z".
 */
#ifndef EBNN_MULTIPLY_AVR_H
#define EBNN_MULTIPLY_AVR_H

#include "integer.h"

#if defined(__AVR_HAVE_MUL__)
#define EBNN_OWN_MULTIPLY

/* Of a product by the weight in `w`, what its third byte is: `sign` stays 0 for unsigned values; mulsu's carry is the
 * sign, and makes 0 or −1 of it. */
#define EBNN_AVR_MUL(value) "mul " value ", %[w]\n\t"
#define EBNN_AVR_MULSU(value) "mulsu " value ", %[w]\n\tsbc %[sign], %[sign]\n\t"

/* Sum `n`, in three registers: cleared, and with a product added. */
#define EBNN_AVR_CLEAR(n) "clr %A[low" n "]\n\tclr %B[low" n "]\n\tclr %[high" n "]\n\t"
#define EBNN_AVR_ADD(n) "add %A[low" n "], r0\n\tadc %B[low" n "], r1\n\tadc %[high" n "], %[sign]\n\t"

#define EBNN_AVR_TAP_2_2(mul)                                                                   \
    "ld %[a], X+\n\tld %[b], Y+\n\tlpm %[w], Z+\n\t" mul("%[a]") EBNN_AVR_ADD("0") mul("%[b]")  \
        EBNN_AVR_ADD("2") "lpm %[w], Z+\n\t" mul("%[a]") EBNN_AVR_ADD("1") mul("%[b]") EBNN_AVR_ADD("3")
#define EBNN_AVR_TAP_1_2(mul) \
    "ld %[a], X+\n\tlpm %[w], Z+\n\t" mul("%[a]") EBNN_AVR_ADD("0") "lpm %[w], Z+\n\t" mul("%[a]") EBNN_AVR_ADD("1")
#define EBNN_AVR_TAP_1_1(mul) "ld %[a], X+\n\tlpm %[w], Z+\n\t" mul("%[a]") EBNN_AVR_ADD("0")

/* A tap as often as four times `fours`, and `ones`, say. */
#define EBNN_AVR_TAPS(tap)                      \
    "clr %[sign]\n\t"                           \
    "tst %[fours]\n\t"                          \
    "brne 1f\n\t"                               \
    "rjmp 2f\n"                                 \
    "1:\n\t" tap tap tap tap "dec %[fours]\n\t" \
    "breq 2f\n\t"                               \
    "rjmp 1b\n"                                 \
    "2:\n\t"                                    \
    "tst %[ones]\n\t"                           \
    "breq 4f\n"                                 \
    "3:\n\t" tap "dec %[ones]\n\t"              \
    "brne 3b\n"                                 \
    "4:\n\t"                                    \
    "clr __zero_reg__\n\t"

#define EBNN_AVR_SUM(n) [low##n] "=&l"(low##n), [high##n] "=&l"(high##n)
#define EBNN_AVR_COUNTS \
    [fours] "+&a"(fours), [ones] "+&a"(ones), [a] "=&a"(a), [w] "=&a"(w), [sign] "=&a"(sign)

/* A sum's three bytes in 32 bits. */
#define EBNN_AVR_UNSIGNED(low, high) ((uint32_t)(low) | (uint32_t)(high) << 16)
#define EBNN_AVR_SIGNED(low, high) ((uint32_t)(low) | (uint32_t)(int32_t)(int8_t)(high) << 16)

/*
 * The functions that add to `sums` what up to 256 taps give: of two patches under two filters (first patch's two sums,
 * then the second's), of one under two, of one under one. They return the weights behind.
 */
#define EBNN_AVR_MULTIPLY(name, mul, widened)                                                                          \
    EBNN_KERNEL const uint8_t *name##_2_2(const uint8_t *first, const uint8_t *second, const uint8_t *weights,         \
                                          uint16_t taps, uint32_t *sums)                                               \
    {                                                                                                                  \
        uint16_t low0, low1, low2, low3;                                                                               \
        uint8_t high0, high1, high2, high3, fours = (uint8_t)(taps / 4u), ones = taps % 4u, a, b, w, sign;             \
                                                                                                                       \
        __asm__ __volatile__("push r28\n\tpush r29\n\tmovw r28, %[second]\n\t" EBNN_AVR_CLEAR("0")                     \
                                 EBNN_AVR_CLEAR("1") EBNN_AVR_CLEAR("2") EBNN_AVR_CLEAR("3")                           \
                                     EBNN_AVR_TAPS(EBNN_AVR_TAP_2_2(mul)) "pop r29\n\tpop r28\n\t"                     \
                             : "+&x"(first), "+&z"(weights), EBNN_AVR_SUM(0), EBNN_AVR_SUM(1), EBNN_AVR_SUM(2),        \
                               EBNN_AVR_SUM(3), EBNN_AVR_COUNTS, [b] "=&a"(b)                                          \
                             : [second] "a"(second)                                                                    \
                             : "memory");                                                                              \
        sums[0] += widened(low0, high0);                                                                               \
        sums[1] += widened(low1, high1);                                                                               \
        sums[2] += widened(low2, high2);                                                                               \
        sums[3] += widened(low3, high3);                                                                               \
        return weights;                                                                                                \
    }                                                                                                                  \
                                                                                                                       \
    EBNN_KERNEL const uint8_t *name##_1_2(const uint8_t *first, const uint8_t *weights, uint16_t taps, uint32_t *sums) \
    {                                                                                                                  \
        uint16_t low0, low1;                                                                                           \
        uint8_t high0, high1, fours = (uint8_t)(taps / 4u), ones = taps % 4u, a, w, sign;                              \
                                                                                                                       \
        __asm__ __volatile__(EBNN_AVR_CLEAR("0") EBNN_AVR_CLEAR("1") EBNN_AVR_TAPS(EBNN_AVR_TAP_1_2(mul))              \
                             : "+&x"(first), "+&z"(weights), EBNN_AVR_SUM(0), EBNN_AVR_SUM(1), EBNN_AVR_COUNTS         \
                             :                                                                                         \
                             : "memory");                                                                              \
        sums[0] += widened(low0, high0);                                                                               \
        sums[1] += widened(low1, high1);                                                                               \
        return weights;                                                                                                \
    }                                                                                                                  \
                                                                                                                       \
    EBNN_KERNEL const uint8_t *name##_1_1(const uint8_t *first, const uint8_t *weights, uint16_t taps, uint32_t *sums) \
    {                                                                                                                  \
        uint16_t low0;                                                                                                 \
        uint8_t high0, fours = (uint8_t)(taps / 4u), ones = taps % 4u, a, w, sign;                                     \
                                                                                                                       \
        __asm__ __volatile__(EBNN_AVR_CLEAR("0") EBNN_AVR_TAPS(EBNN_AVR_TAP_1_1(mul))                                  \
                             : "+&x"(first), "+&z"(weights), EBNN_AVR_SUM(0), EBNN_AVR_COUNTS                          \
                             :                                                                                         \
                             : "memory");                                                                              \
        sums[0] += widened(low0, high0);                                                                               \
        return weights;                                                                                                \
    }

EBNN_AVR_MULTIPLY(ebnn_multiply_unsigned, EBNN_AVR_MUL, EBNN_AVR_UNSIGNED)
EBNN_AVR_MULTIPLY(ebnn_multiply_signed, EBNN_AVR_MULSU, EBNN_AVR_SIGNED)

#define EBNN_AVR_CHUNK 256u /* taps whose sums fit 24 bits */

/* Minus 128 times the sum of a patch's values. 6 cycles a byte; those of signed ones are made unsigned, 128 more. */
EBNN_KERNEL uint32_t ebnn_multiply_extra(const uint8_t *values, size_t taps, uint8_t is_signed)
{
    const uint8_t flip = is_signed ? 0x80u : 0u;
    uint32_t total = is_signed ? 0u - 128u * (uint32_t)taps : 0u;

    while (taps > 0u) {
        const uint16_t few = taps < EBNN_AVR_CHUNK ? (uint16_t)taps : EBNN_AVR_CHUNK;
        uint8_t fours = (uint8_t)(few / 4u), ones = few % 4u, a, sign;
        uint16_t sum;

        __asm__ __volatile__("clr %A[sum]\n\tclr %B[sum]\n\t" EBNN_AVR_TAPS(
                                 "ld %[a], X+\n\teor %[a], %[flip]\n\tadd %A[sum], %[a]\n\tadc %B[sum], %[sign]\n\t")
                             : "+&x"(values), [sum] "=&r"(sum), [fours] "+&a"(fours), [ones] "+&a"(ones),
                               [a] "=&a"(a), [sign] "=&a"(sign)
                             : [flip] "a"(flip)
                             : "memory");
        total += sum;
        taps -= few;
    }
    return 0u - 128u * total;
}

/* The sums of one or two patches under all filters, two filters at a time. */
EBNN_INLINE void ebnn_multiply_any(const ebnn_integer_t *layer, const ebnn_patch_t *patches, uint8_t count,
                                   uint8_t is_signed, int32_t *sums)
{
    const uint16_t outputs = layer->conv.filters.outputs;
    const size_t taps = layer->conv.filters.taps;
    const uint8_t *weights = (const uint8_t *)layer->conv.filters.weights;
    uint32_t extra[2], four[4];
    uint16_t left;
    uint8_t i, pair;

    for (i = 0; i < count; i++)
        extra[i] = ebnn_multiply_extra(patches[i].values, taps, is_signed);
    for (left = outputs; left > 0u; left = (uint16_t)(left - pair), sums += pair) {
        const uint8_t *first = patches[0].values, *second = patches[1].values;
        size_t rest = taps;

        pair = left > 1u ? 2u : 1u;
        four[0] = four[1] = extra[0];
        if (count > 1u)
            four[2] = four[3] = extra[1];
        while (rest > 0u) {
            const uint16_t few = rest < EBNN_AVR_CHUNK ? (uint16_t)rest : EBNN_AVR_CHUNK;
            const uint8_t *from = weights;

            if (pair == 2u && count == 2u) {
                weights = is_signed ? ebnn_multiply_signed_2_2(first, second, from, few, four)
                                    : ebnn_multiply_unsigned_2_2(first, second, from, few, four);
            } else if (pair == 2u) {
                weights = is_signed ? ebnn_multiply_signed_1_2(first, from, few, four)
                                    : ebnn_multiply_unsigned_1_2(first, from, few, four);
            } else {
                weights = is_signed ? ebnn_multiply_signed_1_1(first, from, few, four)
                                    : ebnn_multiply_unsigned_1_1(first, from, few, four);
                if (count == 2u) {
                    if (is_signed)
                        ebnn_multiply_signed_1_1(second, from, few, four + 2);
                    else
                        ebnn_multiply_unsigned_1_1(second, from, few, four + 2);
                }
            }
            first += few;
            second += few;
            rest -= few;
        }
        for (i = 0; i < pair; i++) {
            sums[i] = (int32_t)four[i];
            if (count > 1u)
                sums[outputs + i] = (int32_t)four[2u + i];
        }
    }
}

#endif
#endif
