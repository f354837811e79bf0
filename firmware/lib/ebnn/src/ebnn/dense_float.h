/*
 * A dense layer in the float arithmetic. On float input it is the only one.
 */
#ifndef EBNN_DENSE_FLOAT_H
#define EBNN_DENSE_FLOAT_H

#include "dense.h"
#include "normalization.h"

/* One dense block; input: as its kind says (floats word-aligned), output as in ebnn_dense. */
EBNN_KERNEL void ebnn_dense_float(const ebnn_dense_t *in_flash, const void *input, uint8_t *output)
{
    ebnn_dense_t dense;
    const ebnn_filters_t *filters = &dense.filters;
    const uint32_t *weights;
    int32_t total = 0;
    uint16_t f;

    EBNN_READ_BLOCK(&dense, in_flash, sizeof dense);
    if (filters->kind != EBNN_FLOAT)
        total = ebnn_input_total(filters, (const uint8_t *)input);
    memset(output, 0, ebnn_whole_words((filters->outputs + 7u) / 8u));
    for (f = 0, weights = filters->weights; f < filters->outputs; f++, weights += filters->words) {
        const float temporary =
            filters->kind == EBNN_FLOAT
                ? ebnn_dot_float((const float *)input, weights, filters->taps)
                : (float)ebnn_dot(filters, (const uint8_t *)input, NULL, filters->taps, total, weights);

        if (ebnn_normalized_sign(temporary, dense.normalization + (size_t)f * EBNN_NORMALIZATION_FLOATS))
            ebnn_flip_bit(output, f);
    }
}

#endif
