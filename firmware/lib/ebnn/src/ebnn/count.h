/*
 * Mismatches between bits and ±1 weights on cores that work in words of 32 bits: the ones of bits xor weights.
 *
 * Ones are counted in fields of 2, 4 and 8 bits inside a word, and one multiplication adds the fields of 8. Three words
 * share a count, because 2 bits hold the number of ones among three: 19 operations (8 to fields of 2, 6 to fields of 4,
 * 3 to fields of 8, 2 to their sum) where an operation also shifts an operand, as on a Cortex-M3, and 26 where it does
 * not, as on RV32 and a Cortex-M0; 9 more load and compare. A word alone takes 9 or 12, and 3.
 *
 * Bits, masks and weights are aligned to words. A row has 1 to 2047 words.
 */
#ifndef EBNN_COUNT_H
#define EBNN_COUNT_H

#include "bits.h"

/* How parts of a kernel are declared: in line in each, whether a build is for size or for speed. */
#if defined(EBNN_COUNT_PART) /* by a build that counts branches */
#elif defined(__GNUC__)
#define EBNN_COUNT_PART static inline __attribute__((always_inline))
#else
#define EBNN_COUNT_PART static inline
#endif

/* Thumb of one halfword for each instruction (Cortex-M0): eight registers, and results replace an operand. */
#if defined(__GNUC__) && defined(__thumb__) && !defined(__thumb2__)
#define EBNN_EIGHT_REGISTERS 1
#else
#define EBNN_EIGHT_REGISTERS 0
#endif

/* Whether rows of 16 words and more have loops of their own (380 to 600 bytes each); a build may decide. */
#ifndef EBNN_LONG_ROWS
#if defined(__thumb2__)
#define EBNN_LONG_ROWS 0 /* pays from 48 words on */
#else
#define EBNN_LONG_ROWS 1
#endif
#endif

/* Whether interleaved filters are counted nine words at a time, which takes fourteen registers; a build may decide. */
#ifndef EBNN_NINE_WORDS
#if defined(__thumb2__)
#define EBNN_NINE_WORDS 1
#else
#define EBNN_NINE_WORDS 0 /* shifts are operations: two filters that share loads are as fast, and smaller */
#endif
#endif

/* A constant in a register, where a compiler would build it again or take its shift apart. */
EBNN_COUNT_PART uint32_t ebnn_keep(uint32_t constant)
{
#if defined(__GNUC__) && defined(__thumb2__)
    uint32_t kept;

    __asm__ volatile("mov %0, %1" : "=r"(kept) : "ri"(constant));
    return kept;
#else
#if defined(__GNUC__)
    __asm__ volatile("" : "+r"(constant));
#endif
    return constant;
#endif
}

/* The lower halves of all fields of 2, 4 and 8 bits, and the lowest bit of each 8. */
typedef struct {
    uint32_t of_2, of_4, of_8, lowest;
} ebnn_fields_t;

/* All four in registers, for a whole kernel, if the core has so many. */
EBNN_COUNT_PART ebnn_fields_t ebnn_fields(void)
{
    ebnn_fields_t fields;

    fields.of_2 = EBNN_EIGHT_REGISTERS ? 0x55555555ul : ebnn_keep(0x55555555ul);
    fields.of_4 = EBNN_EIGHT_REGISTERS ? 0x33333333ul : ebnn_keep(0x33333333ul);
    fields.of_8 = EBNN_EIGHT_REGISTERS ? 0x0F0F0F0Ful : ebnn_keep(0x0F0F0F0Ful);
    fields.lowest = EBNN_EIGHT_REGISTERS ? 0x01010101ul : ebnn_keep(0x01010101ul);
    return fields;
}

/* One of them where it is used: loaded there if it has no register. */
EBNN_COUNT_PART uint32_t ebnn_field(uint32_t field)
{
    return EBNN_EIGHT_REGISTERS ? ebnn_keep(field) : field;
}

/* Ones of each 4 bits. */
EBNN_COUNT_PART uint32_t ebnn_ones_of_4(uint32_t x, ebnn_fields_t fields)
{
    const uint32_t of_4 = ebnn_field(fields.of_4);

    x -= (x >> 1) & ebnn_field(fields.of_2);
    return (x & of_4) + ((x >> 2) & of_4);
}

