/*
 * Comparisons of four filters at a time on AVR: one loop over all groups of four, which counts mismatches, compares and
 * stores the bits.
 *
 * A group's words lie side by side: word w of filter j is weights[4 * w + j]. Each byte of the input is loaded once for
 * four filters. Z reads the weights, X the input; the ones of a byte come from the table in bits.h.
 *
 * Registers in the loop: the counts, half of the bits inside less the mismatches, in r2 to r9; four bytes of the input
 * in r18 to r21; its end in r22. Between groups the next weights are in r24, threshold in r12, output's place in r14
 * and r16, flags in r17. r0, r10, r11 and Y are free.
 */
#ifndef EBNN_COMPARE_AVR_H
#define EBNN_COMPARE_AVR_H

#if defined(__AVR__)
#define EBNN_OWN_COMPARE_FOURS /* compare.h has none for this core; where it cannot multiply, there is none */
#endif

#include "compare.h"

#if defined(__AVR__) && defined(__AVR_HAVE_MUL__)

/*
 * Flags: 0 an odd number of words is counted whole, or with a mask; 2 only bits that are 1 in a mask count; 7 the
 * number of bits inside is even. T: two bytes of one more word are used.
 */
#define EBNN_AVR_ASIDE "0"
#define EBNN_AVR_MASKED "2"

/* The frame, on the stack; the place is there when the table is in flash. */
#define EBNN_AVR_FRAME "in r28, __SP_L__\n\tin r29, __SP_H__\n\t"
#define EBNN_AVR_PUSH(low, high) "push " high "\n\tpush " low "\n\t"
#define EBNN_AVR_GET(low, high, at) "ldd " low ", Y+" at "\n\tldd " high ", Y+" at "+1\n\t"
#define EBNN_AVR_PUT(low, high, at) "std Y+" at ", " low "\n\tstd Y+" at "+1, " high "\n\t"
#define EBNN_AVR_VALUES "1"
#define EBNN_AVR_HALF "3"
#define EBNN_AVR_LAST "5" /* behind the last threshold */
#define EBNN_AVR_MASK "7"
#define EBNN_AVR_THRESHOLD "9"
#define EBNN_AVR_BYTE "11"
#define EBNN_AVR_BIT "13"
#define EBNN_AVR_FLAGS "14"

#define EBNN_AVR_LOAD_FOUR "ld r18, X+\n\tld r19, X+\n\tld r20, X+\n\tld r21, X+\n\t"

/* Takes a sum off a count. */
#define EBNN_AVR_COUNT(low, high, sum) "sub " low ", " sum "\n\tsbc " high ", r1\n\t"

/* Back to `label` until X is at the end; the label may be far. */
#define EBNN_AVR_LOOP(label) "cpse r26, r22\n\trjmp " label "b\n\tcpse r27, r23\n\trjmp " label "b\n\t"

#if defined(EBNN_ONES_IN_RAM)

/* The place stays in its registers. */
#define EBNN_AVR_FRAME_BYTES "8"
#define EBNN_AVR_PUSH_PLACE
#define EBNN_AVR_GET_PLACE
#define EBNN_AVR_PUT_PLACE

/* 247 cycles for two words of four filters; an odd one comes first, 139. Sums of two words fit a byte each. */
#define EBNN_AVR_ADD_THREE(sum) \
    EBNN_AVR_ADD_NEXT("r19", sum) EBNN_AVR_ADD_NEXT("r20", sum) EBNN_AVR_ADD_NEXT("r21", sum)
#define EBNN_AVR_FIRST(sum) EBNN_AVR_NEXT("r18", sum) EBNN_AVR_ADD_THREE(sum)
#define EBNN_AVR_SECOND(sum, low, high) \
    EBNN_AVR_ADD_NEXT("r18", sum) EBNN_AVR_ADD_THREE(sum) EBNN_AVR_COUNT(low, high, sum)
