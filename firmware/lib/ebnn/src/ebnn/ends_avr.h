/*
 * Requantization on AVR: sums of 32 bits times multipliers of 16, of which the product's upper 32 bits are shifted.
 */
#ifndef EBNN_ENDS_AVR_H
#define EBNN_ENDS_AVR_H

#include "integer.h"

#if defined(__AVR_HAVE_MUL__)
#define EBNN_OWN_NARROW

/* The constants of a place's outputs, and what these are clamped to. Offsets are known to the assembly. */
typedef struct {
    const int32_t *biases;   /* 0 */
    const void *multipliers; /* 2 */
    const uint8_t *shifts;   /* 4 */
    uint8_t *end;            /* 6: of the outputs */
    int16_t minus_low;       /* 8 */
    uint8_t minus_sign;      /* 10: what is above minus_low */
    uint8_t span, low;       /* 11: high − low; 12: the lower byte of low */
} ebnn_narrow_t;

/*
 * The product of the sum in r16 to r19 with the multiplier in r20 and r21, from byte 1 on, whose highest bit alone
 * may count. r22 to r25: where the sum has 24 bits and the multiplier is not below 0, 27 cycles. r10 is 0.
 */
#define EBNN_AVR_BRIEF_PRODUCT                                          \
    "muls r18, r21\n\tmovw r24, r0\n\t"                                 \
    "mul r16, r21\n\tmovw r22, r0\n\t"                                  \
    "mul r16, r20\n\tadd r22, r1\n\tadc r23, r10\n\t"                   \
    "mul r17, r21\n\tadd r23, r0\n\tadc r24, r1\n\tadc r25, r10\n\t"    \
    "mul r17, r20\n\tadd r22, r0\n\tadc r23, r1\n\t"                    \
    "adc r24, r10\n\tadc r25, r10\n\t"                                  \
    "mulsu r18, r20\n\tsbc r19, r19\n\t"                                \
    "add r23, r0\n\tadc r24, r1\n\tadc r25, r19\n\t"

/* Any: r22 to r26. mulsu's carry is its product's sign. */
#define EBNN_AVR_WHOLE_PRODUCT                                          \
    "mul r16, r20\n\tmov r22, r1\n\t"                                   \
    "mul r18, r20\n\tmov r23, r0\n\tmov r24, r1\n\t"                    \
    "muls r19, r21\n\tmov r25, r0\n\tmov r26, r1\n\t"                   \
    "mul r17, r20\n\tadd r22, r0\n\tadc r23, r1\n\t"                    \
    "adc r24, r10\n\tadc r25, r10\n\tadc r26, r10\n\t"                  \
    "mulsu r21, r16\n\tsbc r27, r27\n\tadd r22, r0\n\tadc r23, r1\n\t"  \
    "adc r24, r27\n\tadc r25, r27\n\tadc r26, r27\n\t"                  \
    "mulsu r21, r17\n\tsbc r27, r27\n\tadd r23, r0\n\tadc r24, r1\n\t"  \
    "adc r25, r27\n\tadc r26, r27\n\t"                                  \
    "mulsu r21, r18\n\tsbc r27, r27\n\tadd r24, r0\n\tadc r25, r1\n\t"  \
    "adc r26, r27\n\t"                                                  \
    "mulsu r19, r20\n\tsbc r27, r27\n\tadd r24, r0\n\tadc r25, r1\n\t"  \
    "adc r26, r27\n\t"

#define EBNN_AVR_READ_SHIFT "movw r30, r6\n\t" EBNN_AVR_READ " r20, Z+\n\tmovw r6, r30\n\tsubi r20, 16\n\t"

/*
 * Outputs clamp((sum · multiplier / 2^15 + 2^shift) >> (shift + 1), low, high), shift 0 to 31: 100 cycles or so.
 * Bytes are shifted while more than eight bits are left, then bits; the last one that leaves is the rounding's. X reads
 * sums, Y writes outputs, Z reads constants.
 */
