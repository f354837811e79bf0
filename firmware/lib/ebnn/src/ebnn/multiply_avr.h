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

#define EBNN_AVR_WEIGHT EBNN_AVR_READ " %[w], Z+\n\t"
#define EBNN_AVR_TAP_2_2(mul)                                                                            \
    "ld %[a], X+\n\tld %[b], Y+\n\t" EBNN_AVR_WEIGHT mul("%[a]") EBNN_AVR_ADD("0") mul("%[b]")           \
        EBNN_AVR_ADD("2") EBNN_AVR_WEIGHT mul("%[a]") EBNN_AVR_ADD("1") mul("%[b]") EBNN_AVR_ADD("3")
#define EBNN_AVR_TAP_1_2(mul) \
    "ld %[a], X+\n\t" EBNN_AVR_WEIGHT mul("%[a]") EBNN_AVR_ADD("0") EBNN_AVR_WEIGHT mul("%[a]") EBNN_AVR_ADD("1")
#define EBNN_AVR_TAP_1_1(mul) "ld %[a], X+\n\t" EBNN_AVR_WEIGHT mul("%[a]") EBNN_AVR_ADD("0")

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
 * The sums of up to 256 taps: of two patches under two filters (first patch's two sums, then the second's), of one
 * under two, of one under one. They return the weights behind.
 */
#define EBNN_AVR_MULTIPLY(name, mul, widened)                                                                          \
    EBNN_INLINE const uint8_t *name##_2_2(const uint8_t *first, const uint8_t *second, const uint8_t *weights,         \
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
    EBNN_INLINE const uint8_t *name##_1_2(const uint8_t *first, const uint8_t *weights, uint16_t taps, uint32_t *sums) \
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
    EBNN_INLINE const uint8_t *name##_1_1(const uint8_t *first, const uint8_t *weights, uint16_t taps, uint32_t *sums) \
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
    }                                                                                                                  \
                                                                                                                       \
    /* Two patches under two filters, any number of taps; `extra`: what each patch's sums begin with. */               \
    EBNN_KERNEL void name##_pairs(const ebnn_filters_t *filters, const ebnn_patch_t *patches, const uint32_t *extra,   \
                                  int32_t *sums)                                                                       \
    {                                                                                                                  \
        const uint8_t *weights = (const uint8_t *)filters->weights;                                                    \
        int32_t *others = sums + filters->outputs, *const end = sums + filters->outputs / 2u * 2u;                     \
                                                                                                                       \
        for (; sums != end; sums += 2, others += 2) {                                                                  \
            const uint8_t *first = patches[0].values, *second = patches[1].values;                                     \
            uint32_t four[4];                                                                                          \
            size_t rest = filters->taps;                                                                               \
                                                                                                                       \
            four[0] = four[1] = extra[0];                                                                              \
            four[2] = four[3] = extra[1];                                                                              \
            for (;;) {                                                                                                 \
                const uint16_t few = rest < EBNN_AVR_CHUNK ? (uint16_t)rest : EBNN_AVR_CHUNK;                          \
                                                                                                                       \
                weights = name##_2_2(first, second, weights, few, four);                                               \
                rest -= few;                                                                                           \
                if (rest == 0u)                                                                                        \
                    break;                                                                                             \
                first += few;                                                                                          \
                second += few;                                                                                         \
            }                                                                                                          \
            sums[0] = (int32_t)four[0];                                                                                \
            sums[1] = (int32_t)four[1];                                                                                \
            others[0] = (int32_t)four[2];                                                                              \
            others[1] = (int32_t)four[3];                                                                              \
        }                                                                                                              \
    }                                                                                                                  \
                                                                                                                       \
    /* One patch, from filter `from` on, an even one. */                                                               \
    EBNN_KERNEL void name##_rest(const ebnn_filters_t *filters, const uint8_t *values, uint32_t extra, uint16_t from,  \
                                 int32_t *sums)                                                                        \
    {                                                                                                                  \
        const uint8_t *weights = (const uint8_t *)filters->weights + from * filters->taps;                             \
        uint16_t left = (uint16_t)(filters->outputs - from);                                                           \
                                                                                                                       \
        for (sums += from; left > 0u; left = (uint16_t)(left > 1u ? left - 2u : 0u), sums += 2) {                      \
            const uint8_t *first = values;                                                                             \
            uint32_t two[2];                                                                                           \
            size_t rest = filters->taps;                                                                               \
                                                                                                                       \
            two[0] = two[1] = extra;                                                                                   \
            while (rest > 0u) {                                                                                        \
                const uint16_t few = rest < EBNN_AVR_CHUNK ? (uint16_t)rest : EBNN_AVR_CHUNK;                          \
                                                                                                                       \
                weights = left > 1u ? name##_1_2(first, weights, few, two) : name##_1_1(first, weights, few, two);     \
                first += few;                                                                                          \
                rest -= few;                                                                                           \
            }                                                                                                          \
            sums[0] = (int32_t)two[0];                                                                                 \
            if (left > 1u)                                                                                             \
                sums[1] = (int32_t)two[1];                                                                             \
        }                                                                                                              \
    }

#define EBNN_AVR_CHUNK 256u /* taps whose sums fit 24 bits */

EBNN_AVR_MULTIPLY(ebnn_multiply_unsigned, EBNN_AVR_MUL, EBNN_AVR_UNSIGNED)
EBNN_AVR_MULTIPLY(ebnn_multiply_signed, EBNN_AVR_MULSU, EBNN_AVR_SIGNED)

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

/* The sums of one or two patches under all filters. */
EBNN_INLINE void ebnn_multiply_any(const ebnn_integer_t *layer, const ebnn_patch_t *patches, uint8_t count,
                                   uint8_t is_signed, int32_t *sums)
{
    const ebnn_filters_t *filters = &layer->conv.filters;
    uint16_t from = 0;
    uint32_t extra[2];
    uint8_t i;

    for (i = 0; i < count; i++)
        extra[i] = ebnn_multiply_extra(patches[i].values, filters->taps, is_signed);
    if (count == 2u) {
        if (is_signed)
            ebnn_multiply_signed_pairs(filters, patches, extra, sums);
        else
            ebnn_multiply_unsigned_pairs(filters, patches, extra, sums);
        from = (uint16_t)(filters->outputs / 2u * 2u);
    }
    for (i = 0; i < count && from != filters->outputs; i++, sums += filters->outputs) {
        if (is_signed)
            ebnn_multiply_signed_rest(filters, patches[i].values, extra[i], from, sums);
        else
            ebnn_multiply_unsigned_rest(filters, patches[i].values, extra[i], from, sums);
    }
}

#endif
#endif
