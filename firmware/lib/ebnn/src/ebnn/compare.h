/*
 * Comparisons of an input, or of a patch of it, under all filters of a block: an output's bit is
 * (acc >= threshold) != flip.
 */
#ifndef EBNN_COMPARE_H
#define EBNN_COMPARE_H

#include "dot.h"

/* Threshold `at`, of int16_t or int32_t. */
EBNN_INLINE int32_t ebnn_threshold(const void *thresholds, uint8_t bytes, uint16_t at)
{
    return bytes == 2u ? (int32_t)(int16_t)EBNN_READ_U16((const uint16_t *)thresholds + at)
                       : (int32_t)EBNN_READ_U32((const uint32_t *)thresholds + at);
}

/* The place of an output's bit. */
typedef struct {
    uint8_t *byte;
    uint8_t mask;
} ebnn_place_t;

EBNN_INLINE ebnn_place_t ebnn_place(uint8_t *row, uint16_t at)
{
    ebnn_place_t place;

    place.byte = row + at / 8u;
    place.mask = (uint8_t)(1u << (at % 8u));
    return place;
}

/* To the next bit. */
EBNN_INLINE void ebnn_step(ebnn_place_t *place)
{
    place->mask = (uint8_t)(place->mask << 1);
    if (place->mask == 0u) {
        place->mask = 1;
        place->byte++;
    }
}

/* ORs four bits into their place and steps over them; a multiplication moves them, 8-bit cores shift bit by bit. */
EBNN_INLINE void ebnn_place_four(ebnn_place_t *place, uint8_t bits)
{
    const uint16_t moved = (uint16_t)(bits * place->mask);

    *place->byte = (uint8_t)(*place->byte | moved);
    if (moved > 0xFFu)
        place->byte[1] = (uint8_t)(place->byte[1] | (moved >> 8));
    if (place->mask >= 16u) {
        place->mask = (uint8_t)(place->mask >> 4);
        place->byte++;
    } else {
        place->mask = (uint8_t)(place->mask << 4);
    }
}

/* XORs `count` flips into the bits from `place` on. */
EBNN_INLINE void ebnn_apply_flips(ebnn_place_t place, const uint8_t *flips, uint16_t count)
{
    uint8_t left = 0, byte = 0;

    if (flips == NULL)
        return;
    for (; count > 0u; count--, left--, byte = (uint8_t)(byte >> 1), ebnn_step(&place)) {
        if (left == 0u) {
            byte = EBNN_READ_U8(flips++);
            left = 8;
        }
        if (byte & 1u)
            *place.byte = (uint8_t)(*place.byte ^ place.mask);
    }
}

/* The sum of an input's values, where they are bytes. */
EBNN_INLINE int32_t ebnn_input_total(const ebnn_filters_t *filters, const uint8_t *values)
{
    return filters->kind == EBNN_BITS ? 0 : ebnn_total(values, filters->taps, filters->kind == EBNN_INT8);
}

/* Dot product of bytes with one filter; total: their sum. */
EBNN_INLINE int32_t ebnn_dot_bytes(const ebnn_filters_t *filters, const uint8_t *values, int32_t total,
                                   const uint32_t *weights)
{
    return 2 * ebnn_sum_bytes(values, weights, filters->taps, filters->kind == EBNN_INT8) - total;
}

/* Dot product of any number of bits with one filter. */
EBNN_KERNEL int32_t ebnn_dot_bits(const ebnn_filters_t *filters, const uint8_t *values, const uint32_t *weights)
{
    int32_t acc = (int32_t)filters->taps;
    size_t words;

    for (words = filters->words; words > EBNN_MOST_WORDS; words -= EBNN_MOST_WORDS) {
        acc -= 2 * (int32_t)ebnn_mismatches(values, weights, EBNN_MOST_WORDS);
        values += 4u * EBNN_MOST_WORDS;
        weights += EBNN_MOST_WORDS;
    }
    return acc - 2 * (int32_t)ebnn_mismatches(values, weights, (uint16_t)words);
}

