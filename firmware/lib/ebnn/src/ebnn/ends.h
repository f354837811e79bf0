/*
 * What ends a layer of integer sums: signs by thresholds, small integers by multiplication and shift, scores.
 */
#ifndef EBNN_ENDS_H
#define EBNN_ENDS_H

#include "integer.h"
#include "output.h"

/* Bits: (acc >= threshold) != flip. output: rows of bits, still 0. */
EBNN_KERNEL uint8_t ebnn_end_signs(const ebnn_integer_t *layer, const int32_t *sums, void *output, uint16_t y,
                                   uint16_t x)
{
    const ebnn_filters_t *filters = &layer->conv.filters;
    uint8_t *row = (uint8_t *)output + (size_t)y * layer->conv.out_row_bytes;
    const ebnn_place_t first = ebnn_place(row, (uint16_t)(x * filters->outputs));
    ebnn_place_t place = first;
    uint16_t f;

    for (f = 0; f < filters->outputs; f++, ebnn_step(&place))
        if (sums[f] >= ebnn_threshold(filters->thresholds, filters->threshold_bytes, f))
            *place.byte = (uint8_t)(*place.byte | place.mask);
    ebnn_apply_flips(first, layer->conv.flips, filters->outputs);
    return 0;
}

/* The first output byte of a place. */
EBNN_INLINE uint8_t *ebnn_bytes_of(const ebnn_integer_t *layer, void *output, uint16_t y, uint16_t x)
{
    return (uint8_t *)output + ((size_t)y * layer->conv.out_w + x) * layer->conv.filters.outputs;
}

#include "ends_avr.h"

/* acc + bias: of a damaged network, modulo 2^32. */
EBNN_INLINE int32_t ebnn_biased(int32_t acc, uint32_t bias)
{
    return (int32_t)((uint32_t)acc + bias);
}

#if !defined(EBNN_OWN_NARROW)

/* A shift without the 15 bits that are left out of the product, and the rounding's one. */
#if EBNN_HAS_WORDS
#define EBNN_SHIFT(shift) ((shift) - 16)
#else
#define EBNN_SHIFT(shift) ((uint8_t)((shift) - 16u))
#endif

/* The sum times a multiplier, without its lowest 15 bits. */
EBNN_INLINE int32_t ebnn_multiplied(int32_t sum, int16_t multiplier)
{
#if EBNN_HAS_WORDS && !EBNN_EIGHT_REGISTERS
    return (int32_t)(((int64_t)sum * multiplier) >> 15);
#else /* where no instruction has a product of 64 bits, the halves are multiplied apart */
    const int32_t upper = (int32_t)(int16_t)(sum >> 16) * multiplier;
    const int32_t lower = (int32_t)((int32_t)(uint16_t)sum * multiplier) >> 15;

    return ebnn_biased(upper, (uint32_t)upper + (uint32_t)lower);
#endif
}

/*
 * clamp((sum · multiplier / 2^15 + 2^shift) >> (shift + 1), low, high), shift 0 to 31. The product's lowest 15 bits
 * are below the rounding's one.
 */
EBNN_INLINE uint8_t ebnn_requantize(int32_t sum, int16_t multiplier, int shift, int32_t low, int32_t high)
{
    int32_t value = ebnn_biased(ebnn_multiplied(sum, multiplier) >> shift, 1u) >> 1;

    if (value < low)
        value = low;
    if (value > high)
        value = high;
    return (uint8_t)value;
}

/* Has a loop move these pointers, where a compiler would add a count to each. */
#if EBNN_HAS_WORDS && defined(__GNUC__) && !EBNN_EIGHT_REGISTERS
#define EBNN_STEP_POINTERS(a, b, c, d) __asm__("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d))
#else
#define EBNN_STEP_POINTERS(a, b, c, d) ((void)0)
#endif

/* Bytes: clamp(((acc + bias) · multiplier + 2^(shift − 1)) >> shift), multipliers of 16 bits, shifts of 16 to 47. */
EBNN_KERNEL uint8_t ebnn_end_narrow(const ebnn_integer_t *layer, const int32_t *sums, void *output, uint16_t y,
                                    uint16_t x)
{
    const int32_t *biases = layer->biases;
    const int16_t *multipliers = (const int16_t *)layer->multipliers;
    const uint8_t *shifts = layer->shifts;
    const int16_t low = layer->low, high = layer->high;
    uint8_t *to = ebnn_bytes_of(layer, output, y, x);
    uint8_t *const end = to + layer->conv.filters.outputs;

    do {
        int32_t sum;
        int16_t multiplier;
        uint8_t shift;

        EBNN_STEP_POINTERS(sums, biases, multipliers, shifts);
        sum = ebnn_biased(*sums, EBNN_READ_U32(biases));
        multiplier = (int16_t)EBNN_READ_U16(multipliers);
        shift = EBNN_READ_U8(shifts);
        *to++ = ebnn_requantize(sum, multiplier, EBNN_SHIFT(shift), low, high);
        sums++;
        biases++;
        multipliers++;
        shifts++;
    } while (to != end);
    return 0;
}

#endif

/* Bytes: the same with multipliers of 32 bits and shifts of 16 to 62. */
EBNN_KERNEL uint8_t ebnn_end_wide(const ebnn_integer_t *layer, const int32_t *sums, void *output, uint16_t y,
                                  uint16_t x)
{
    const int32_t *multipliers = (const int32_t *)layer->multipliers;
    uint8_t *to = ebnn_bytes_of(layer, output, y, x);
    uint16_t f;

    for (f = 0; f < layer->conv.filters.outputs; f++) {
        const int32_t sum = ebnn_biased(sums[f], EBNN_READ_U32(layer->biases + f));
        const int64_t product = (int64_t)sum * (int32_t)EBNN_READ_U32(multipliers + f);
        const uint8_t shift = EBNN_READ_U8(layer->shifts + f);
        const int64_t rounded = (product + ((int64_t)1 << (shift - 1u))) >> shift;

        *to++ = (uint8_t)(rounded < layer->low ? layer->low : rounded > layer->high ? layer->high : (int16_t)rounded);
    }
    return 0;
}

/* Scores: multiplier · acc + offset; the first of the largest leads. output: NULL where nobody asks for them. */
EBNN_KERNEL uint8_t ebnn_end_scores(const ebnn_integer_t *layer, const int32_t *sums, void *output, uint16_t y,
                                    uint16_t x)
{
    const int16_t *multipliers = (const int16_t *)layer->multipliers;
    int32_t *scores = (int32_t *)output;
    ebnn_best_t best = {0, 0};
    uint16_t k;

    (void)y;
    (void)x;
    for (k = 0; k < layer->conv.filters.outputs; k++) {
        const int32_t score =
            ebnn_scored(sums[k], (int16_t)EBNN_READ_U16(multipliers + k), EBNN_READ_U32(layer->biases + k));

        if (scores != NULL)
            scores[k] = score;
        if (k == 0u || score > best.score) {
            best.score = score;
            best.winner = (uint8_t)k;
        }
    }
    return best.winner;
}

#endif