/* Fields of 4 bits added in pairs, to fields of 8. */
EBNN_COUNT_PART uint32_t ebnn_pairs_of_4(uint32_t x, ebnn_fields_t fields)
{
    const uint32_t of_8 = ebnn_field(fields.of_8);

    return (x & of_8) + ((x >> 4) & of_8);
}

/* Sum of four fields of 8 bits, where it is up to 255. */
EBNN_COUNT_PART uint32_t ebnn_sum_of_8(uint32_t x, ebnn_fields_t fields)
{
    return (x * ebnn_field(fields.lowest)) >> 24;
}

/* Sum of four fields of 8 bits, where each is up to 127. */
EBNN_COUNT_PART uint32_t ebnn_large_sum_of_8(uint32_t x)
{
    x = (x + (x >> 8)) & 0x00FF00FFul;
    return (x + (x << 16)) >> 16;
}

/* Ones of each 8 bits of a word. */
EBNN_COUNT_PART uint32_t ebnn_ones_of_8(uint32_t x, ebnn_fields_t fields)
{
    x = ebnn_ones_of_4(x, fields);
    return (x + (x >> 4)) & ebnn_field(fields.of_8);
}

/* Ones of each 4 bits of three words, up to 12. The bits of b are shared out: x has up to 3 in each 2, and so has y. */
EBNN_COUNT_PART uint32_t ebnn_ones_of_4_in_3(uint32_t a, uint32_t b, uint32_t c, ebnn_fields_t fields)
{
    const uint32_t of_2 = ebnn_field(fields.of_2);
    const uint32_t x = a - ((a >> 1) & of_2) + (b & of_2);
    const uint32_t y = c - ((c >> 1) & of_2) + ((b >> 1) & of_2);
    const uint32_t of_4 = ebnn_field(fields.of_4);
    const uint32_t high = ((x >> 2) & of_4) + ((y >> 2) & of_4);

    /* In each 4 bits x + y is low + 4 * high, and low + high is wanted. A carry out of the word cancels. */
    return x + y - 3u * high;
}

/* Ones of each 8 bits of three words, up to 24. */
EBNN_COUNT_PART uint32_t ebnn_ones_of_8_in_3(uint32_t a, uint32_t b, uint32_t c, ebnn_fields_t fields)
{
    return ebnn_pairs_of_4(ebnn_ones_of_4_in_3(a, b, c, fields), fields);
}

/* Ones of a word. */
EBNN_COUNT_PART uint32_t ebnn_ones_1(uint32_t x, ebnn_fields_t fields)
{
    return ebnn_sum_of_8(ebnn_ones_of_8(x, fields), fields);
}

/* Ones of three words. */
EBNN_COUNT_PART uint32_t ebnn_ones_3(uint32_t a, uint32_t b, uint32_t c, ebnn_fields_t fields)
{
    return ebnn_sum_of_8(ebnn_ones_of_8_in_3(a, b, c, fields), fields);
}

/* In the kernels: a word of bits, of weights, `step` words apart, and where they differ. */
#define EBNN_BITS_AT(at) ebnn_load_word(bits + 4u * (at))
#define EBNN_WEIGHTS_AT(at) EBNN_READ_U32(weights + (at))
#define EBNN_DIFFERENT(at, step) (EBNN_BITS_AT(at) ^ EBNN_WEIGHTS_AT((at) * (step)))

/* Has a loop move these pointers, and not copies of them with other offsets. */
#if defined(__GNUC__)
#define EBNN_MOVE_POINTERS() __asm__("" : "+r"(bits), "+r"(weights))
#else
#define EBNN_MOVE_POINTERS() ((void)0)
#endif

/* Has these two computed before what follows is loaded, so that few registers are taken. */
#if defined(__GNUC__)
#define EBNN_FIRST(a, b) __asm__ volatile("" : "+r"(a), "+r"(b) : : "memory")
#else
#define EBNN_FIRST(a, b) ((void)0)
#endif

/*
 * Adds a bit of a and one of b to one of `sum`, 32 times: leaves the sum there, returns the carry. 5 operations, or 6
 * that replace an operand and need no other register: with c for the sum, a ^ b, a ^ c and then b ^ c take the places
 * of b, c and c, and the carry is a ^ ((a ^ b) & ~(b ^ c)).
 */