#define EBNN_AVR_COUNT_WORDS                                                                    \
    "sbrc r17, " EBNN_AVR_ASIDE "\n\t"                                                          \
    "rjmp 6f\n\t"                                                                               \
    "ldi r29, hi8(%[ones])\n"                                                                   \
    "2:\n\t" EBNN_AVR_LOAD_FOUR                                                                 \
    EBNN_AVR_FIRST("r24") EBNN_AVR_FIRST("r25") EBNN_AVR_FIRST("r10") EBNN_AVR_FIRST("r11")     \
    "3:\n\t" EBNN_AVR_LOAD_FOUR                                                                 \
    EBNN_AVR_SECOND("r24", "r2", "r3") EBNN_AVR_SECOND("r25", "r4", "r5")                       \
    EBNN_AVR_SECOND("r10", "r6", "r7") EBNN_AVR_SECOND("r11", "r8", "r9")                       \
    EBNN_AVR_LOOP("2")
#define EBNN_AVR_COUNT_ODD              \
    "ldi r29, hi8(%[ones])\n\t"         \
    "clr r10\n\t"                       \
    "clr r11\n\t"                       \
    "movw r24, r10\n\t"                 \
    "rjmp 3b\n\t"

/* 71 cycles for a word of which two bytes are used. */
#define EBNN_AVR_TWO_BYTES(low, high) \
    EBNN_AVR_NEXT("r18", "r0") EBNN_AVR_ADD_NEXT("r19", "r0") "adiw r30, 2\n\t" EBNN_AVR_COUNT(low, high, "r0")
#define EBNN_AVR_COUNT_TAIL                                     \
    "brtc 4f\n\t"                                               \
    "ld r18, X+\n\t"                                            \
    "ld r19, X+\n\t"                                            \
    EBNN_AVR_TWO_BYTES("r2", "r3") EBNN_AVR_TWO_BYTES("r4", "r5") \
    EBNN_AVR_TWO_BYTES("r6", "r7") EBNN_AVR_TWO_BYTES("r8", "r9") \
    "4:\n\t"                                                    \
    "movw r24, r30\n\t"

/* A tail, where 1 to 16 bits of the last word are used and it is not the only one. */
#define EBNN_AVR_FIND_TAIL              \
    "ldd r0, Z+%[half]\n\t"             \
    "tst r0\n\t"                        \
    "breq 1f\n\t"                       \
    "movw r30, r10\n\t"                 \
    "sbiw r30, 1\n\t"                   \
    "breq 1f\n\t"                       \
    "movw r10, r30\n\t"                 \
    "set\n"

/* 160 cycles for a word of four filters; the mask in r10, r11, r24 and r25, its address on the stack. */
#define EBNN_AVR_MASKED_NEXT(bits, mask, to) \
    EBNN_AVR_READ " r28, Z+\n\teor r28, " bits "\n\tand r28, " mask "\n\tld " to ", Y\n\t"
#define EBNN_AVR_ADD_MASKED(bits, mask) EBNN_AVR_MASKED_NEXT(bits, mask, "r28") "add r0, r28\n\t"
#define EBNN_AVR_MASKED_FILTER(low, high)                                                       \
    EBNN_AVR_MASKED_NEXT("r18", "r10", "r0") EBNN_AVR_ADD_MASKED("r19", "r11")                  \
    EBNN_AVR_ADD_MASKED("r20", "r24") EBNN_AVR_ADD_MASKED("r21", "r25") EBNN_AVR_COUNT(low, high, "r0")
#define EBNN_AVR_COUNT_MASKED                                                                   \
    EBNN_AVR_GET("r10", "r11", EBNN_AVR_MASK) EBNN_AVR_PUSH("r10", "r11")                       \
    "7:\n\t" EBNN_AVR_LOAD_FOUR                                                                 \
    "pop r28\n\t"                                                                               \
    "pop r29\n\t"                                                                               \
    "ld r10, Y+\n\t"                                                                            \
    "ld r11, Y+\n\t"                                                                            \
    "ld r24, Y+\n\t"                                                                            \
    "ld r25, Y+\n\t" EBNN_AVR_PUSH("r28", "r29")                                                \
    "ldi r29, hi8(%[ones])\n\t"                                                                 \
    EBNN_AVR_MASKED_FILTER("r2", "r3") EBNN_AVR_MASKED_FILTER("r4", "r5")                       \
    EBNN_AVR_MASKED_FILTER("r6", "r7") EBNN_AVR_MASKED_FILTER("r8", "r9")                       \
    EBNN_AVR_LOOP("7")                                                                          \
    "pop r0\n\t"                                                                                \
    "pop r0\n\t"                                                                                \
    "rjmp 4b\n\t"

