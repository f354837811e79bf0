/*
 * Mismatching bits on AVR, a byte at a time: xor, then the table of ones in bits.h.
 *
 * Bits and masks lie in RAM, of any alignment, weights in flash. Z reads the weights. With EBNN_ONES_IN_RAM, Y reads
 * the table, 7 cycles a byte: lpm 3, eor 1, ld 2, add 1. Without, Z reads the table as well, 9 cycles a byte: mov 1 and
 * lpm 3 in place of ld 2, and 2 or 3 for each 4 or 8 bytes to turn Z to the table and back. With a mask, Y reads the
 * mask and Z the rest. Y, which may be the frame pointer, is saved in the assembly; operands are kept off it by the
 * constraints "a" (r16 to r23), "x" and "z".
 *
 * Loops end where X has passed the last word: its low byte is compared at each, its high byte where the low is equal.
 */
#ifndef EBNN_COUNT_AVR_H
#define EBNN_COUNT_AVR_H

#include "bits.h"

#if defined(__AVR__)

/* ZL holds a byte, ZH the table's page: its ones to register `to`. */
#if defined(EBNN_ONES_IN_RAM)
#define EBNN_AVR_ONES(to) "ld " to ", Z\n\t"
#else
#define EBNN_AVR_ONES(to) "lpm " to ", Z\n\t"
#endif

/* With the table's page in YH: the ones of the next weight byte xor `bits` to register `to`, or added to `sum`. */
#define EBNN_AVR_NEXT(bits, to) EBNN_AVR_READ " r28, Z+\n\teor r28, " bits "\n\tld " to ", Y\n\t"
#define EBNN_AVR_ADD_NEXT(bits, sum) EBNN_AVR_NEXT(bits, "r28") "add " sum ", r28\n\t"

/* Adds a sum to a count. */
#define EBNN_AVR_COUNT(low, high, sum) "add " low ", " sum "\n\tadc " high ", r1\n\t"

#define EBNN_AVR_PUSH_Y "push r28\n\tpush r29\n\t"
#define EBNN_AVR_POP_Y "pop r29\n\tpop r28\n\t"

/* Back to label 1 until X is at the end; the label may be far. */
#define EBNN_AVR_LOOP "cpse r26, %A[end]\n\trjmp 1b\n\tcpse r27, %B[end]\n\trjmp 1b\n\t"

/*
 * Counts the mismatches of one filter; `skip` moves Z from one of its words to the next.
 * Table in RAM: 40 cycles a word, 10 a byte. Table in flash: 47 and 11.75.
 */
#if defined(EBNN_ONES_IN_RAM)
#define EBNN_AVR_ADD_BYTE "ld r0, X+\n\t" EBNN_AVR_ADD_NEXT("r0", "%[sum]")
#define EBNN_AVR_MISMATCHES(skip)                                                                   \
    uint8_t sum;                                                                                    \
                                                                                                    \
    __asm__ __volatile__(EBNN_AVR_PUSH_Y "ldi r29, hi8(%[ones])\n"                                  \
                         "1:\n\t"                                                                   \
                         "ld r0, X+\n\t" EBNN_AVR_NEXT("r0", "%[sum]")                              \
                         EBNN_AVR_ADD_BYTE EBNN_AVR_ADD_BYTE EBNN_AVR_ADD_BYTE                      \
                         EBNN_AVR_COUNT("%A[count]", "%B[count]", "%[sum]")                         \
                         skip EBNN_AVR_LOOP EBNN_AVR_POP_Y                                          \
                         : "+&x"(bits), "+&z"(weights), [count] "+&a"(count), [sum] "=&a"(sum)      \
                         : [end] "a"(end), [ones] "i"(ebnn_ones)                                    \
                         : "memory")
#else
#define EBNN_AVR_BYTE(weight) "ld r30, X+\n\teor r30, " weight "\n\t" EBNN_AVR_ONES(weight)
#define EBNN_AVR_MISMATCHES(skip)                                                                           \
    uint16_t at, ab;                                                                                        \
    uint8_t c;                                                                                              \
                                                                                                            \
    __asm__ __volatile__("1:\n\t"                                                                           \
                         EBNN_AVR_READ " r0, Z+\n\t"                                                        \
                         EBNN_AVR_READ " %A[ab], Z+\n\t"                                                    \
                         EBNN_AVR_READ " %B[ab], Z+\n\t"                                                    \
                         EBNN_AVR_READ " %[c], Z+\n\t"                                                      \
                         "movw %[at], r30\n\t"                                                              \
                         "ldi r31, hi8(%[ones])\n\t" EBNN_AVR_BYTE("r0") EBNN_AVR_BYTE("%A[ab]")            \
                         "add r0, %A[ab]\n\t" EBNN_AVR_BYTE("%B[ab]")                                       \
                         "add r0, %B[ab]\n\t" EBNN_AVR_BYTE("%[c]")                                         \
                         "add r0, %[c]\n\t"                                                                 \
                         EBNN_AVR_COUNT("%A[count]", "%B[count]", "r0")                                     \
                         "movw r30, %[at]\n\t" skip EBNN_AVR_LOOP                                           \
                         : "+&x"(bits), "+&z"(weights), [count] "+&r"(count), [at] "=&r"(at), [ab] "=&r"(ab), \
                           [c] "=&r"(c)                                                                     \
                         : [end] "r"(end), [ones] "i"(ebnn_ones)                                            \
                         : "memory")
