/*
 * Products of bytes where one row of sums is added at a time (AVR). Both factors are unsigned: a weight + 128, and a
 * value, + 128 where values are signed. Weights lie by up to 256 taps, those of three filters side by side, the last
 * ones by two. Before the taps of signed values stand 24 bits for each filter: −128 times the sum of its
 * weights + 128, which its sum starts with.
 */
#ifndef EBNN_MULTIPLY_AVR_H
#define EBNN_MULTIPLY_AVR_H

#include "integer.h"

#if EBNN_LANES == 1

#define EBNN_MULTIPLY_CHUNK 256u /* taps whose sums fit 24 bits, unsigned, or signed with what they start with */

/* Some taps of one patch or two, and the filters that are left. Offsets are known to the assembly. */
typedef struct {
    const uint8_t *values[2]; /* 0, 2 */
    uint8_t fours, ones;      /* 4, 5: taps */
    uint8_t is_signed;        /* 6: 0xFF where values are signed, else 0 */
    uint8_t flip;             /* 7: what makes the one patch's values unsigned */
    int32_t *sums[2];         /* 8, 10: of the next filters */
    int32_t *threes, *twos;   /* 12, 14: where the last patch's sums end that are taken by three, and all */
    uint32_t starts[2];       /* 16, 20: what is added to the sums of each patch */
    uint8_t more;             /* 24: 1 where the sums so far are added instead */
} ebnn_multiply_t;

#if defined(__AVR_HAVE_MUL__)

/* The sum of a patch and a filter, in three registers, with a product added. */
#define EBNN_AVR_ADD(value, low, middle, high) \
    "mul " value ", r22\n\tadd " low ", r0\n\tadc " middle ", r1\n\tadc " high ", r23\n\t"

/*
 * A tap: 43 cycles of two patches under three filters, 7.2 a product; 30 under two. One patch: 27 and 19. X and Y read
 * values, Z weights. r20 and r21: values, or the flip; r22: a weight; r23: 0.
 */
#define EBNN_AVR_WEIGHT EBNN_AVR_READ " r22, Z+\n\t"
#define EBNN_AVR_TAP_2_2                                                                                     \
    "ld r20, X+\n\tld r21, Y+\n\t"                                                                          \
    EBNN_AVR_WEIGHT EBNN_AVR_ADD("r20", "r2", "r3", "r14") EBNN_AVR_ADD("r21", "r8", "r9", "r17")          \
    EBNN_AVR_WEIGHT EBNN_AVR_ADD("r20", "r4", "r5", "r15") EBNN_AVR_ADD("r21", "r10", "r11", "r18")
#define EBNN_AVR_TAP_2_3                                                                                     \
    EBNN_AVR_TAP_2_2                                                                                         \
    EBNN_AVR_WEIGHT EBNN_AVR_ADD("r20", "r6", "r7", "r16") EBNN_AVR_ADD("r21", "r12", "r13", "r19")
#define EBNN_AVR_TAP_1_2                                                                                     \
    "ld r20, X+\n\teor r20, r21\n\t"                                                                        \
    EBNN_AVR_WEIGHT EBNN_AVR_ADD("r20", "r2", "r3", "r14")                                                \
    EBNN_AVR_WEIGHT EBNN_AVR_ADD("r20", "r4", "r5", "r15")
#define EBNN_AVR_TAP_1_3                                                                                     \
    EBNN_AVR_TAP_1_2 EBNN_AVR_WEIGHT EBNN_AVR_ADD("r20", "r6", "r7", "r16")

/* What three sums start with, read or 0, for the first patch and the second. */
#define EBNN_AVR_START(low, middle, high) \
    EBNN_AVR_READ " " low ", Z+\n\t" EBNN_AVR_READ " " middle ", Z+\n\t" EBNN_AVR_READ " " high ", Z+\n\t"