EBNN_COUNT_PART uint32_t ebnn_full_add(uint32_t *sum, uint32_t a, uint32_t b)
{
#if EBNN_EIGHT_REGISTERS
    __asm__(".syntax unified\n\t"
            "eors %[b], %[a]\n\t"
            "eors %[c], %[a]\n\t"
            "eors %[c], %[b]\n\t"
            "bics %[b], %[c]\n\t"
            "eors %[c], %[a]\n\t"
            "eors %[a], %[b]"
            : [a] "+l"(a), [b] "+l"(b), [c] "+l"(*sum)
            :
            : "cc");
    return a;
#else
    const uint32_t half = *sum ^ a;
    const uint32_t carry = (*sum & a) | (half & b);

    *sum = half ^ b;
    return carry;
#endif
}

#if EBNN_LONG_ROWS

/* Adds where two words differ to `sum`, returns the carry. */
EBNN_COUNT_PART uint32_t ebnn_add_two(uint32_t *sum, const uint8_t *bits, const uint32_t *weights, uint16_t step)
{
    uint32_t a = EBNN_DIFFERENT(0u, step);
    uint32_t b;

    EBNN_FIRST(a, *sum);
    b = EBNN_DIFFERENT(1u, step);
    EBNN_FIRST(a, b);
    return ebnn_full_add(sum, a, b);
}

/*
 * Mismatches of one filter of 8 words or more, `step` words from one to the next. Eight at a time go through seven full
 * adders, bit by bit, so that one word in eight is counted (Harley and Seal, in Warren, Hacker's Delight, 2nd ed.,
 * 5-1): 24 operations to load and compare, 35 to add, 13 to count. The first, up to 7, are added alone, 5 operations
 * each.
 */
EBNN_COUNT_PART uint16_t ebnn_count_long(const uint8_t *bits, const uint32_t *weights, uint16_t words, uint16_t step)
{
    const ebnn_fields_t fields = ebnn_fields();
    const uint8_t *end = bits + 4u * (size_t)words;
    uint32_t ones = 0, twos = 0, fours = 0, eights = 0; /* eights is a number, the others one bit of 32 numbers */
    uint32_t a, b, c;

    for (; words % 8u != 0u; words--, bits += 4, weights += step) {
        a = EBNN_DIFFERENT(0u, step);
        b = ones & a;
        ones ^= a;
        fours ^= twos & b;
        twos ^= b;
    }
    do {
        a = ebnn_add_two(&ones, bits, weights, step);
        b = ebnn_add_two(&ones, bits + 8, weights + 2u * step, step);
        c = ebnn_full_add(&twos, a, b);
        a = ebnn_add_two(&ones, bits + 16, weights + 4u * step, step);
        b = ebnn_add_two(&ones, bits + 24, weights + 6u * step, step);
        b = ebnn_full_add(&twos, a, b);
        b = ebnn_full_add(&fours, c, b);
        EBNN_FIRST(b, fours);
        eights += ebnn_ones_1(b, fields);
        bits += 32;
        weights += 8u * step;
        EBNN_MOVE_POINTERS();
    } while (bits != end);
    a = ebnn_pairs_of_4(ebnn_ones_of_4(ones, fields) + 2u * ebnn_ones_of_4(twos, fields), fields); /* up to 12, 24 */
    b = ebnn_pairs_of_4(ebnn_ones_of_4(fours, fields), fields);
    return (uint16_t)(8u * eights + ebnn_sum_of_8(a + 4u * b, fields));
}

/* Mismatches of one filter of 16 words and more, its words side by side. */
EBNN_KERNEL uint16_t ebnn_mismatches_long(const uint8_t *bits, const uint32_t *weights, uint16_t words)
{
    return ebnn_count_long(bits, weights, words, 1);
}

/* Mismatches of one of four interleaved filters, of 16 words and more. A call where one instruction saves all
 * registers. */
#if defined(__thumb__)
EBNN_KERNEL
#else
EBNN_COUNT_PART
#endif
uint16_t ebnn_mismatches_long_of_4(const uint8_t *bits, const uint32_t *weights, uint16_t words)
{
    return ebnn_count_long(bits, weights, words, 4);
}

#endif