#else

/* Between groups the place waits in the frame. */
#define EBNN_AVR_FRAME_BYTES "14"
#define EBNN_AVR_PUSH_PLACE \
    "push r17\n\tpush r16\n\t" EBNN_AVR_PUSH("r14", "r15") EBNN_AVR_PUSH("r12", "r13")
#define EBNN_AVR_GET_PLACE                                                                                  \
    EBNN_AVR_GET("r12", "r13", EBNN_AVR_THRESHOLD) EBNN_AVR_GET("r14", "r15", EBNN_AVR_BYTE)                \
    "ldd r16, Y+" EBNN_AVR_BIT "\n\tldd r17, Y+" EBNN_AVR_FLAGS "\n\t"
#define EBNN_AVR_PUT_PLACE                                                                                  \
    EBNN_AVR_PUT("r12", "r13", EBNN_AVR_THRESHOLD) EBNN_AVR_PUT("r14", "r15", EBNN_AVR_BYTE)                \
    "std Y+" EBNN_AVR_BIT ", r16\n\t"

/*
 * 321 cycles for two words of four filters; an odd one comes first, 172. The mismatches of two filters in r16, r0, r10,
 * r11 and r12 to r15, the table's page in r17, as Z reads both; Z is kept in r24. Sums of two words of the first and of
 * the third filter fit a byte each, r28 and r29.
 */
#define EBNN_AVR_FILTER(first, second, third, fourth)   \
    EBNN_AVR_READ " " first ", Z+\n\teor " first ", r18\n\t" \
    EBNN_AVR_READ " " second ", Z+\n\teor " second ", r19\n\t" \
    EBNN_AVR_READ " " third ", Z+\n\teor " third ", r20\n\t" \
    EBNN_AVR_READ " " fourth ", Z+\n\teor " fourth ", r21\n\t"
#define EBNN_AVR_ADD_ONES(sum, byte) "mov r30, " byte "\n\tlpm " byte ", Z\n\tadd " sum ", " byte "\n\t"
#define EBNN_AVR_TWO_FILTERS(ones_of_r16, sum, count, next_low, next_high)                                  \
    EBNN_AVR_FILTER("r16", "r0", "r10", "r11") EBNN_AVR_FILTER("r12", "r13", "r14", "r15")                  \
    "movw r24, r30\n\t"                                                                                     \
    "movw r30, r16\n\t" ones_of_r16                                                                        \
    EBNN_AVR_ADD_ONES(sum, "r0") EBNN_AVR_ADD_ONES(sum, "r10") EBNN_AVR_ADD_ONES(sum, "r11") count          \
    "mov r30, r12\n\tlpm r12, Z\n\t"                                                                       \
    EBNN_AVR_ADD_ONES("r12", "r13") EBNN_AVR_ADD_ONES("r12", "r14") EBNN_AVR_ADD_ONES("r12", "r15")         \
    EBNN_AVR_COUNT(next_low, next_high, "r12")                                                              \
    "movw r30, r24\n\t"
#define EBNN_AVR_FIRST(sum, next_low, next_high) \
    EBNN_AVR_TWO_FILTERS("lpm " sum ", Z\n\t", sum, "", next_low, next_high)
#define EBNN_AVR_SECOND(sum, low, high, next_low, next_high)                                                \
    EBNN_AVR_TWO_FILTERS("lpm r16, Z\n\tadd " sum ", r16\n\t", sum, EBNN_AVR_COUNT(low, high, sum), next_low, \
                         next_high)
#define EBNN_AVR_COUNT_WORDS                                                                                \
    "sbrc r17, " EBNN_AVR_ASIDE "\n\t"                                                                      \
    "rjmp 6f\n\t"                                                                                           \
    "ldi r17, hi8(%[ones])\n"                                                                               \
    "2:\n\t" EBNN_AVR_LOAD_FOUR EBNN_AVR_FIRST("r28", "r4", "r5") EBNN_AVR_FIRST("r29", "r8", "r9")         \
    "3:\n\t" EBNN_AVR_LOAD_FOUR                                                                             \
    EBNN_AVR_SECOND("r28", "r2", "r3", "r4", "r5") EBNN_AVR_SECOND("r29", "r6", "r7", "r8", "r9")           \
    EBNN_AVR_LOOP("2")
