/* transforms.c - what ends a layer. No product is fused with a sum here: each is rounded. */
#include "transforms.h"

#include <float.h>

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif
#if defined(__FAST_MATH__) || FLT_EVAL_METHOD != 0
#error "the float arithmetic rounds to float after each operation: compile without -ffast-math, with SSE on x86"
#endif

void ebnn_linux_normalize(const float *sums, const float *table, uint32_t stride, uint32_t count, uint8_t *bits)
{
    uint32_t j, i;

    for (j = 0; j < count; j += 8) {
        uint32_t byte = 0;

        for (i = 0; i < 8; i++) {
            const float *own = table + j + i;
            float y = sums[j + i] + own[0];

            y = y - own[stride];
            y = y * own[2 * (uint64_t)stride];
            y = y * own[3 * (uint64_t)stride];
            y = y + own[4 * (uint64_t)stride];
            byte |= (uint32_t)(y >= 0.0f) << i;
        }
        bits[j / 8] = (uint8_t)byte;
    }
}

void ebnn_linux_score(const int32_t *sums, const int32_t *table, uint32_t stride, uint32_t count, int32_t *scores)
{
    uint32_t k;

    for (k = 0; k < count; k++)
        scores[k] = table[k] * sums[k] + table[stride + k];
}