EBNN_KERNEL void ebnn_requantize(const ebnn_narrow_t *now, uint8_t *to, const int32_t *sums)
{
    register const ebnn_narrow_t *block __asm__("r30") = now;
    register uint8_t *output __asm__("r24") = to;
    register const int32_t *sum __asm__("r26") = sums;

    __asm__ __volatile__(
        "push r28\n\t"
        "push r29\n\t"
        "movw r28, r24\n\t"
        "ldd r2, Z+0\n\tldd r3, Z+1\n\tldd r4, Z+2\n\tldd r5, Z+3\n\tldd r6, Z+4\n\tldd r7, Z+5\n\t"
        "ldd r8, Z+6\n\tldd r9, Z+7\n\tldd r13, Z+8\n\tldd r14, Z+9\n\tldd r15, Z+10\n\t"
        "ldd r11, Z+11\n\tldd r12, Z+12\n\t"
        "clr r10\n"
        "1:\n\t" /* an output */
        "ld r16, X+\n\tld r17, X+\n\tld r18, X+\n\tld r19, X+\n\t"
        "movw r30, r2\n\t"
        EBNN_AVR_READ " r0, Z+\n\tadd r16, r0\n\t" EBNN_AVR_READ " r0, Z+\n\tadc r17, r0\n\t"
        EBNN_AVR_READ " r0, Z+\n\tadc r18, r0\n\t" EBNN_AVR_READ " r0, Z+\n\tadc r19, r0\n\t"
        "movw r2, r30\n\t"
        "movw r30, r4\n\t" EBNN_AVR_READ " r20, Z+\n\t" EBNN_AVR_READ " r21, Z+\n\tmovw r4, r30\n\t"
        "mov r0, r18\n\t"
        "lsl r0\n\t"
        "adc r19, r10\n\t" /* 0 where it is the sign of the bytes below */
        "brne .+2\n\t"
        "sbrc r21, 7\n\t"
        "rjmp 6f\n\t"
        EBNN_AVR_BRIEF_PRODUCT EBNN_AVR_READ_SHIFT
        "breq 11f\n\t"
        "cpi r20, 9\n\t"
        "brlo 3f\n"
        "2:\n\t"
        "mov r23, r24\n\tmov r24, r25\n\tlsl r25\n\tsbc r25, r25\n\t"
        "subi r20, 8\n\t"
        "cpi r20, 9\n\t"
        "brsh 2b\n"
        "3:\n\t"
        "asr r25\n\tror r24\n\tror r23\n\t"
        "dec r20\n\t"
        "brne 3b\n"
        "4:\n\t" /* rounded, less low */
        "adc r23, r13\n\tadc r24, r14\n\tadc r25, r15\n\t"
        "brlt 8f\n\t"
        "or r24, r25\n\t"
        "brne 9f\n\t"
        "cp r11, r23\n\t"
        "brlo 9f\n"
        "5:\n\t"
        "add r23, r12\n\t"
        "st Y+, r23\n\t"
        "cp r28, r8\n\t"
        "cpc r29, r9\n\t"
        "breq .+2\n\t"
        "rjmp 1b\n\t"
        "pop r29\n\t"
        "pop r28\n\t"
        "clr r1\n\t"
        "rjmp 10f\n"
        "8:\n\t"
        "clr r23\n\t"
        "rjmp 5b\n"
        "9:\n\t"
        "mov r23, r11\n\t"
        "rjmp 5b\n"
        "11:\n\t"
        "lsl r22\n\t"
        "rjmp 4b\n"
        "6:\n\t" /* a sum beyond 24 bits, or a multiplier below 0 */
        "mov r0, r18\n\t"
        "lsl r0\n\t"
        "sbc r19, r10\n\t"
        "push r26\n\t"
        "push r27\n\t"
        EBNN_AVR_WHOLE_PRODUCT EBNN_AVR_READ_SHIFT
        "brne 7f\n\t"
        "lsl r22\n\t"
        "rjmp 12f\n"
        "7:\n\t"
        "cpi r20, 9\n\t"
        "brlo 7f\n\t"
        "mov r23, r24\n\tmov r24, r25\n\tmov r25, r26\n\tlsl r26\n\tsbc r26, r26\n\t"
        "subi r20, 8\n\t"
        "rjmp 7b\n"
        "7:\n\t"
        "asr r26\n\tror r25\n\tror r24\n\tror r23\n\t"
        "dec r20\n\t"
        "brne 7b\n\t"
        "12:\n\t"
        "sbc r27, r27\n\t"
        "mov r0, r25\n\t"
        "lsl r0\n\t"
        "adc r26, r10\n\t" /* 0 where it is the sign of the bytes below; else far beyond what is clamped to */
        "breq 7f\n\t"
        "ldi r25, 0x3F\n\t"
        "sbrc r26, 7\n\t"
        "ldi r25, 0xC0\n"
        "7:\n\t"
        "lsr r27\n\t"
        "pop r27\n\t"
        "pop r26\n\t"
        "rjmp 4b\n"
        "10:"
        : "+r"(block), "+r"(output), "+r"(sum)
        :
        : "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "r16", "r17", "r18",
          "r19", "r20", "r21", "r22", "r23", "memory");
}

/* Bytes: clamp(((acc + bias) · multiplier + 2^(shift − 1)) >> shift), multipliers of 16 bits, shifts of 16 to 47. */
EBNN_KERNEL uint8_t ebnn_end_narrow(const ebnn_integer_t *layer, const int32_t *sums, void *output, uint16_t y,
                                    uint16_t x)
{
    uint8_t *const to = ebnn_bytes_of(layer, output, y, x);
    ebnn_narrow_t now;

    now.biases = layer->biases;
    now.multipliers = layer->multipliers;
    now.shifts = layer->shifts;
    now.end = to + layer->conv.filters.outputs;
    now.minus_low = (int16_t)-layer->low;
    now.minus_sign = now.minus_low < 0 ? 0xFFu : 0u;
    now.span = (uint8_t)(layer->high - layer->low);
    now.low = (uint8_t)layer->low;
    ebnn_requantize(&now, to, sums);
    return 0;
}

#endif
#endif