#define EBNN_AVR_COUNT_ODD              \
    "ldi r17, hi8(%[ones])\n\t"         \
    "clr r28\n\t"                       \
    "clr r29\n\t"                       \
    "rjmp 3b\n\t"
#define EBNN_AVR_COUNT_TAIL "4:\n\t"
#define EBNN_AVR_FIND_TAIL

/* 191 cycles for a word of four filters; the mask in r10 to r13, at Y, a filter's bytes in r16, r0, r14 and r15. */
#define EBNN_AVR_MASKED_BYTE(weight, bits, mask) \
    EBNN_AVR_READ " " weight ", Z+\n\teor " weight ", " bits "\n\tand " weight ", " mask "\n\t"
#define EBNN_AVR_MASKED_FILTER(low, high)                                                                   \
    EBNN_AVR_MASKED_BYTE("r16", "r18", "r10") EBNN_AVR_MASKED_BYTE("r0", "r19", "r11")                      \
    EBNN_AVR_MASKED_BYTE("r14", "r20", "r12") EBNN_AVR_MASKED_BYTE("r15", "r21", "r13")                     \
    "movw r24, r30\n\t"                                                                                     \
    "movw r30, r16\n\tlpm r16, Z\n\t"                                                                      \
    EBNN_AVR_ADD_ONES("r16", "r0") EBNN_AVR_ADD_ONES("r16", "r14") EBNN_AVR_ADD_ONES("r16", "r15")          \
    EBNN_AVR_COUNT(low, high, "r16")                                                                        \
    "movw r30, r24\n\t"
#define EBNN_AVR_COUNT_MASKED                                                                               \
    EBNN_AVR_GET("r10", "r11", EBNN_AVR_MASK)                                                               \
    "movw r28, r10\n\t"                                                                                     \
    "ldi r17, hi8(%[ones])\n"                                                                               \
    "7:\n\t" EBNN_AVR_LOAD_FOUR                                                                             \
    "ld r10, Y+\n\t"                                                                                        \
    "ld r11, Y+\n\t"                                                                                        \
    "ld r12, Y+\n\t"                                                                                        \
    "ld r13, Y+\n\t"                                                                                        \
    EBNN_AVR_MASKED_FILTER("r2", "r3") EBNN_AVR_MASKED_FILTER("r4", "r5")                                   \
    EBNN_AVR_MASKED_FILTER("r6", "r7") EBNN_AVR_MASKED_FILTER("r8", "r9")                                   \
    EBNN_AVR_LOOP("7")                                                                                      \
    "rjmp 4b\n\t"

#endif

/*
 * The bit of one filter to r18, where its sum passes: 13 cycles. The sum is twice the count, and 1 more where the bits
 * inside are odd.
 */
#define EBNN_AVR_COMPARE(low, high, bit)    \
    EBNN_AVR_READ " r20, Z+\n\t"            \
    EBNN_AVR_READ " r21, Z+\n\t"            \
    "cpi r17, 128\n\t"                      \
    "rol " low "\n\t"                       \
    "rol " high "\n\t"                      \
    "cp " low ", r20\n\t"                   \
    "cpc " high ", r21\n\t"                 \
    "brlt .+2\n\t"                          \
    "ori r18, " bit "\n\t"

