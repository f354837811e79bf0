/*
 * The integer arithmetic: convolution and dense blocks that end in one comparison per output, and the last layer.
 *
 * An output's bit is (acc >= threshold) != flip. Max-pooling is an OR of the comparisons in the window.
 */
#ifndef EBNN_LAYERS_H
#define EBNN_LAYERS_H

#include "dot.h"
#include "window.h"

/* A dense block. Lies in flash. */
typedef struct {
    size_t count;            /* values of the input, without padding */
    size_t in_bytes;         /* of the input in memory, row padding included */
    size_t filter_words;     /* of one output's weights */
    uint16_t outputs;
    uint8_t kind;            /* of the input */
    uint8_t threshold_bytes; /* 2: thresholds are int16_t, 4: int32_t */
    const uint32_t *weights; /* outputs × filter_words */
    const void *thresholds;  /* outputs; unused in the float arithmetic */
    const uint8_t *flips;    /* outputs bits, NULL when all are 0 */
    const float *normalization; /* outputs × 5; unused in the integer arithmetic */
} ebnn_dense_t;

/* The last layer. Lies in flash. */
typedef struct {
    size_t count;
    size_t in_bytes;
    size_t filter_words;
    uint8_t classes;
    uint8_t kind;
    const uint32_t *weights;    /* classes × filter_words */
    const int16_t *multipliers; /* classes */
    const int32_t *offsets;     /* classes */
} ebnn_output_t;

/* Threshold `at`, of int16_t or int32_t. */
EBNN_INLINE int32_t ebnn_threshold(const void *thresholds, uint8_t bytes, uint16_t at)
{
    return bytes == 2u ? (int32_t)(int16_t)EBNN_READ_U16((const uint16_t *)thresholds + at)
                       : (int32_t)EBNN_READ_U32((const uint32_t *)thresholds + at);
}

/* XORs `count` flips into the bits of `output` from bit `at` on. */
EBNN_INLINE void ebnn_apply_flips(uint8_t *output, uint16_t at, const uint8_t *flips, uint16_t count)
{
    uint16_t i;

    if (flips == NULL)
        return;
    for (i = 0; i < count; i++)
        if ((EBNN_READ_U8(flips + i / 8u) >> (i % 8u)) & 1)
            ebnn_flip_bit(output, (uint16_t)(at + i));
}

/* Dot product of a patch of bits or bytes with one filter. */
EBNN_INLINE int32_t ebnn_dot_patch(const ebnn_patch_t *patch, const uint32_t *weights, uint8_t kind)
{
    const uint16_t words = ebnn_words(patch->size);

    if (kind != EBNN_BITS)
        return 2 * ebnn_sum_bytes(patch->values, weights, patch->size, kind == EBNN_INT8) - patch->total;
    if (patch->mask != NULL)
        return (int32_t)patch->taps - 2 * (int32_t)ebnn_masked_mismatches(patch->values, patch->mask, weights, words);
    return (int32_t)patch->taps - 2 * (int32_t)ebnn_mismatches(patch->values, weights, 4u * (size_t)words);
}

/* The output bit of one filter after the other. */
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

EBNN_INLINE void ebnn_step(ebnn_place_t *place)
{
    place->mask = (uint8_t)(place->mask << 1);
    if (place->mask == 0) {
        place->mask = 1;
        place->byte++;
    }
}

/*
 * Compares a patch under every filter whose output is still 0: sets those that pass.
 * row: bits of the output's row; at: the first filter's place in it.
 */
EBNN_KERNEL void ebnn_compare(const ebnn_conv_t *conv, const ebnn_patch_t *patch, uint8_t *row, uint16_t at)
{
    const uint16_t words = ebnn_words(patch->size);
    const uint32_t *weights = (const uint32_t *)conv->weights;
    ebnn_place_t place = ebnn_place(row, at);
    uint16_t f;

    for (f = 0; f < conv->out_c; f++, weights += words, ebnn_step(&place))
        if (!(*place.byte & place.mask) &&
            ebnn_dot_patch(patch, weights, conv->kind) >= ebnn_threshold(conv->thresholds, conv->threshold_bytes, f))
            *place.byte = (uint8_t)(*place.byte | place.mask);
}

