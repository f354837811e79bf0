/*
 * A convolution in the float arithmetic. On float input it is the only one.
 */
#ifndef EBNN_CONV_FLOAT_H
#define EBNN_CONV_FLOAT_H

#include "compare.h"
#include "normalization.h"
#include "window.h"

/*
 * Gathers the patch of a float image at (y, x) of the map; taps outside are 0.
 * input: in_c × in_h × in_w floats, channel first; patch: kernel_h × kernel_w × in_c floats, channel last as in
 * filters.
 */
EBNN_KERNEL void ebnn_gather_float(const ebnn_conv_t *conv, const float *input, uint16_t y, uint16_t x, float *patch)
{
    const uint16_t in_h = conv->kernel_rows.side, in_w = conv->kernel_columns.side;
    uint16_t ky, kx, c;

    for (ky = 0; ky < conv->kernel_rows.size; ky++)
        for (kx = 0; kx < conv->kernel_columns.size; kx++) {
            const int32_t iy = (int32_t)y * conv->kernel_rows.stride + ky - conv->kernel_rows.pad;
            const int32_t ix = (int32_t)x * conv->kernel_columns.stride + kx - conv->kernel_columns.pad;
            const uint8_t inside = iy >= 0 && iy < in_h && ix >= 0 && ix < in_w;

            for (c = 0; c < conv->in_c; c++)
                *patch++ = inside ? input[((size_t)c * in_h + (size_t)iy) * in_w + (size_t)ix] : 0.0f;
        }
}

/* The sum of one filter at (y, x) of the map, whatever the input is. */
EBNN_INLINE float ebnn_sum_float(const ebnn_conv_t *conv, const void *input, uint16_t y, uint16_t x,
                                 const uint32_t *weights, void *scratch)
{
    const ebnn_filters_t *filters = &conv->filters;
    uint8_t *patch = (uint8_t *)scratch;
    ebnn_overlap_t at;
    uint16_t inside;

    if (filters->kind == EBNN_FLOAT) {
        ebnn_gather_float(conv, (const float *)input, y, x, (float *)scratch);
        return ebnn_dot_float((const float *)scratch, weights, filters->taps);
    }
    ebnn_meet(&conv->kernel_rows, y, &at.rows);
    ebnn_meet(&conv->kernel_columns, x, &at.columns);
    inside = filters->kind == EBNN_BITS ? ebnn_gather_bits(conv, (const uint8_t *)input, &at, patch)
                                        : ebnn_gather_bytes(conv, (const uint8_t *)input, &at, patch);
    return (float)ebnn_dot(filters, patch, inside == filters->taps ? NULL : patch + 4u * filters->words, inside,
                           ebnn_input_total(filters, patch), weights);
}

/*
 * One convolution block, output by output: the largest sum of the pooling window in one temporary, then its sign.
 * input: as conv->kind says (floats word-aligned); output and scratch as in ebnn_conv.
 */
EBNN_KERNEL void ebnn_conv_float(const ebnn_conv_t *in_flash, const void *input, uint8_t *output, void *scratch)
{
    ebnn_conv_t conv;
    uint16_t y, x, my, mx, f;

    EBNN_READ_BLOCK(&conv, in_flash, sizeof conv);
    memset(output, 0, ebnn_whole_words((size_t)conv.out_h * conv.out_row_bytes));
    for (y = 0; y < conv.out_h; y++) {
        ebnn_range_t rows;

        ebnn_meet(&conv.pool_rows, y, &rows);
        for (x = 0; x < conv.out_w; x++) {
            ebnn_range_t columns;

            ebnn_meet(&conv.pool_columns, x, &columns);
            for (f = 0; f < conv.filters.outputs; f++) {
                const uint32_t *weights = conv.filters.weights + (size_t)f * conv.filters.words;
                float temporary = 0.0f;
                uint8_t first = 1;

                for (my = rows.begin; my < rows.end; my++)
                    for (mx = columns.begin; mx < columns.end; mx++) {
                        const float sum = ebnn_sum_float(&conv, input, my, mx, weights, scratch);

                        if (first || sum > temporary)
                            temporary = sum;
                        first = 0;
                    }
                if (ebnn_normalized_sign(temporary, conv.normalization + (size_t)f * EBNN_NORMALIZATION_FLOATS))
                    ebnn_flip_bit(output + (size_t)y * conv.out_row_bytes, (uint16_t)(x * conv.filters.outputs + f));
            }
        }
    }
}

#endif