/* The flags, the end of the words that are counted whole, and the frame; leaves the filters' weights in r24. */
#define EBNN_AVR_ENTER                                          \
    "movw r30, r24\n\t"                                         \
    "push r28\n\t"                                              \
    "push r29\n\t"                                              \
    "ldd r12, Z+%[thresholds]\n\t"                              \
    "ldd r13, Z+%[thresholds]+1\n\t"                            \
    "ldd r10, Z+%[words]\n\t"                                   \
    "ldd r11, Z+%[words]+1\n\t"                                 \
    "ldd r26, Z+%[outputs]\n\t"                                 \
    "ldd r27, Z+%[outputs]+1\n\t"                               \
    "ldd r24, Z+%[weights]\n\t"                                 \
    "ldd r25, Z+%[weights]+1\n\t"                               \
    "ldi r17, 0\n\t"                                            \
    "clt\n\t"                                                   \
    "lsr r19\n\t"                                               \
    "ror r18\n\t"                                               \
    "brcs .+2\n\t"                                              \
    "ori r17, 128\n\t"                                          \
    "andi r26, 0xFC\n\t" /* filters of whole groups; twice: bytes of their thresholds */ \
    "lsl r26\n\t"                                               \
    "rol r27\n\t"                                               \
    "add r26, r12\n\t"                                          \
    "adc r27, r13\n\t"                                          \
    "cp r20, r1\n\t"                                            \
    "cpc r21, r1\n\t"                                           \
    "breq .+4\n\t"                                              \
    "ori r17, 1 << " EBNN_AVR_MASKED " | 1 << " EBNN_AVR_ASIDE "\n\t" \
    "rjmp 1f\n\t"                                               \
    EBNN_AVR_FIND_TAIL                                          \
    "1:\n\t"                                                    \
    "sbrc r10, 0\n\t"                                           \
    "ori r17, 1 << " EBNN_AVR_ASIDE "\n\t"                        \
    EBNN_AVR_PUSH_PLACE EBNN_AVR_PUSH("r20", "r21") EBNN_AVR_PUSH("r26", "r27")             \
    EBNN_AVR_PUSH("r18", "r19") EBNN_AVR_PUSH("r22", "r23")     \
    "lsl r10\n\t"                                               \
    "rol r11\n\t"                                               \
    "lsl r10\n\t"                                               \
    "rol r11\n\t"                                               \
    "add r22, r10\n\t"                                          \
    "adc r23, r11\n\t"                                          \
    EBNN_AVR_FRAME

/* The last filters, fewer than four, one after the other; place: of the first filter's output. */
EBNN_KERNEL void ebnn_compare_last(const ebnn_filters_t *filters, const uint8_t *values, const uint8_t *mask,
                                   size_t inside, ebnn_place_t place)
{
    const uint16_t before = (uint16_t)(filters->outputs & ~(EBNN_GROUP - 1u));
    ebnn_filters_t last;

    last.words = filters->words;
    last.outputs = filters->outputs % EBNN_GROUP;
    last.weights = filters->weights + before * filters->words;
    last.thresholds = (const uint16_t *)filters->thresholds + before;
    if (before % 8u != 0u)
        ebnn_place_four(&place, 0);
    place.byte += (uint16_t)(before / 8u);
    ebnn_compare_each(&last, values, mask, inside, place);
}

/*
 * Four filters at a time, their words side by side; the last ones, fewer than four, one after the other. Up to 32,766
 * taps. Beside the words, 96 cycles a group, 115 with the table in flash, and about 190 a call.
 */