/* The same for a patch of up to 32 bits. */
EBNN_KERNEL void ebnn_compare_word(const ebnn_conv_t *conv, const ebnn_patch_t *patch, uint8_t *row, uint16_t at)
{
    const uint32_t *weights = (const uint32_t *)conv->weights;
    const uint16_t *thresholds = (const uint16_t *)conv->thresholds; /* of 16 bits, as sums of 32 bits are */
    const uint32_t bits = ebnn_load_word(patch->values);
    const uint32_t mask = patch->mask == NULL ? 0xFFFFFFFFul : ebnn_load_word(patch->mask);
    ebnn_place_t place = ebnn_place(row, at);
    uint16_t f;

    for (f = 0; f < conv->out_c; f++, weights++, ebnn_step(&place))
        if (!(*place.byte & place.mask)) {
            const int mismatches = ebnn_popcount32((bits ^ EBNN_READ_U32(weights)) & mask);

            if ((int)patch->taps - 2 * mismatches >= (int16_t)EBNN_READ_U16(thresholds + f))
                *place.byte = (uint8_t)(*place.byte | place.mask);
        }
}

/* Taps of a patch of bytes up to which the sums of every choice among four of them are made first. */
#define EBNN_FEW_TAPS 16u

/*
 * The same for a patch of up to 16 bytes. A filter's sum is that of four choices among four values each, one for each
 * hexadecimal digit of its weights, and the sums of all choices are made once for all filters ("four Russians").
 */
EBNN_KERNEL void ebnn_compare_few(const ebnn_conv_t *conv, const ebnn_patch_t *patch, uint8_t *row, uint16_t at)
{
    const uint8_t *weights = (const uint8_t *)conv->weights;
    const uint16_t *thresholds = (const uint16_t *)conv->thresholds; /* of 16 bits: sums of 16 bytes fit */
    const int16_t total = (int16_t)patch->total;
    ebnn_place_t place = ebnn_place(row, at);
    int16_t sums[EBNN_FEW_TAPS / 4u][16];
    uint16_t f;
    uint8_t i, j;

    for (i = 0; i < EBNN_FEW_TAPS; i++) {
        int16_t *digit = sums[i / 4u];
        const uint8_t before = (uint8_t)(1u << (i % 4u)); /* choices among the values before this one */
        int16_t value;

        if (before == 1u)
            digit[0] = 0;
        if (i >= patch->size)
            continue; /* no weight is 1 here */
        value = conv->kind == EBNN_INT8 ? (int16_t)(int8_t)patch->values[i] : (int16_t)patch->values[i];
        for (j = 0; j < before; j++)
            digit[before + j] = (int16_t)(digit[j] + value);
    }
    for (f = 0; f < conv->out_c; f++, weights += 4, ebnn_step(&place))
        if (!(*place.byte & place.mask)) {
            const uint8_t low = EBNN_READ_U8(weights);
            const uint8_t high = EBNN_READ_U8(weights + 1);
            const int16_t sum = (int16_t)(sums[0][low & 15u] + sums[1][low >> 4] + sums[2][high & 15u] +
                                          sums[3][high >> 4]);

            if ((int16_t)(2 * sum - total) >= (int16_t)EBNN_READ_U16(thresholds + f))
                *place.byte = (uint8_t)(*place.byte | place.mask);
        }
}

/* Sum of `count` bytes. */
EBNN_INLINE int32_t ebnn_total(const uint8_t *values, size_t count, uint8_t is_signed)
{
    int32_t total = 0;
    size_t i;

    for (i = 0; i < count; i++)
        total += is_signed ? (int32_t)(int8_t)values[i] : (int32_t)values[i];
    return total;
}

/*
 * One convolution block. For each output pixel and each position of its pooling window the patch is gathered once and
 * compared under every filter whose bit is still 0.
 * input: as conv->kind says; output: out_h rows of bits; scratch: room for a patch, see ebnn_gather. None overlap.
 */
