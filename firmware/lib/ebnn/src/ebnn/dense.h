/*
 * A dense layer of integers that ends in one comparison per output.
 */
#ifndef EBNN_DENSE_H
#define EBNN_DENSE_H

#include "compare.h"

/* A dense block. Lies in flash. */
typedef struct {
    ebnn_filters_t filters;
    const uint8_t *flips;       /* outputs bits, NULL when all are 0 */
    const float *normalization; /* outputs × 5; unused in the integer arithmetic */
} ebnn_dense_t;

/* One dense block. input: of the filters' kind; output: one row of bits, up to a whole word. They do not overlap. */
EBNN_KERNEL void ebnn_dense(const ebnn_dense_t *in_flash, ebnn_compare_t compare, const uint8_t *input, uint8_t *output)
{
    ebnn_dense_t dense;

    EBNN_READ_BLOCK(&dense, in_flash, sizeof dense);
    memset(output, 0, ebnn_whole_words((dense.filters.outputs + 7u) / 8u));
    compare(&dense.filters, input, NULL, dense.filters.taps, ebnn_place(output, 0));
    ebnn_apply_flips(ebnn_place(output, 0), dense.flips, dense.filters.outputs);
}

#endif
