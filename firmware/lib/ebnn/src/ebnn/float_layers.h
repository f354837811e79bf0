/*
 * The float arithmetic, the paper's own (McDanel et al., Embedded Binarized Neural Networks, EWSN 2017): bias and batch
 * normalisation on the device, one float temporary for each output. Blocks on float input always use it.
 */
#ifndef EBNN_FLOAT_LAYERS_H
#define EBNN_FLOAT_LAYERS_H

#include "layers.h"

/* Of one output: bias, mean, 1 / standard deviation, gamma, beta. */
#define EBNN_NORMALIZATION_FLOATS 5u

/* The sign after bias and batch normalisation, in the trainer's own order of operations: 1 is +1. */
EBNN_INLINE uint8_t ebnn_normalized_sign(float temporary, const float *normalization)
{
    volatile float scaled; /* keeps product and sum apart where the target could fuse them into one rounding */

    temporary += EBNN_READ_FLOAT(normalization);
    temporary -= EBNN_READ_FLOAT(normalization + 1);
    temporary *= EBNN_READ_FLOAT(normalization + 2);
    scaled = temporary * EBNN_READ_FLOAT(normalization + 3);
    return scaled + EBNN_READ_FLOAT(normalization + 4) >= 0.0f;
}

/*
 * Gathers the patch of a float image at (y, x) of the map; taps outside are 0.
 * input: in_c × in_h × in_w floats, channel first; patch: kernel_h × kernel_w × in_c floats, channel last as in filters.
 */
EBNN_KERNEL void ebnn_gather_float(const ebnn_conv_t *conv, const float *input, uint16_t y, uint16_t x, float *patch)
{
    uint16_t ky, kx, c;

    for (ky = 0; ky < conv->kernel_h; ky++)
        for (kx = 0; kx < conv->kernel_w; kx++) {
            const int32_t iy = (int32_t)y * conv->stride_h + ky - conv->pad_h;
            const int32_t ix = (int32_t)x * conv->stride_w + kx - conv->pad_w;
            const uint8_t inside = iy >= 0 && iy < conv->in_h && ix >= 0 && ix < conv->in_w;

            for (c = 0; c < conv->in_c; c++)
                *patch++ = inside ? input[((size_t)c * conv->in_h + (size_t)iy) * conv->in_w + (size_t)ix] : 0.0f;
        }
}

/*
 * One convolution block, output by output: the largest sum of the pooling window in one temporary, then its sign.
 * input: as conv->kind says (floats word-aligned); output and scratch as in ebnn_conv.
 */
EBNN_KERNEL void ebnn_conv_float(const ebnn_conv_t *in_flash, const void *input, uint8_t *output, void *scratch)
{
    ebnn_conv_t conv;
    uint16_t size, words, y, x, my, mx, f;

    EBNN_READ_BLOCK(&conv, in_flash, sizeof conv);
    size = (uint16_t)(conv.kernel_h * conv.kernel_w * conv.in_c);
    words = ebnn_words(size);
    memset(output, 0, (size_t)conv.out_h * conv.out_row_bytes);
    for (y = 0; y < conv.out_h; y++) {
        const ebnn_range_t rows = ebnn_window(y, conv.pool_stride_h, conv.pool_pad_h, conv.pool_h, conv.map_h);

        for (x = 0; x < conv.out_w; x++) {
            const ebnn_range_t columns = ebnn_window(x, conv.pool_stride_w, conv.pool_pad_w, conv.pool_w, conv.map_w);

            for (f = 0; f < conv.out_c; f++) {
                const uint32_t *weights = (const uint32_t *)conv.weights + (size_t)f * words;
                float temporary = 0.0f;
                uint8_t first = 1;

                for (my = rows.begin; my < rows.end; my++)
                    for (mx = columns.begin; mx < columns.end; mx++) {
                        float sum;

                        if (conv.kind == EBNN_FLOAT) {
                            ebnn_gather_float(&conv, (const float *)input, my, mx, (float *)scratch);
                            sum = ebnn_dot_float((const float *)scratch, weights, size);
                        } else {
                            const ebnn_patch_t patch =
                                ebnn_gather(&conv, (const uint8_t *)input, my, mx, (uint8_t *)scratch);
                            sum = (float)ebnn_dot_patch(&patch, weights, conv.kind);
                        }
                        if (first || sum > temporary)
                            temporary = sum;
                        first = 0;
                    }
                if (ebnn_normalized_sign(temporary, conv.normalization + (size_t)f * EBNN_NORMALIZATION_FLOATS))
                    ebnn_flip_bit(output + (size_t)y * conv.out_row_bytes, (uint16_t)(x * conv.out_c + f));
            }
        }
    }
}

/* One dense block; input: as dense->kind says (floats word-aligned), output as in ebnn_dense. */
EBNN_KERNEL void ebnn_dense_float(const ebnn_dense_t *in_flash, const void *input, uint8_t *output)
{
    ebnn_dense_t dense;
    int32_t total = 0;
    uint16_t f;

    EBNN_READ_BLOCK(&dense, in_flash, sizeof dense);
    if (dense.kind == EBNN_UINT8 || dense.kind == EBNN_INT8)
        total = ebnn_total((const uint8_t *)input, dense.count, dense.kind == EBNN_INT8);
    memset(output, 0, (dense.outputs + 7u) / 8u);
    for (f = 0; f < dense.outputs; f++, dense.weights += dense.filter_words) {
        const float temporary = dense.kind == EBNN_FLOAT
                                    ? ebnn_dot_float((const float *)input, dense.weights, dense.count)
                                    : (float)ebnn_dot_input((const uint8_t *)input, dense.weights, dense.count,
                                                            dense.in_bytes, dense.kind, total);

        if (ebnn_normalized_sign(temporary, dense.normalization + (size_t)f * EBNN_NORMALIZATION_FLOATS))
            ebnn_flip_bit(output, f);
    }
}

#endif
