/*
 * The last layer: a score for each class, and the class.
 */
#ifndef EBNN_OUTPUT_H
#define EBNN_OUTPUT_H

#include "compare.h"

/* The last layer. Lies in flash. */
typedef struct {
    ebnn_filters_t filters;
    const int16_t *multipliers; /* outputs */
    const int32_t *offsets;     /* outputs */
} ebnn_output_t;

/* The class that leads. */
typedef struct {
    int32_t score;
    uint8_t winner;
} ebnn_best_t;

/* multiplier · acc + offset: of a damaged network, modulo 2^32. */
EBNN_INLINE int32_t ebnn_scored(int32_t acc, int16_t multiplier, uint32_t offset)
{
    return (int32_t)((uint32_t)(int32_t)multiplier * (uint32_t)acc + offset);
}

/* score[k] = multiplier[k] · acc + offset[k]; the first of the largest leads. scores: NULL when nobody asks for
 * them. */
EBNN_KERNEL void ebnn_score(const ebnn_output_t *output, uint8_t k, int32_t acc, int32_t *scores, ebnn_best_t *best)
{
    const int32_t score =
        ebnn_scored(acc, (int16_t)EBNN_READ_U16(output->multipliers + k), EBNN_READ_U32(output->offsets + k));

    if (scores != NULL)
        scores[k] = score;
    if (k == 0u || score > best->score) {
        best->score = score;
        best->winner = k;
    }
}

/*
 * The last layer. Returns the class.
 * input: bits from a word on, up to a whole one; scores: one for each class, or NULL when only the class is asked for.
 */
EBNN_KERNEL uint8_t ebnn_output_bits(const ebnn_output_t *in_flash, const uint8_t *input, int32_t *scores)
{
    ebnn_output_t output;
    ebnn_best_t best = {0, 0};
    uint8_t k;

    EBNN_READ_BLOCK(&output, in_flash, sizeof output);
    for (k = 0; k < output.filters.outputs; k++, output.filters.weights += output.filters.words)
        ebnn_score(&output, k, ebnn_dot_bits(&output.filters, input, output.filters.weights), scores, &best);
    return best.winner;
}

/*
 * The last layer on bits, four classes at a time, their words side by side; the last classes, fewer than four, one
 * after the other. scores: NULL when nobody asks for them. Returns the class.
 */
EBNN_KERNEL uint8_t ebnn_output_bits_4(const ebnn_output_t *in_flash, const uint8_t *input, int32_t *scores)
{
    ebnn_output_t output;
    ebnn_best_t best = {0, 0};
    uint16_t mismatches[EBNN_GROUP];
    uint16_t k = 0;
    uint8_t group, j;

    EBNN_READ_BLOCK(&output, in_flash, sizeof output);
    for (; k < output.filters.outputs; output.filters.weights += group * output.filters.words) {
        group = k + EBNN_GROUP <= output.filters.outputs ? EBNN_GROUP : 1u;
        if (group == 1u)
            mismatches[0] = ebnn_mismatches(input, output.filters.weights, (uint16_t)output.filters.words);
        else
            ebnn_mismatches_4(input, output.filters.weights, (uint16_t)output.filters.words, mismatches);
        for (j = 0; j < group; j++, k++)
            ebnn_score(&output, (uint8_t)k, (int32_t)output.filters.taps - 2 * (int32_t)mismatches[j], scores, &best);
    }
    return best.winner;
}

/* The last layer on bytes. scores: NULL when nobody asks for them. Returns the class. */
EBNN_KERNEL uint8_t ebnn_output_bytes(const ebnn_output_t *in_flash, const uint8_t *input, int32_t *scores)
{
    ebnn_output_t output;
    ebnn_best_t best = {0, 0};
    int32_t total;
    uint8_t k;

    EBNN_READ_BLOCK(&output, in_flash, sizeof output);
    total = ebnn_input_total(&output.filters, input);
    for (k = 0; k < output.filters.outputs; k++, output.filters.weights += output.filters.words)
        ebnn_score(&output, k, ebnn_dot_bytes(&output.filters, input, total, output.filters.weights), scores, &best);
    return best.winner;
}

#endif
