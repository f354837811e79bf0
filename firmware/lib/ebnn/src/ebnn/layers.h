/*
 * The integer arithmetic: convolution and dense blocks that end in one comparison per output, and the last layer.
 *
 * An output's bit is (acc >= threshold) != flip. Max-pooling is an OR of the comparisons in the window. Activations of
 * bits begin on a word and end in zeros up to a whole one.
 */
#ifndef EBNN_LAYERS_H
#define EBNN_LAYERS_H

#include "compare.h"
#include "window.h"

/* A dense block. Lies in flash. */
typedef struct {
    ebnn_filters_t filters;
    const uint8_t *flips;       /* outputs bits, NULL when all are 0 */
    const float *normalization; /* outputs × 5; unused in the integer arithmetic */
} ebnn_dense_t;

/* The last layer. Lies in flash. */
typedef struct {
    ebnn_filters_t filters;
    const int16_t *multipliers; /* outputs */
    const int32_t *offsets;     /* outputs */
} ebnn_output_t;

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

/*
 * One convolution block. For each output pixel and each position of its pooling window the patch is gathered once and
 * compared under every filter.
 * input: of the filters' kind; output: out_h rows of bits, up to a whole word; scratch: word-aligned room for a patch,
 * bits with their mask where they are padded. None overlap.
 */
EBNN_KERNEL void ebnn_conv(const ebnn_conv_t *in_flash, ebnn_gather_t gather, ebnn_compare_t compare,
                           const uint8_t *input, uint8_t *output, uint8_t *scratch)
{
    struct {
        ebnn_overlap_t at;
        ebnn_range_t rows, columns; /* of the pool */
        ebnn_conv_t conv;
    } now;
    uint8_t *mask;
    uint16_t y, x, my, mx;
    uint16_t row = 0xFFFFu; /* where now.at.rows is */

    EBNN_READ_BLOCK(&now.conv, in_flash, sizeof now.conv);
    mask = scratch + 4u * now.conv.filters.words;
    memset(output, 0, ebnn_whole_words((size_t)now.conv.out_h * now.conv.out_row_bytes));
    if (now.conv.filters.kind == EBNN_BITS)
        memset(scratch, 0, 4u * now.conv.filters.words); /* behind the taps it stays */
    for (y = 0; y != now.conv.out_h; y++, output += now.conv.out_row_bytes) {
        uint16_t bit = 0; /* of the first output of this pixel */

        ebnn_meet(&now.conv.pool_rows, y, &now.rows);
        for (x = 0; x != now.conv.out_w; x++, bit = (uint16_t)(bit + now.conv.filters.outputs)) {
            const ebnn_place_t place = ebnn_place(output, bit);

            ebnn_meet(&now.conv.pool_columns, x, &now.columns);
            for (my = now.rows.begin; my < now.rows.end; my++) {
                if (my != row) {
                    ebnn_meet(&now.conv.kernel_rows, my, &now.at.rows);
                    row = my;
                }
                for (mx = now.columns.begin; mx < now.columns.end; mx++) {
                    uint16_t inside;

                    ebnn_meet(&now.conv.kernel_columns, mx, &now.at.columns);
                    inside = gather(&now.conv, input, &now.at, scratch);
                    compare(&now.conv.filters, scratch, inside == now.conv.filters.taps ? NULL : mask, inside, place);
                }
            }
            ebnn_apply_flips(place, now.conv.flips, now.conv.filters.outputs);
        }
    }
}

/*
 * A sample of bits, held anywhere, as an activation: at `place`, its last word filled with zeros. Returns the place.
 * bytes: of the sample.
 */
EBNN_KERNEL const uint8_t *ebnn_take_bits(uint8_t *place, const uint8_t *sample, size_t bytes)
{
    if (sample != place)
        memcpy(place, sample, bytes);
    memset(place + bytes, 0, ebnn_whole_words(bytes) - bytes);
    return place;
}

/* One dense block. input: of the filters' kind; output: one row of bits, up to a whole word. They do not overlap. */
EBNN_KERNEL void ebnn_dense(const ebnn_dense_t *in_flash, ebnn_compare_t compare, const uint8_t *input, uint8_t *output)
{
    ebnn_dense_t dense;

    EBNN_READ_BLOCK(&dense, in_flash, sizeof dense);
    memset(output, 0, ebnn_whole_words((dense.filters.outputs + 7u) / 8u));
    compare(&dense.filters, input, NULL, dense.filters.taps, ebnn_place(output, 0));
    ebnn_apply_flips(ebnn_place(output, 0), dense.flips, dense.filters.outputs);
}

/* The class that leads. */
typedef struct {
    int32_t score;
    uint8_t winner;
} ebnn_best_t;

/* score[k] = multiplier[k] · acc + offset[k]; the first of the largest leads. scores: NULL when nobody asks for
 * them. */
EBNN_KERNEL void ebnn_score(const ebnn_output_t *output, uint8_t k, int32_t acc, int32_t *scores, ebnn_best_t *best)
{
    const int32_t score =
        (int32_t)(int16_t)EBNN_READ_U16(output->multipliers + k) * acc + (int32_t)EBNN_READ_U32(output->offsets + k);

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