/* Dot product of any values with one filter; mask, inside: see ebnn_compare_t. */
EBNN_INLINE int32_t ebnn_dot(const ebnn_filters_t *filters, const uint8_t *values, const uint8_t *mask, size_t inside,
                             int32_t total, const uint32_t *weights)
{
    if (filters->kind != EBNN_BITS)
        return ebnn_dot_bytes(filters, values, total, weights);
    if (mask != NULL)
        return (int32_t)inside - 2 * (int32_t)ebnn_masked_mismatches(values, mask, weights, (uint16_t)filters->words);
    return ebnn_dot_bits(filters, values, weights);
}

/*
 * Compares an input, or a patch of it, under every filter: sets the bits of the outputs that pass.
 * values: bytes, or bits from a word on, up to a whole one; mask: 1 for bits inside the image, NULL when all are;
 * inside: how many those are; place: of the first output.
 */
typedef void (*ebnn_compare_t)(const ebnn_filters_t *filters, const uint8_t *values, const uint8_t *mask, size_t inside,
                               ebnn_place_t place);

/* Any values, one filter after the other, whose output is still 0. */
EBNN_KERNEL void ebnn_compare_sums(const ebnn_filters_t *filters, const uint8_t *values, const uint8_t *mask,
                                   size_t inside, ebnn_place_t place)
{
    const uint32_t *weights = filters->weights;
    const int32_t total = ebnn_input_total(filters, values);
    uint16_t f;

    for (f = 0; f < filters->outputs; f++, weights += filters->words, ebnn_step(&place))
        if (!(*place.byte & place.mask) && ebnn_dot(filters, values, mask, inside, total, weights) >=
                                               ebnn_threshold(filters->thresholds, filters->threshold_bytes, f))
            *place.byte = (uint8_t)(*place.byte | place.mask);
}

/*
 * Bits, one filter after the other, whose output is still 0. Up to 32,766 taps: 16 bits hold every sum and its
 * threshold.
 */
EBNN_KERNEL void ebnn_compare_each(const ebnn_filters_t *filters, const uint8_t *values, const uint8_t *mask,
                                   size_t inside, ebnn_place_t place)
{
    const uint16_t words = (uint16_t)filters->words;
    const uint32_t *weights = filters->weights;
    const uint16_t *thresholds = (const uint16_t *)filters->thresholds;
    uint16_t left;

    for (left = filters->outputs; left > 0u; left--, weights += words, thresholds++, ebnn_step(&place)) {
        uint16_t mismatches;

        if (*place.byte & place.mask)
            continue;
        mismatches = mask == NULL ? ebnn_mismatches(values, weights, words)
                                  : ebnn_masked_mismatches(values, mask, weights, words);
        if ((int16_t)(inside - 2u * mismatches) >= (int16_t)EBNN_READ_U16(thresholds))
            *place.byte = (uint8_t)(*place.byte | place.mask);
    }
}

#include "compare_avr.h"

#if !defined(EBNN_OWN_COMPARE_FOURS)

/*
 * Compares sums of bits with thresholds, four filters at a time, their words side by side, whatever their outputs
 * are; the last filters, fewer than four, one after the other.
 */
EBNN_KERNEL void ebnn_compare_fours(const ebnn_filters_t *filters, const uint8_t *values, const uint8_t *mask,
                                    size_t inside, ebnn_place_t place)
{
    const uint16_t words = (uint16_t)filters->words;
    const uint32_t *weights = filters->weights;
    const uint16_t *thresholds = (const uint16_t *)filters->thresholds;
    ebnn_filters_t rest;
    uint16_t left;

    for (left = filters->outputs; left >= EBNN_GROUP; left = (uint16_t)(left - EBNN_GROUP)) {
        uint16_t mismatches[EBNN_GROUP];
        uint8_t passed = 0, one = 1, j;

        if (mask == NULL)
            ebnn_mismatches_4(values, weights, words, mismatches);
        else
            ebnn_masked_mismatches_4(values, mask, weights, words, mismatches);
        for (j = 0; j < EBNN_GROUP; j++, thresholds++, one = (uint8_t)(one << 1))
            if ((int16_t)(inside - 2u * mismatches[j]) >= (int16_t)EBNN_READ_U16(thresholds))
                passed = (uint8_t)(passed | one);
        ebnn_place_four(&place, passed);
        weights += EBNN_GROUP * words;
    }
    if (left == 0u)
        return;
    rest = *filters;
    rest.weights = weights;
    rest.thresholds = thresholds;
    rest.outputs = left;
    ebnn_compare_each(&rest, values, mask, inside, place);
}

#endif

#endif