EBNN_KERNEL void ebnn_compare_fours(const ebnn_filters_t *filters, const uint8_t *values, const uint8_t *mask,
                                    size_t inside, ebnn_place_t place)
{
    if (filters->outputs % EBNN_GROUP != 0u) {
        ebnn_compare_last(filters, values, mask, inside, place);
        if (filters->outputs < EBNN_GROUP)
            return;
    }
    {
        register const ebnn_filters_t *block __asm__("r24") = filters;
        register const uint8_t *bits __asm__("r22") = values;
        register const uint8_t *inside_mask __asm__("r20") = mask;
        register size_t half __asm__("r18") = inside;
        register uint8_t *byte __asm__("r14") = place.byte;
        register uint8_t bit __asm__("r16") = place.mask;

        __asm__ __volatile__(
            EBNN_AVR_ENTER
            "1:\n\t" /* the next group */
            EBNN_AVR_GET("r26", "r27", EBNN_AVR_VALUES) EBNN_AVR_GET("r2", "r3", EBNN_AVR_HALF)
            "movw r4, r2\n\t"
            "movw r6, r2\n\t"
            "movw r8, r2\n\t"
            "movw r30, r24\n\t"
            EBNN_AVR_COUNT_WORDS EBNN_AVR_COUNT_TAIL
            EBNN_AVR_FRAME EBNN_AVR_GET_PLACE
            "movw r26, r14\n\t"
            "movw r30, r12\n\t"
            "ldi r18, 0\n\t"
            EBNN_AVR_COMPARE("r2", "r3", "1") EBNN_AVR_COMPARE("r4", "r5", "2")
            EBNN_AVR_COMPARE("r6", "r7", "4") EBNN_AVR_COMPARE("r8", "r9", "8")
            "movw r12, r30\n\t"
            "mul r18, r16\n\t" /* moves the bits to their place */
            "ld r18, X\n\t"
            "or r18, r0\n\t"
            "st X+, r18\n\t"
            "tst r1\n\t"
            "breq .+8\n\t"
            "ld r18, X\n\t"
            "or r18, r1\n\t"
            "st X, r18\n\t"
            "clr r1\n\t"
            "swap r16\n\t"
            "cpi r16, 16\n\t" /* below: in the next byte */
            "adc r14, r1\n\t"
            "adc r15, r1\n\t"
            EBNN_AVR_PUT_PLACE
            "ldd r0, Y+" EBNN_AVR_LAST "\n\t"
            "cpse r12, r0\n\t"
            "rjmp 1b\n\t"
            "ldd r0, Y+" EBNN_AVR_LAST "+1\n\t"
            "cpse r13, r0\n\t"
            "rjmp 1b\n\t"
            "rjmp 9f\n"
            "6:\n\t"
            "sbrc r17, " EBNN_AVR_MASKED "\n\t"
            "rjmp 5f\n\t"
            EBNN_AVR_COUNT_ODD
            "5:\n\t"
            EBNN_AVR_COUNT_MASKED
            "9:\n\t" /* leaves the frame */
            "adiw r28, " EBNN_AVR_FRAME_BYTES "\n\t"
            "in r0, __SREG__\n\t"
            "cli\n\t"
            "out __SP_H__, r29\n\t"
            "out __SREG__, r0\n\t"
            "out __SP_L__, r28\n\t"
            "pop r29\n\t"
            "pop r28\n\t"
            : "+r"(block), "+r"(bits), "+r"(inside_mask), "+r"(half), "+r"(bit), "+r"(byte)
            : [half] "i"(offsetof(ebnn_filters_t, half)), [words] "i"(offsetof(ebnn_filters_t, words)),
              [outputs] "i"(offsetof(ebnn_filters_t, outputs)), [weights] "i"(offsetof(ebnn_filters_t, weights)),
              [thresholds] "i"(offsetof(ebnn_filters_t, thresholds)), [ones] "i"(ebnn_ones)
            : "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "r13", "r17", "r26", "r27",
              "r30", "r31", "memory");
    }
}

#undef EBNN_AVR_ASIDE
#undef EBNN_AVR_MASKED
#undef EBNN_AVR_FRAME
#undef EBNN_AVR_PUSH
#undef EBNN_AVR_GET
#undef EBNN_AVR_PUT
#undef EBNN_AVR_VALUES
#undef EBNN_AVR_HALF
#undef EBNN_AVR_LAST
#undef EBNN_AVR_MASK
#undef EBNN_AVR_THRESHOLD
#undef EBNN_AVR_BYTE
#undef EBNN_AVR_BIT
#undef EBNN_AVR_FLAGS
#undef EBNN_AVR_LOAD_FOUR
#undef EBNN_AVR_COUNT
#undef EBNN_AVR_LOOP
#undef EBNN_AVR_FRAME_BYTES
#undef EBNN_AVR_PUSH_PLACE
#undef EBNN_AVR_GET_PLACE
#undef EBNN_AVR_PUT_PLACE
#undef EBNN_AVR_ADD_THREE
#undef EBNN_AVR_FIRST
#undef EBNN_AVR_SECOND
#undef EBNN_AVR_COUNT_WORDS
#undef EBNN_AVR_COUNT_ODD
#undef EBNN_AVR_TWO_BYTES
#undef EBNN_AVR_COUNT_TAIL
#undef EBNN_AVR_FIND_TAIL
#undef EBNN_AVR_MASKED_NEXT
#undef EBNN_AVR_ADD_MASKED
#undef EBNN_AVR_MASKED_FILTER
#undef EBNN_AVR_COUNT_MASKED
#undef EBNN_AVR_FILTER
#undef EBNN_AVR_ADD_ONES
#undef EBNN_AVR_TWO_FILTERS
#undef EBNN_AVR_MASKED_BYTE
#undef EBNN_AVR_COMPARE
#undef EBNN_AVR_ENTER

#endif

#endif