#define EBNN_AVR_READ_2 EBNN_AVR_START("r2", "r3", "r14") EBNN_AVR_START("r4", "r5", "r15")
#define EBNN_AVR_READ_3 EBNN_AVR_READ_2 EBNN_AVR_START("r6", "r7", "r16")
#define EBNN_AVR_STARTS(read)               \
    "ldd r23, Y+6\n\t"                      \
    "sbrs r23, 0\n\t"                       \
    "rjmp 1f\n\t" read                      \
    "rjmp 2f\n"                             \
    "1:\n\t"                                \
    "clr r2\n\tclr r3\n\tmovw r4, r2\n\t"   \
    "movw r6, r2\n\tmovw r14, r2\n\tclr r16\n" \
    "2:\n\t"                                \
    "clr r23\n\t"

/* What is added to a sum: to r20, r21, r22 and r24, where it is the sums so far; all of it to the patch's. */
#define EBNN_AVR_END(low, middle, high)                                                           \
    "mov r0, " high "\n\tlsl r0\n\tsbc r0, r0\n\tand r0, r25\n\t"                                 \
    "brtc .+10\n\t"                                                                               \
    "ld r20, X+\n\tld r21, X+\n\tld r22, X+\n\tld r24, X+\n\tsbiw r26, 4\n\t"                     \
    "add " low ", r20\n\tadc " middle ", r21\n\tadc " high ", r22\n\tadc r0, r24\n\t"             \
    "st X+, " low "\n\tst X+, " middle "\n\tst X+, " high "\n\tst X+, r0\n\t"
#define EBNN_AVR_ENDS(sums, start, ends)                                                          \
    "ldd r26, Y+" sums "\n\tldd r27, Y+" sums "+1\n\t"                                            \
    "ldd r20, Y+" start "\n\tldd r21, Y+" start "+1\n\t"                                          \
    "ldd r22, Y+" start "+2\n\tldd r24, Y+" start "+3\n\t" ends                                   \
    "std Y+" sums ", r26\n\tstd Y+" sums "+1, r27\n\t"
#define EBNN_AVR_ENDS_OF_FIRST_2 EBNN_AVR_END("r2", "r3", "r14") EBNN_AVR_END("r4", "r5", "r15")
#define EBNN_AVR_ENDS_OF_FIRST_3 EBNN_AVR_ENDS_OF_FIRST_2 EBNN_AVR_END("r6", "r7", "r16")
#define EBNN_AVR_ENDS_OF_SECOND_2 EBNN_AVR_END("r8", "r9", "r17") EBNN_AVR_END("r10", "r11", "r18")
#define EBNN_AVR_ENDS_OF_SECOND_3 EBNN_AVR_ENDS_OF_SECOND_2 EBNN_AVR_END("r12", "r13", "r19")

/* Four taps a turn; or eight, where an odd four begins in the midst. */
#define EBNN_AVR_FOUR(tap) "1:\n\t" tap tap tap tap
#define EBNN_AVR_EIGHT(tap) \
    "inc r24\n\tlsr r24\n\tbrcs 1f\n\trjmp 5f\n" EBNN_AVR_FOUR(tap) "5:\n\t" tap tap tap tap