EBNN_KERNEL void ebnn_conv(const ebnn_conv_t *in_flash, const uint8_t *input, uint8_t *output, uint8_t *scratch)
{
    ebnn_conv_t conv;
    uint16_t y, x, my, mx;

    EBNN_READ_BLOCK(&conv, in_flash, sizeof conv);
    memset(output, 0, (size_t)conv.out_h * conv.out_row_bytes);
    for (y = 0; y < conv.out_h; y++) {
        const ebnn_range_t rows = ebnn_window(y, conv.pool_stride_h, conv.pool_pad_h, conv.pool_h, conv.map_h);
        uint8_t *out_row = output + (size_t)y * conv.out_row_bytes;

        for (x = 0; x < conv.out_w; x++) {
            const ebnn_range_t columns = ebnn_window(x, conv.pool_stride_w, conv.pool_pad_w, conv.pool_w, conv.map_w);
            const uint16_t at = (uint16_t)(x * conv.out_c); /* bit of the first output of this pixel */

            for (my = rows.begin; my < rows.end; my++)
                for (mx = columns.begin; mx < columns.end; mx++) {
                    const ebnn_patch_t patch = ebnn_gather(&conv, input, my, mx, scratch);

                    if (conv.kind != EBNN_BITS && patch.size <= EBNN_FEW_TAPS)
                        ebnn_compare_few(&conv, &patch, out_row, at);
                    else if (conv.kind == EBNN_BITS && patch.size <= 32u)
                        ebnn_compare_word(&conv, &patch, out_row, at);
                    else
                        ebnn_compare(&conv, &patch, out_row, at);
                }
            ebnn_apply_flips(out_row, at, conv.flips, conv.out_c);
        }
    }
}

/* Dot product of a dense layer's whole input with one output's weights; `total` is the sum of the input's bytes. */
EBNN_INLINE int32_t ebnn_dot_input(const uint8_t *input, const uint32_t *weights, size_t count, size_t in_bytes,
                                   uint8_t kind, int32_t total)
{
    if (kind == EBNN_BITS)
        return (int32_t)count - 2 * (int32_t)ebnn_mismatches(input, weights, in_bytes);
    return 2 * ebnn_sum_bytes(input, weights, count, kind == EBNN_INT8) - total;
}

/* One dense block. input: as dense->kind says; output: one row of `outputs` bits. They do not overlap. */
EBNN_KERNEL void ebnn_dense(const ebnn_dense_t *in_flash, const uint8_t *input, uint8_t *output)
{
    ebnn_dense_t dense;
    int32_t total;
    uint16_t f;

    EBNN_READ_BLOCK(&dense, in_flash, sizeof dense);
    total = dense.kind == EBNN_BITS ? 0 : ebnn_total(input, dense.count, dense.kind == EBNN_INT8);
    memset(output, 0, (dense.outputs + 7u) / 8u);
    for (f = 0; f < dense.outputs; f++, dense.weights += dense.filter_words)
        if (ebnn_dot_input(input, dense.weights, dense.count, dense.in_bytes, dense.kind, total) >=
            ebnn_threshold(dense.thresholds, dense.threshold_bytes, f))
            ebnn_flip_bit(output, f);
    ebnn_apply_flips(output, 0, dense.flips, dense.outputs);
}

/*
 * The last layer: score[k] = multiplier[k] · acc[k] + offset[k]. Returns the class, the first of the largest scores.
 * scores: `classes` of them, or NULL when only the class is asked for.
 */
EBNN_KERNEL uint8_t ebnn_output(const ebnn_output_t *in_flash, const uint8_t *input, int32_t *scores)
{
    ebnn_output_t output;
    int32_t total, best = 0;
    uint8_t k, winner = 0;

    EBNN_READ_BLOCK(&output, in_flash, sizeof output);
    total = output.kind == EBNN_BITS ? 0 : ebnn_total(input, output.count, output.kind == EBNN_INT8);
    for (k = 0; k < output.classes; k++, output.weights += output.filter_words) {
        const int32_t acc =
            ebnn_dot_input(input, output.weights, output.count, output.in_bytes, output.kind, total);
        const int32_t score = (int32_t)(int16_t)EBNN_READ_U16(output.multipliers + k) * acc +
                              (int32_t)EBNN_READ_U32(output.offsets + k);

        if (scores != NULL)
            scores[k] = score;
        if (k == 0 || score > best) {
            best = score;
            winner = k;
        }
    }
    return winner;
}

#endif
