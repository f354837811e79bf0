/*
 * Sums of values times weights of ±1.
 */
#ifndef EBNN_ADD_H
#define EBNN_ADD_H

#include "integer.h"

#if EBNN_LANES == 2

/* A value of two patches in one word: the sum of up to 16 of them fits the halves. */
EBNN_PART uint32_t ebnn_both(uint8_t x, uint8_t y, uint8_t is_signed)
{
    return is_signed ? (uint32_t)(int32_t)(int8_t)x + ((uint32_t)(int32_t)(int8_t)y << 16)
                     : (uint32_t)x + ((uint32_t)y << 16);
}

/* The sums of the two patches in such a word: the first borrows from the second where it is negative. */
EBNN_PART int32_t ebnn_low_half(uint32_t both)
{
    return (int16_t)(uint16_t)both;
}

EBNN_PART int32_t ebnn_high_half(uint32_t both)
{
    const uint32_t rest = both - (uint32_t)ebnn_low_half(both);

    return (int16_t)(uint16_t)(rest >> 16);
}

/* Four entries of a table, of the choices of two values, twice which are given. */
EBNN_PART void ebnn_four_choices(uint32_t *table, uint32_t sum, uint32_t first, uint32_t second)
{
    table[0] = sum;
    table[2] = sum + second;
    sum += first;
    table[1] = sum;
    table[3] = sum + second;
}

/* Sums of four values for each of the 16 choices of their weights. */
EBNN_PART void ebnn_choices(uint32_t *table, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    const uint32_t none = 0u - a - b - c - d;

    a *= 2u;
    b *= 2u;
    c *= 2u;
    d *= 2u;
    ebnn_four_choices(table, none, a, b);
    ebnn_four_choices(table + 4, none + c, a, b);
    ebnn_four_choices(table + 8, none + d, a, b);
    ebnn_four_choices(table + 12, none + c + d, a, b);
}

/* The table of up to four values of two patches, x and y, from a place on; those beyond the taps are 0. */
EBNN_KERNEL void ebnn_tabulate(uint32_t *table, const uint8_t *x, const uint8_t *y, size_t left, uint8_t is_signed)
{
    uint32_t values[4] = {0, 0, 0, 0};
    uint8_t i;

    for (i = 0; i < 4u && i < left; i++)
        values[i] = is_signed ? ebnn_both(x[i], y[i], 1) : ebnn_both(x[i], y[i], 0);
    ebnn_choices(table, values[0], values[1], values[2], values[3]);
}

/* Has a table's place in a register. */
#if defined(__GNUC__)
#define EBNN_POINTER_HERE(pointer) __asm__("" : "+r"(pointer))
#else
#define EBNN_POINTER_HERE(pointer) ((void)0)
#endif

/* Bytes: 16 taps of two patches at a time under all filters, by tables of the sums of four values. */
EBNN_KERNEL void ebnn_add_bytes(const ebnn_integer_t *layer, const ebnn_patch_t *patches, uint8_t count, int32_t *sums)
{
    const ebnn_filters_t *const filters = &layer->conv.filters;
    const size_t words = filters->words;
    const uint8_t *x = patches[0].values, *y = patches[count - 1u].values;
    const uint32_t *weights = filters->weights;
    size_t left = filters->taps;
    uint32_t tables[4][16];
    uint8_t shift = 0;

    memset(sums, 0, sizeof *sums * filters->outputs * count);
    for (;;) {
        const uint32_t *row = weights, *second = tables[1], *third = tables[2], *fourth = tables[3];
        const uint8_t fours = (uint8_t)(left >= 16u ? 4u : (left + 3u) / 4u);
        int32_t *sum = sums, *other = count == 2u ? sums + filters->outputs : NULL;
        uint16_t f;
        uint8_t i;

        for (i = 0; i < fours; i++)
            ebnn_tabulate(tables[i], x + 4u * i, y + 4u * i, left - 4u * i, filters->kind == EBNN_INT8);
        EBNN_POINTER_HERE(second);
        EBNN_POINTER_HERE(third);
        EBNN_POINTER_HERE(fourth);
        for (f = filters->outputs; f > 0u; f--, row += words) {
            const uint32_t bits = EBNN_READ_U32(row) >> shift;
            uint32_t both = tables[0][bits & 15u];

            if (fours == 4u) {
                both += second[(bits >> 4) & 15u];
                both += third[(bits >> 8) & 15u];
                both += fourth[(bits >> 12) & 15u];
            } else if (fours > 1u) {
                both += second[(bits >> 4) & 15u];
                if (fours > 2u)
                    both += third[(bits >> 8) & 15u];
            }
            *sum++ += ebnn_low_half(both);
            if (other != NULL)
                *other++ += ebnn_high_half(both);
        }
        if (left <= 16u)
            break;
        left -= 16u;
        x += 16;
        y += 16;
        weights += shift / 16u;
        shift ^= 16u;
    }
}

/*
 * Bits: four filters at a time, their words side by side, where there are four and EBNN_MOST_WORDS allow it; the last,
 * fewer than four, one after the other.
 */
EBNN_KERNEL void ebnn_add_bits(const ebnn_integer_t *layer, const ebnn_patch_t *patches, uint8_t count, int32_t *sums)
{
    const ebnn_filters_t *const filters = &layer->conv.filters;
    const uint16_t words = (uint16_t)filters->words;

    for (; count > 0u; count--, patches++) {
        const uint32_t *weights = filters->weights;
        const int32_t inside = (int32_t)patches->inside;
        uint16_t left = filters->outputs;

        if (filters->words <= EBNN_MOST_WORDS)
            for (; left >= EBNN_GROUP; left = (uint16_t)(left - EBNN_GROUP), weights += EBNN_GROUP * words) {
                uint16_t mismatches[EBNN_GROUP];
                uint8_t j;

                if (patches->mask == NULL)
                    ebnn_mismatches_4(patches->values, weights, words, mismatches);
                else
                    ebnn_masked_mismatches_4(patches->values, patches->mask, weights, words, mismatches);
                for (j = 0; j < EBNN_GROUP; j++)
                    *sums++ = inside - 2 * (int32_t)mismatches[j];
            }
        for (; left > 0u; left--, weights += filters->words)
            *sums++ = ebnn_dot(filters, patches->values, patches->mask, patches->inside, 0, weights);
    }
}

#else

/* Bits, or bytes. */
EBNN_INLINE void ebnn_add_any(const ebnn_integer_t *layer, const ebnn_patch_t *patches, uint8_t count, int32_t *sums)
{
    const ebnn_filters_t *filters = &layer->conv.filters;

    for (; count > 0u; count--, patches++) {
        const int32_t total = ebnn_input_total(filters, patches->values);
        const uint32_t *weights = filters->weights;
        uint16_t f;

        for (f = 0; f < filters->outputs; f++, weights += filters->words)
            *sums++ = ebnn_dot(filters, patches->values, patches->mask, patches->inside, total, weights);
    }
}

/* Bytes, filter by filter. */
EBNN_KERNEL void ebnn_add_bytes(const ebnn_integer_t *layer, const ebnn_patch_t *patches, uint8_t count, int32_t *sums)
{
    ebnn_add_any(layer, patches, count, sums);
}

/* Bits, filter by filter. */
EBNN_KERNEL void ebnn_add_bits(const ebnn_integer_t *layer, const ebnn_patch_t *patches, uint8_t count, int32_t *sums)
{
    ebnn_add_any(layer, patches, count, sums);
}

#endif

#endif