/* Groups of filters until the last patch's sums, at `sums`, reach `end`; r20 and r21 are set by `others`. */
#define EBNN_AVR_GROUPS(sums, end, read, others, tap, turn, ends)               \
    "ldd r26, Y+" sums "\n\t"                                                   \
    "ldd r27, Y+" sums "+1\n\t"                                                 \
    "rjmp 7f\n"                                                                 \
    "6:\n\t"                                                                    \
    EBNN_AVR_STARTS(read)                                                       \
    "ldd r24, Y+4\n\t"                                                          \
    "ldd r25, Y+5\n\t"                                                          \
    "ldd r26, Y+0\n\t"                                                          \
    "ldd r27, Y+1\n\t" others                                                   \
    "tst r24\n\t"                                                               \
    "brne .+2\n\t"                                                              \
    "rjmp 2f\n\t" turn                                                          \
    "dec r24\n\t"                                                               \
    "breq 2f\n\t"                                                               \
    "rjmp 1b\n"                                                                 \
    "2:\n\t"                                                                    \
    "tst r25\n\t"                                                               \
    "breq 4f\n"                                                                 \
    "3:\n\t" tap                                                                \
    "dec r25\n\t"                                                               \
    "brne 3b\n"                                                                 \
    "4:\n\t" ends                                                               \
    "7:\n\t" /* X: where the last patch's next sum lies */                      \
    "ldd r20, Y+" end "\n\t"                                                    \
    "ldd r21, Y+" end "+1\n\t"                                                  \
    "cp r26, r20\n\t"                                                           \
    "cpc r27, r21\n\t"                                                          \
    "breq .+2\n\t"                                                              \
    "rjmp 6b\n\t"

/* The second patch's sums start as the first's, and Y reads its values; the block waits on the stack. */
#define EBNN_AVR_SECOND                                                         \
    "movw r8, r2\n\tmovw r10, r4\n\tmovw r12, r6\n\t"                           \
    "mov r17, r14\n\tmov r18, r15\n\tmov r19, r16\n\t"                          \
    "push r28\n\tpush r29\n\t"                                                  \
    "ldd r0, Y+2\n\tldd r29, Y+3\n\tmov r28, r0\n\t"
