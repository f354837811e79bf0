/* transforms.h - what ends a layer. */
#ifndef EBNN_LINUX_TRANSFORMS_H
#define EBNN_LINUX_TRANSFORMS_H

#include <stdint.h>

/* `sums` as bits: bias, batch normalisation and sign in float, rounded after each step. `table` is bias, mean,
 * 1 / standard deviation, gamma, beta, of `stride` outputs each. `count` is a multiple of 8. */
void ebnn_linux_normalize(const float *sums, const float *table, uint32_t stride, uint32_t count, uint8_t *bits);

/* Scores of whole sums: multiplier and offset, of `stride` classes each. */
void ebnn_linux_score(const int32_t *sums, const int32_t *table, uint32_t stride, uint32_t count, int32_t *scores);

#endif