/* Mismatches of one filter of `words` words. */
EBNN_KERNEL uint16_t ebnn_mismatches(const uint8_t *bits, const uint32_t *weights, uint16_t words)
{
#if EBNN_LONG_ROWS
    if (words >= 16u)
        return ebnn_mismatches_long(bits, weights, words);
#endif
    {
        const ebnn_fields_t fields = ebnn_fields();
        int32_t left = (int32_t)words - 3;
        uint32_t count = 0;

        if (left >= 0)
            do {
                count += ebnn_ones_3(EBNN_DIFFERENT(0, 1), EBNN_DIFFERENT(1, 1), EBNN_DIFFERENT(2, 1), fields);
                bits += 12;
                weights += 3;
                left -= 3;
                EBNN_MOVE_POINTERS();
            } while (left >= 0);
        if (left == -1)
            count += ebnn_ones_3(EBNN_DIFFERENT(0, 1), EBNN_DIFFERENT(1, 1), 0, fields);
        else if (left == -2)
            count += ebnn_ones_1(EBNN_DIFFERENT(0, 1), fields);
        return (uint16_t)count;
    }
}

/* Mismatches of one filter among the bits that are 1 in `mask`. */
EBNN_KERNEL uint16_t ebnn_masked_mismatches(const uint8_t *bits, const uint8_t *mask, const uint32_t *weights,
                                            uint16_t words)
{
    const ebnn_fields_t fields = ebnn_fields();
    const uint8_t *end = bits + 4u * (size_t)words;
    uint32_t count = 0;

    do {
        count += ebnn_ones_1(EBNN_DIFFERENT(0, 1) & ebnn_load_word(mask), fields);
        bits += 4;
        mask += 4;
        weights++;
    } while (bits != end);
    return (uint16_t)count;
}

#if EBNN_NINE_WORDS

