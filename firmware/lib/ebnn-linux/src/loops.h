/* loops.h - inner loops in plain C. Inlined into a function for a core, they become that core's instructions. */
#ifndef EBNN_LINUX_LOOPS_H
#define EBNN_LINUX_LOOPS_H

#include "paths.h"

typedef float ebnn_linux_lanes_t __attribute__((vector_size(4 * EBNN_LINUX_PANEL)));

/* Sums of floats in the order of the taps: a product with +1 or -1 is exact, so each step rounds once. */
EBNN_LINUX_INLINE void ebnn_linux_float_tile(const ebnn_linux_floats_t *job, uint32_t first, const uint32_t positions)
{
    const float *patches = job->patches + first * job->patch_stride;
    float *sums = job->sums + first * job->sum_stride;
    ebnn_linux_lanes_t acc[8], weights;
    uint32_t p;
    size_t k;

    for (p = 0; p < positions; p++)
        __builtin_memcpy(acc + p, sums + p * job->sum_stride, sizeof *acc);
    for (k = 0; k < job->taps; k++) {
        __builtin_memcpy(&weights, job->panel + k * EBNN_LINUX_PANEL, sizeof weights);
        for (p = 0; p < positions; p++)
            acc[p] += patches[p * job->patch_stride + k] * weights;
    }
    for (p = 0; p < positions; p++)
        __builtin_memcpy(sums + p * job->sum_stride, acc + p, sizeof *acc);
}

EBNN_LINUX_INLINE void ebnn_linux_float_loop(const ebnn_linux_floats_t *job)
{
    uint32_t p = 0;

    for (; p + 8 <= job->count; p += 8)
        ebnn_linux_float_tile(job, p, 8);
    for (; p + 2 <= job->count; p += 2)
        ebnn_linux_float_tile(job, p, 2);
    for (; p < job->count; p++)
        ebnn_linux_float_tile(job, p, 1);
}

EBNN_LINUX_INLINE void ebnn_linux_byte_loop(const ebnn_linux_bytes_t *job)
{
    uint32_t p, j;
    size_t q;

    for (p = 0; p < job->count; p++) {
        const uint8_t *patch = job->patches + p * job->patch_stride;
        int32_t *sums = job->sums + p * job->sum_stride;

        for (q = 0; q < job->quads; q++) {
            const int8_t *weights = job->panel + q * EBNN_LINUX_PANEL * 4;
            const int32_t a = patch[4 * q], b = patch[4 * q + 1], c = patch[4 * q + 2], d = patch[4 * q + 3];

            for (j = 0; j < EBNN_LINUX_PANEL; j++)
                sums[j] +=
                    a * weights[4 * j] + b * weights[4 * j + 1] + c * weights[4 * j + 2] + d * weights[4 * j + 3];
        }
    }
}

EBNN_LINUX_INLINE void ebnn_linux_largest_loop(const ebnn_linux_window_t *window, int32_t *most)
{
    uint32_t y, x, j;

    for (j = 0; j < window->count; j++)
        most[j] = window->sums[j];
    for (y = 0; y < window->rows; y++)
        for (x = 0; x < window->columns; x++) {
            const int32_t *sums = window->sums + y * window->row_stride + x * window->column_stride;

            for (j = 0; j < window->count; j++)
                most[j] = sums[j] > most[j] ? sums[j] : most[j];
        }
}

EBNN_LINUX_INLINE void ebnn_linux_sign_loop(const int32_t *sums, const int32_t *thresholds, uint32_t count,
                                            uint8_t *bits)
{
    uint32_t j, i;

    for (j = 0; j < count; j += 8) {
        uint32_t byte = 0;

        for (i = 0; i < 8; i++)
            byte |= (uint32_t)(sums[j + i] >= thresholds[j + i]) << i;
        bits[j / 8] = (uint8_t)byte;
    }
}

EBNN_LINUX_INLINE void ebnn_linux_channel_loop(const ebnn_linux_channels_t *job)
{
    uint32_t k, j, i;

    for (k = 0; k < job->taps; k++) {
        const uint8_t *values = job->patch + (size_t)k * job->channels;
        const int8_t *weights = job->weights + (size_t)k * job->lanes;

        if (job->each == 1) {
            for (j = 0; j < job->channels; j++)
                job->sums[j] += values[j] * weights[j];
        } else {
            for (j = 0; j < job->channels; j++)
                for (i = 0; i < job->each; i++)
                    job->sums[j * job->each + i] += values[j] * weights[j * job->each + i];
        }
    }
}

/* gcc and clang shift negative numbers as signed ones. */
EBNN_LINUX_INLINE void ebnn_linux_requantize_loop(const ebnn_linux_requantize_t *job, const int32_t *sums,
                                                  uint32_t count, uint8_t *out)
{
    uint32_t j;

    for (j = 0; j < count; j++) {
        const int64_t product = ((int64_t)sums[j] + job->bias[j]) * job->multiplier[j];
        const int64_t scaled = (product + ((int64_t)1 << (job->shift[j] - 1))) >> job->shift[j];
        const int64_t least = scaled < job->low ? job->low : scaled;

        out[j] = (uint8_t)(least > job->high ? job->high : least);
    }
}

/* Weights of PANEL lanes, bits in a block, as floats of +1 and -1 in a panel. */
EBNN_LINUX_INLINE void ebnn_linux_unpack_float_loop(const uint8_t *weights, size_t taps, float *panel)
{
    size_t k;
    uint32_t j;

    for (k = 0; k < taps; k++)
        for (j = 0; j < EBNN_LINUX_PANEL; j++)
            panel[k * EBNN_LINUX_PANEL + j] = (float)((weights[k / 8 * EBNN_LINUX_LANES + j] >> (k % 8) & 1) * 2 - 1);
}

/* Weights of PANEL lanes, bits in a block, as bytes of +1 and -1 in a panel; 0 behind the last tap. */
EBNN_LINUX_INLINE void ebnn_linux_unpack_loop(const uint8_t *weights, size_t taps, int8_t *panel)
{
    size_t k;
    uint32_t j;

    for (k = 0; k < (taps + 3) / 4 * 4; k++)
        for (j = 0; j < EBNN_LINUX_PANEL; j++) {
            const int bit = weights[k / 8 * EBNN_LINUX_LANES + j] >> (k % 8) & 1;

            panel[(k / 4 * EBNN_LINUX_PANEL + j) * 4 + k % 4] = (int8_t)(k < taps ? 2 * bit - 1 : 0);
        }
}

#endif
