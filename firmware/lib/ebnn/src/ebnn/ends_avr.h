/*
 * Requantization on AVR: a sum of 32 bits times a multiplier of 16, of which the product's upper 32 bits are shifted.
 */
#ifndef EBNN_ENDS_AVR_H
#define EBNN_ENDS_AVR_H

#include "port.h"

#if defined(__AVR_HAVE_MUL__)
#define EBNN_OWN_REQUANTIZE

/* Adds the product in r1:r0 to bytes p, q of the whole; a signed one's sign, mulsu's carry, goes to those above. */
#define EBNN_AVR_PRODUCT(p, q) "sbc %[t], %[t]\n\tadd " p ", r0\n\tadc " q ", r1\n\t"

/*
 * clamp((sum · multiplier / 2^16 + 2^(shift − 1)) >> shift, low, high), shift 1 to 31. About 120 cycles.
 * The whole has bytes 1 to 5, of which byte 1 only carries. Bytes are shifted while more than eight bits are left, then
 * bits; the last one that leaves is the rounding's. r16 to r23 ("a"), which mulsu needs, hold the factors.
 */
EBNN_INLINE uint8_t ebnn_requantize(int32_t sum, int16_t multiplier, uint8_t shift, int16_t low, int16_t high)
{
    uint16_t middle, upper; /* bytes 2 and 3, 4 and 5 */
    uint8_t carry, t;

    __asm__("clr %[t]\n\t"
            "mul %A[s], %A[m]\n\t"
            "mov %[c], r1\n\t"
            "mul %C[s], %A[m]\n\t"
            "movw %[p], r0\n\t"
            "muls %D[s], %B[m]\n\t"
            "movw %[q], r0\n\t"
            "mul %B[s], %A[m]\n\t"
            "add %[c], r0\n\t"
            "adc %A[p], r1\n\t"
            "adc %B[p], %[t]\n\t"
            "adc %A[q], %[t]\n\t"
            "adc %B[q], %[t]\n\t"
            "mulsu %B[m], %A[s]\n\t" EBNN_AVR_PRODUCT("%[c]", "%A[p]") /* bytes 1, 2 */
            "adc %B[p], %[t]\n\t"
            "adc %A[q], %[t]\n\t"
            "adc %B[q], %[t]\n\t"
            "mulsu %B[m], %B[s]\n\t" EBNN_AVR_PRODUCT("%A[p]", "%B[p]") /* 2, 3 */
            "adc %A[q], %[t]\n\t"
            "adc %B[q], %[t]\n\t"
            "mulsu %B[m], %C[s]\n\t" EBNN_AVR_PRODUCT("%B[p]", "%A[q]") /* 3, 4 */
            "adc %B[q], %[t]\n\t"
            "mulsu %D[s], %A[m]\n\t" EBNN_AVR_PRODUCT("%B[p]", "%A[q]") /* 3, 4 */
            "adc %B[q], %[t]\n"
            "1:\n\t"
            "cpi %[n], 9\n\t"
            "brlo 2f\n\t"
            "mov %A[p], %B[p]\n\t"
            "mov %B[p], %A[q]\n\t"
            "mov %A[q], %B[q]\n\t"
            "lsl %B[q]\n\t"
            "sbc %B[q], %B[q]\n\t"
            "subi %[n], 8\n\t"
            "rjmp 1b\n"
            "2:\n\t"
            "asr %B[q]\n\t"
            "ror %A[q]\n\t"
            "ror %B[p]\n\t"
            "ror %A[p]\n\t"
            "dec %[n]\n\t"
            "brne 2b\n\t"
            "clr __zero_reg__\n\t"
            "adc %A[p], __zero_reg__\n\t"
            "adc %B[p], __zero_reg__\n\t"
            "adc %A[q], __zero_reg__\n\t"
            "adc %B[q], __zero_reg__\n\t"
            "mov %[t], %B[low]\n\t"
            "lsl %[t]\n\t"
            "sbc %[t], %[t]\n\t"
            "cp %A[p], %A[low]\n\t"
            "cpc %B[p], %B[low]\n\t"
            "cpc %A[q], %[t]\n\t"
            "cpc %B[q], %[t]\n\t"
            "brge 3f\n\t"
            "mov %A[p], %A[low]\n\t"
            "rjmp 4f\n"
            "3:\n\t"
            "mov %[t], %B[high]\n\t"
            "lsl %[t]\n\t"
            "sbc %[t], %[t]\n\t"
            "cp %A[high], %A[p]\n\t"
            "cpc %B[high], %B[p]\n\t"
            "cpc %[t], %A[q]\n\t"
            "cpc %[t], %B[q]\n\t"
            "brge 4f\n\t"
            "mov %A[p], %A[high]\n"
            "4:"
            : [p] "=&l"(middle), [q] "=&l"(upper), [c] "=&l"(carry), [t] "=&l"(t), [n] "+&d"(shift)
            : [s] "a"(sum), [m] "a"(multiplier), [low] "l"(low), [high] "l"(high));
    return (uint8_t)middle;
}

#endif
#endif