/* Three words of bits, which move on. */
EBNN_COUNT_PART void ebnn_load_three(const uint8_t **bits, uint32_t *first, uint32_t *second, uint32_t *third)
{
#if defined(__GNUC__) && defined(__thumb2__)
    register uint32_t a __asm__("r4"); /* one instruction loads registers of rising numbers */
    register uint32_t b __asm__("r5");
    register uint32_t c __asm__("r6");

    __asm__ volatile("ldmia %[bits]!, {%[a], %[b], %[c]}"
                     : [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [bits] "+&r"(*bits)
                     :
                     : "memory");
    *first = a;
    *second = b;
    *third = c;
#else
    *first = ebnn_load_word(*bits);
    *second = ebnn_load_word(*bits + 4);
    *third = ebnn_load_word(*bits + 8);
    *bits += 12;
#endif
}

/* Adds where three words of bits, which move on, and of an interleaved filter differ: to `sum`, returns the carry. */
EBNN_COUNT_PART uint32_t ebnn_add_three(uint32_t *sum, const uint8_t **bits, const uint32_t *weights)
{
    uint32_t b, c;

    ebnn_load_three(bits, sum, &b, &c);
    *sum ^= EBNN_WEIGHTS_AT(0);
    b = ebnn_full_add(sum, b ^ EBNN_WEIGHTS_AT(4), c ^ EBNN_WEIGHTS_AT(8));
    EBNN_FIRST(*sum, b);
    return b;
}

/* Words of a row, in the high half of a count, which spares a register. */
#define EBNN_WORDS(words) ((uint32_t)(words) << 16)

/*
 * Mismatches of one of four interleaved filters, in the low half; row: EBNN_WORDS of it. Nine words at a time go
 * through three full adders, bit by bit, and the three sums and three carries are counted like words: on a Cortex-M3 21
 * operations to load and compare, 15 to add, 39 to count.
 */
EBNN_KERNEL uint32_t ebnn_mismatches_of_4(const uint8_t *bits, const uint32_t *weights, uint32_t row)
{
    ebnn_fields_t fields;
    uint32_t a, b, c, d, e, f;

    if (row >= EBNN_WORDS(9))
        do {
            d = ebnn_add_three(&a, &bits, weights);
            e = ebnn_add_three(&b, &bits, weights + 12);
            f = ebnn_add_three(&c, &bits, weights + 24);
            fields.of_2 = ebnn_keep(0x55555555ul); /* each takes a register only from here on */
            fields.of_4 = ebnn_keep(0x33333333ul);
            a = ebnn_ones_of_4_in_3(a, b, c, fields);
            EBNN_FIRST(a, d);
            d = ebnn_ones_of_4_in_3(d, e, f, fields);
            row -= EBNN_WORDS(9);
            EBNN_FIRST(d, row);
            fields.of_8 = ebnn_keep(0x0F0F0F0Ful);
            a = ebnn_pairs_of_4(a, fields) + 2u * ebnn_pairs_of_4(d, fields); /* up to 24 and twice 24 */
            row += ebnn_large_sum_of_8(a);
            weights += 36;
            EBNN_MOVE_POINTERS();
        } while (row >= EBNN_WORDS(9));
    if (row >= EBNN_WORDS(1)) {
        fields = ebnn_fields();
        if (row >= EBNN_WORDS(3))
            do {
                ebnn_load_three(&bits, &a, &b, &c);
                a ^= EBNN_WEIGHTS_AT(0);
                b ^= EBNN_WEIGHTS_AT(4);
                row += ebnn_ones_3(a, b, c ^ EBNN_WEIGHTS_AT(8), fields);
                row -= EBNN_WORDS(3);
                weights += 12;
                EBNN_MOVE_POINTERS();
            } while (row >= EBNN_WORDS(3));
        if (row >= EBNN_WORDS(2))
            row += ebnn_ones_3(EBNN_DIFFERENT(0, 4), EBNN_DIFFERENT(1, 4), 0, fields);
        else if (row >= EBNN_WORDS(1))
            row += ebnn_ones_1(EBNN_DIFFERENT(0, 4), fields);
    }
    return row;
}

#else

/* Mismatches of two of four interleaved filters, which share the loads of bits. */
EBNN_COUNT_PART void ebnn_mismatches_2(const uint8_t *bits, const uint32_t *weights, uint16_t words, uint16_t counts[2],
                                       ebnn_fields_t fields)
{
    int32_t left = (int32_t)words - 3;
    uint32_t first = 0, second = 0;
    uint32_t a, b, c;

    if (left >= 0)
        do {
            a = EBNN_BITS_AT(0);
            b = EBNN_BITS_AT(1);
            c = EBNN_BITS_AT(2);
            first += ebnn_ones_3(a ^ EBNN_WEIGHTS_AT(0), b ^ EBNN_WEIGHTS_AT(4), c ^ EBNN_WEIGHTS_AT(8), fields);
            second += ebnn_ones_3(a ^ EBNN_WEIGHTS_AT(1), b ^ EBNN_WEIGHTS_AT(5), c ^ EBNN_WEIGHTS_AT(9), fields);
            bits += 12;
            weights += 12;
            left -= 3;
            EBNN_MOVE_POINTERS();
        } while (left >= 0);
    for (left += 3; left > 0; left--, bits += 4, weights += 4) {
        a = EBNN_BITS_AT(0);
        first += ebnn_ones_1(a ^ EBNN_WEIGHTS_AT(0), fields);
        second += ebnn_ones_1(a ^ EBNN_WEIGHTS_AT(1), fields);
    }
    counts[0] = (uint16_t)first;
    counts[1] = (uint16_t)second;
}

#endif

/* Mismatches of four filters that are interleaved by word: word w of filter j is weights[4 * w + j]. */
EBNN_KERNEL void ebnn_mismatches_4(const uint8_t *bits, const uint32_t *weights, uint16_t words, uint16_t counts[4])
{
    const uint16_t *end = counts + 4;

#if EBNN_LONG_ROWS
    if (words >= 16u) {
        for (; counts != end; counts++, weights++)
            *counts = ebnn_mismatches_long_of_4(bits, weights, words);
        return;
    }
#endif
    {
#if EBNN_NINE_WORDS
        const uint32_t row = EBNN_WORDS(words);

        for (; counts != end; counts++, weights++)
            *counts = (uint16_t)ebnn_mismatches_of_4(bits, weights, row);
#else
        const ebnn_fields_t fields = ebnn_fields();

        for (; counts != end; counts += 2, weights += 2)
            ebnn_mismatches_2(bits, weights, words, counts, fields);
#endif
    }
}

/* Mismatches of four interleaved filters among the bits that are 1 in `mask`. */
EBNN_KERNEL void ebnn_masked_mismatches_4(const uint8_t *bits, const uint8_t *mask, const uint32_t *weights,
                                          uint16_t words, uint16_t counts[4])
{
    const ebnn_fields_t fields = ebnn_fields();
    uint16_t filter;

    for (filter = 0; filter < 4u; filter++) {
        uint32_t count = 0;
        uint16_t at = 0;

        do {
            const uint32_t different = EBNN_BITS_AT(at) ^ EBNN_WEIGHTS_AT(4u * at + filter);

            count += ebnn_ones_1(different & ebnn_load_word(mask + 4u * at), fields);
            at++;
        } while (at < words);
        counts[filter] = (uint16_t)count;
    }
}

#endif