#define EBNN_AVR_ENDS_OF_BOTH(filters)                                          \
    "pop r29\n\tpop r28\n\tldd r25, Y+6\n\t"                                    \
    EBNN_AVR_ENDS("8", "16", EBNN_AVR_ENDS_OF_FIRST_##filters)                  \
    EBNN_AVR_ENDS("10", "20", EBNN_AVR_ENDS_OF_SECOND_##filters)
#define EBNN_AVR_FLIP "ldd r21, Y+7\n\t"
#define EBNN_AVR_ENDS_OF_ONE(filters) \
    "ldd r25, Y+6\n\t" EBNN_AVR_ENDS("8", "16", EBNN_AVR_ENDS_OF_FIRST_##filters)

/* All filters, three and then two at a time. Returns the weights behind. */
#define EBNN_AVR_MULTIPLY(name, sums, others, taps, turn, ends)                                                        \
    EBNN_KERNEL const uint8_t *name(ebnn_multiply_t *now, const uint8_t *weights)                                      \
    {                                                                                                                  \
        register ebnn_multiply_t *block __asm__("r24") = now;                                                          \
        register const uint8_t *in_flash __asm__("r30") = weights;                                                     \
                                                                                                                       \
        __asm__ __volatile__("push r28\n\tpush r29\n\tmovw r28, r24\n\tldd r20, Y+24\n\tbst r20, 0\n\t"                \
                             EBNN_AVR_GROUPS(sums, "12", EBNN_AVR_READ_3, others, taps##_3, turn(taps##_3), ends(3))   \
                             EBNN_AVR_GROUPS(sums, "14", EBNN_AVR_READ_2, others, taps##_2, EBNN_AVR_FOUR(taps##_2),   \
                                             ends(2))                                                                  \
                             "pop r29\n\tpop r28\n\tclr r1\n\t"                                                        \
                             : "+r"(block), "+r"(in_flash)                                                             \
                             :                                                                                         \
                             : "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "r13", "r14",      \
                               "r15", "r16", "r17", "r18", "r19", "r20", "r21", "r22", "r23", "r26", "r27", "memory"); \
        return in_flash;                                                                                               \
    }

EBNN_AVR_MULTIPLY(ebnn_multiply_both, "10", EBNN_AVR_SECOND, EBNN_AVR_TAP_2, EBNN_AVR_EIGHT, EBNN_AVR_ENDS_OF_BOTH)
EBNN_AVR_MULTIPLY(ebnn_multiply_one, "8", EBNN_AVR_FLIP, EBNN_AVR_TAP_1, EBNN_AVR_FOUR, EBNN_AVR_ENDS_OF_ONE)

/* Adds a byte that X reads to `sum`, and stores it. */
#define EBNN_AVR_FACTOR(store) "ld r0, X+\n\teor r0, %[flip]\n\t" store "add %A[sum], r0\n\tadc %B[sum], r1\n\t"
#define EBNN_AVR_FACTORS(store)                                                                  \
    "clr %A[sum]\n\tclr %B[sum]\n\tmov %[count], %[eights]\n\ttst %[count]\n\tbreq 2f\n"         \
    "1:\n\t" EBNN_AVR_FACTOR(store) EBNN_AVR_FACTOR(store) EBNN_AVR_FACTOR(store)                \
    EBNN_AVR_FACTOR(store) EBNN_AVR_FACTOR(store) EBNN_AVR_FACTOR(store)                         \
    EBNN_AVR_FACTOR(store) EBNN_AVR_FACTOR(store) "dec %[count]\n\tbrne 1b\n"                    \
    "2:\n\tmov %[count], %[ones]\n\ttst %[count]\n\tbreq 4f\n"                                  \
    "3:\n\t" EBNN_AVR_FACTOR(store) "dec %[count]\n\tbrne 3b\n"                                 \
    "4:\n\t"

#else

/* Some filters at a time, until the last patch's sums reach `end`. */
EBNN_PART const uint8_t *ebnn_multiply_group(ebnn_multiply_t *now, const uint8_t *weights, uint8_t patches,
                                             uint8_t filters, const int32_t *end)
{
    const uint16_t taps = (uint16_t)(4u * now->fours + now->ones);
    uint8_t patch, filter, byte;
    uint16_t tap;

    while (now->sums[patches - 1u] != end) {
        uint32_t starts[3] = {0, 0, 0};

        for (filter = 0; now->is_signed && filter < filters; filter++) {
            for (byte = 0; byte < 3u; byte++)
                starts[filter] |= (uint32_t)EBNN_READ_U8(weights++) << (8u * byte);
            if (starts[filter] != 0u)
                starts[filter] |= (uint32_t)0xFF000000ul;
        }
        for (patch = 0; patch < patches; patch++)
            for (filter = 0; filter < filters; filter++) {
                uint32_t sum = starts[filter] + (now->more ? (uint32_t)*now->sums[patch] : now->starts[patch]);

                for (tap = 0; tap < taps; tap++)
                    sum += (uint16_t)((uint16_t)(uint8_t)(now->values[patch][tap] ^ now->flip) *
                                      (unsigned)EBNN_READ_U8(weights + tap * filters + filter));
                *now->sums[patch]++ = (int32_t)sum;
            }
        weights += taps * filters;
    }
    return weights;
}

EBNN_KERNEL const uint8_t *ebnn_multiply_both(ebnn_multiply_t *now, const uint8_t *weights)
{
    return ebnn_multiply_group(now, ebnn_multiply_group(now, weights, 2, 3, now->threes), 2, 2, now->twos);
}

EBNN_KERNEL const uint8_t *ebnn_multiply_one(ebnn_multiply_t *now, const uint8_t *weights)
{
    return ebnn_multiply_group(now, ebnn_multiply_group(now, weights, 1, 3, now->threes), 1, 2, now->twos);
}

#endif

/* Sum of up to 256 bytes, each turned over by `flip`. */
EBNN_KERNEL uint16_t ebnn_sum_factors(const uint8_t *from, uint16_t bytes, uint8_t flip)
{
    uint16_t sum = 0;

#if defined(__AVR_HAVE_MUL__)
    const uint8_t eights = (uint8_t)(bytes / 8u), ones = bytes % 8u;
    uint8_t count;

    __asm__ __volatile__(EBNN_AVR_FACTORS("")
                         : "+&x"(from), [sum] "+&r"(sum), [count] "=&r"(count)
                         : [eights] "r"(eights), [ones] "r"(ones), [flip] "r"(flip)
                         : "memory");
#else
    for (; bytes > 0u; bytes--)
        sum = (uint16_t)(sum + (*from++ ^ flip));
#endif
    return sum;
}

/* Copies rows of up to 256 bytes, each turned over by `flip`, and returns their sum; skips: bytes between rows. */
EBNN_KERNEL uint32_t ebnn_copy_factors(uint8_t *to, const uint8_t *from, uint16_t rows, uint16_t run, uint16_t skip_to,
                                       uint16_t skip_from, uint8_t flip)
{
    uint32_t total = 0;

#if defined(__AVR_HAVE_MUL__)
    const uint8_t eights = (uint8_t)(run / 8u), ones = run % 8u;
    uint16_t sum;
    uint8_t count;

    __asm__ __volatile__("5:\n\t" EBNN_AVR_FACTORS("st Z+, r0\n\t")
                         "add %A[total], %A[sum]\n\tadc %B[total], %B[sum]\n\t"
                         "adc %C[total], r1\n\tadc %D[total], r1\n\t"
                         "add r26, %A[skip_from]\n\tadc r27, %B[skip_from]\n\t"
                         "add r30, %A[skip_to]\n\tadc r31, %B[skip_to]\n\t"
                         "sbiw %[rows], 1\n\t"
                         "breq .+2\n\t"
                         "rjmp 5b"
                         : "+&x"(from), "+&z"(to), [total] "+&r"(total), [sum] "=&r"(sum), [count] "=&r"(count),
                           [rows] "+&w"(rows)
                         : [eights] "r"(eights), [ones] "r"(ones), [flip] "r"(flip), [skip_to] "r"(skip_to),
                           [skip_from] "r"(skip_from)
                         : "memory");
#else
    for (; rows > 0u; rows--, to += skip_to, from += skip_from) {
        uint16_t left;

        for (left = run; left > 0u; left--) {
            *to = (uint8_t)(*from++ ^ flip);
            total += *to++;
        }
    }
#endif
    return total;
}

/* Bytes, gathered as factors, with the sum of the values; those outside the image are 0. */
EBNN_KERNEL void ebnn_find_factors(const ebnn_conv_t *conv, const uint8_t *input, const ebnn_overlap_t *at,
                                   uint8_t *room, ebnn_patch_t *patch)
{
    const uint8_t flip = conv->filters.kind == EBNN_INT8 ? 0x80u : 0u;
    const uint16_t in_c = conv->in_c, columns = (uint16_t)(at->columns.end - at->columns.begin);
    const uint16_t rows = (uint16_t)(at->rows.end - at->rows.begin);
    const size_t kernel_row = (size_t)conv->kernel_columns.size * in_c;
    const size_t image_row = (size_t)conv->kernel_columns.side * in_c;
    uint16_t run = (uint16_t)(columns * in_c);
    uint32_t sum = 0u - (uint32_t)flip * (uint16_t)(rows * run);

    patch->values = room;
    if (rows != conv->kernel_rows.size || columns != conv->kernel_columns.size)
        memset(room, flip, conv->filters.taps);
    if (rows > 0u) {
        room += at->rows.first * kernel_row + (size_t)at->columns.first * in_c;
        input += at->rows.begin * image_row + (size_t)at->columns.begin * in_c;
        while (run > 0u) {
            const uint16_t few = run < EBNN_MULTIPLY_CHUNK ? run : EBNN_MULTIPLY_CHUNK;

            sum += ebnn_copy_factors(room, input, rows, few, (uint16_t)(kernel_row - few), (uint16_t)(image_row - few),
                                     flip);
            room += few;
            input += few;
            run = (uint16_t)(run - few);
        }
    }
    patch->sum = sum;
}

/* All bytes of the input, where they are, with the sum of the values. */
EBNN_KERNEL void ebnn_find_factors_here(const ebnn_conv_t *conv, const uint8_t *input, const ebnn_overlap_t *at,
                                        uint8_t *room, ebnn_patch_t *patch)
{
    const uint8_t flip = conv->filters.kind == EBNN_INT8 ? 0x80u : 0u;
    size_t left = conv->filters.taps;
    uint32_t sum = 0u - (uint32_t)flip * (uint32_t)left;

    (void)at;
    (void)room;
    patch->values = input;
    while (left > 0u) {
        const uint16_t few = left < EBNN_MULTIPLY_CHUNK ? (uint16_t)left : EBNN_MULTIPLY_CHUNK;

        sum += ebnn_sum_factors(input, few, flip);
        input += few;
        left -= few;
    }
    patch->sum = sum;
}

/* Bits as factors, with the sum of their values, −1, +1, and 0 outside the image. */
EBNN_KERNEL void ebnn_find_signs_as_factors(const ebnn_conv_t *conv, const uint8_t *input, const ebnn_overlap_t *at,
                                            uint8_t *room, ebnn_patch_t *patch)
{
    const uint16_t taps = (uint16_t)conv->filters.taps, rest = taps % EBNN_MULTIPLY_CHUNK;
    uint32_t sum = 0u - 128u * (uint32_t)taps;

    ebnn_find_signs(conv, input, at, room, patch);
    if (rest > 0u)
        sum += ebnn_copy_factors(room, room, 1, rest, 0, 0, 0x80);
    if (taps != rest)
        sum += ebnn_copy_factors(room + rest, room + rest, taps / EBNN_MULTIPLY_CHUNK, EBNN_MULTIPLY_CHUNK, 0, 0, 0x80);
    patch->sum = sum;
}

/* The sums of one or two patches under all filters; of one filter beside an empty one. */
EBNN_KERNEL void ebnn_multiply(const ebnn_integer_t *layer, const ebnn_patch_t *patches, uint8_t count, int32_t *sums)
{
    const ebnn_filters_t *const filters = &layer->conv.filters;
    const uint16_t outputs = filters->outputs < 2u ? 2u : filters->outputs;
    const uint16_t third = (uint16_t)((43691ul * (uint16_t)(outputs + 2u)) >> 16) / 2u; /* rounded up */
    const uint16_t by_threes = (uint16_t)(3u * outputs - 6u * third); /* 2 · (3 · third − outputs) go by twos */
    const uint8_t *weights = (const uint8_t *)filters->weights;
    size_t left = filters->taps;
    int32_t alone[2 * EBNN_PATCHES], *const to = filters->outputs < 2u ? alone : sums;
    ebnn_multiply_t now;
    uint8_t i;

    now.is_signed = filters->kind == EBNN_UINT8 ? 0u : 0xFFu;
    now.flip = (uint8_t)(layer->room == 0u ? now.is_signed & 0x80u : 0u);
    now.threes = to + (count - 1u) * outputs + by_threes;
    now.twos = to + count * outputs;
    for (i = 0; i < count; i++) {
        now.values[i] = patches[i].values;
        now.starts[i] = 0u - 128u * patches[i].sum;
    }
    now.more = 0;
    for (;;) {
        const uint16_t taps = left < EBNN_MULTIPLY_CHUNK ? (uint16_t)left : EBNN_MULTIPLY_CHUNK;

        now.fours = (uint8_t)(taps / 4u);
        now.ones = taps % 4u;
        now.sums[0] = to;
        now.sums[1] = to + outputs;
        weights = count > 1u ? ebnn_multiply_both(&now, weights) : ebnn_multiply_one(&now, weights);
        left -= taps;
        if (left == 0u)
            break;
        now.values[0] += taps;
        if (count > 1u)
            now.values[1] += taps;
        now.more = 1;
    }
    for (i = 0; filters->outputs < 2u && i < count; i++)
        sums[i] = alone[2u * i];
}

#endif

#endif