#endif

/* Mismatches of one filter of `words` 32-bit words, at least one. */
EBNN_INLINE uint16_t ebnn_mismatches(const uint8_t *bits, const uint32_t *weights, uint16_t words)
{
    const uint8_t *const end = bits + 4u * words;
    uint16_t count = 0;
    EBNN_AVR_MISMATCHES("");

    return count;
}

/* Mismatches of one filter of `words` 32-bit words that are four apart: 2 cycles a word more than side by side. */
EBNN_INLINE uint16_t ebnn_mismatches_apart(const uint8_t *bits, const uint32_t *weights, uint16_t words)
{
    const uint8_t *const end = bits + 4u * words;
    uint16_t count = 0;
    EBNN_AVR_MISMATCHES("adiw r30, 12\n\t");

    return count;
}

/*
 * Mismatches of four filters, interleaved by word: word w of filter j is weights[4 * w + j]. Table in RAM: 168 cycles
 * for a word of four. Table in flash: 196.
 */
EBNN_KERNEL void ebnn_mismatches_4(const uint8_t *bits, const uint32_t *weights, uint16_t words, uint16_t counts[4])
{
    uint8_t j;

    for (j = 0; j < 4u; j++)
        counts[j] = ebnn_mismatches_apart(bits, weights + j, words);
}

/*
 * Mismatches of one filter of `words` 32-bit words among the bits that are 1 in `mask`.
 * Table in RAM: 55 cycles a word, 13.75 a byte. Table in flash: 59 and 14.75.
 */
EBNN_INLINE uint16_t ebnn_masked_mismatches(const uint8_t *bits, const uint8_t *mask, const uint32_t *weights,
                                            uint16_t words)
{
    const uint8_t *const end = bits + 4u * words;
    uint16_t count = 0;
    uint8_t spare;

    /* Y reads the mask. The mask's operand then keeps Z, while Z reads the table. */
#undef EBNN_AVR_BYTE
#define EBNN_AVR_BYTE(weight) \
    "ld r30, X+\n\teor r30, " weight "\n\tld " weight ", Y+\n\tand r30, " weight "\n\t" EBNN_AVR_ONES(weight)
    __asm__ __volatile__(EBNN_AVR_PUSH_Y
                         "movw r28, %[at]\n"
                         "1:\n\t"
                         EBNN_AVR_READ " r0, Z+\n\t"
                         EBNN_AVR_READ " %[spare], Z+\n\t"
                         EBNN_AVR_READ " r24, Z+\n\t"
                         EBNN_AVR_READ " r25, Z+\n\t"
                         "movw %[at], r30\n\t"
                         "ldi r31, hi8(%[ones])\n\t" EBNN_AVR_BYTE("r0") EBNN_AVR_BYTE("%[spare]")
                         "add r0, %[spare]\n\t" EBNN_AVR_BYTE("r24")
                         "add r0, r24\n\t" EBNN_AVR_BYTE("r25")
                         "add r0, r25\n\t"
                         EBNN_AVR_COUNT("%A[count]", "%B[count]", "r0")
                         "movw r30, %[at]\n\t" EBNN_AVR_LOOP EBNN_AVR_POP_Y
                         : "+&x"(bits), [at] "+&a"(mask), "+&z"(weights), [count] "+&a"(count), [spare] "=&a"(spare)
                         : [end] "a"(end), [ones] "i"(ebnn_ones)
                         : "r24", "r25", "memory");
    return count;
}

#undef EBNN_AVR_BYTE
#undef EBNN_AVR_ADD_BYTE
#undef EBNN_AVR_MISMATCHES
#undef EBNN_AVR_ONES
#undef EBNN_AVR_COUNT
#undef EBNN_AVR_LOOP

#endif

#endif
