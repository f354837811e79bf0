/*
 * How an output ends in the float arithmetic, the paper's own (McDanel et al., Embedded Binarized Neural Networks, EWSN
 * 2017): bias and batch normalisation on the device, one float temporary for each output.
 */
#ifndef EBNN_NORMALIZATION_H
#define EBNN_NORMALIZATION_H

#include "port.h"

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

#endif
