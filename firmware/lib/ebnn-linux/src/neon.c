/* neon.c - the path for AArch64: NEON counts the ones of 16 bytes at a time. */
#include "loops.h"

#ifdef EBNN_LINUX_NEON
#include <arm_neon.h>

#define POSITIONS 4

static int runs(void)
{
    return 1;
}

EBNN_LINUX_INLINE void store_sums(int32_t *sums, uint16x8_t counts, int fresh, int32x4_t taps)
{
    const int32x4_t low = vreinterpretq_s32_u32(vshll_n_u16(vget_low_u16(counts), 1));
    const int32x4_t high = vreinterpretq_s32_u32(vshll_n_u16(vget_high_u16(counts), 1));

    vst1q_s32(sums, vsubq_s32(fresh ? taps : vld1q_s32(sums), low));
    vst1q_s32(sums + 4, vsubq_s32(fresh ? taps : vld1q_s32(sums + 4), high));
}

/* `positions` patches from `first` on, times a block of weights. */
EBNN_LINUX_INLINE void bit_tile(const ebnn_linux_bits_t *job, uint32_t first, uint32_t block, const uint32_t positions,
                                const int masked)
{
    const uint8_t *weights = job->weights + (size_t)block * job->bytes * EBNN_LINUX_LANES;
    size_t k = 0;
    uint32_t p, b;

    while (k < job->bytes) {
        const size_t wide_rest = job->bytes - k;
        const size_t wide_end = k + (wide_rest < EBNN_LINUX_WIDE ? wide_rest : EBNN_LINUX_WIDE);
        const int fresh = k == 0;
        uint16x8_t wide[POSITIONS][4];

        for (p = 0; p < positions; p++)
            for (b = 0; b < 4; b++)
                wide[p][b] = vdupq_n_u16(0);
        while (k < wide_end) {
            const size_t rest = wide_end - k;
            const size_t end = k + (rest < EBNN_LINUX_COUNTED ? rest : EBNN_LINUX_COUNTED);
            uint8x16_t counts[POSITIONS][2];

            for (p = 0; p < positions; p++)
                for (b = 0; b < 2; b++)
                    counts[p][b] = vdupq_n_u8(0);
            for (; k < end; k++)
                for (b = 0; b < 2; b++) {
                    const uint8x16_t lanes = vld1q_u8(weights + k * EBNN_LINUX_LANES + 16 * b);

                    for (p = 0; p < positions; p++) {
                        const size_t at = (first + p) * job->patch_stride + k;
                        uint8x16_t differs = veorq_u8(lanes, vld1q_dup_u8(job->patches + at));

                        if (masked)
                            differs = vandq_u8(differs, vld1q_dup_u8(job->masks + at));
                        counts[p][b] = vaddq_u8(counts[p][b], vcntq_u8(differs));
                    }
                }
            for (p = 0; p < positions; p++)
                for (b = 0; b < 2; b++) {
                    wide[p][2 * b] = vaddw_u8(wide[p][2 * b], vget_low_u8(counts[p][b]));
                    wide[p][2 * b + 1] = vaddw_u8(wide[p][2 * b + 1], vget_high_u8(counts[p][b]));
                }
        }
        for (p = 0; p < positions; p++)
            for (b = 0; b < 4; b++)
                store_sums(job->sums + job->rows[first + p] * job->sum_stride + block * EBNN_LINUX_LANES + 8 * b,
                           wide[p][b], fresh, vdupq_n_s32(job->taps[first + p]));
    }
}

EBNN_LINUX_INLINE void all_tiles(const ebnn_linux_bits_t *job, const int masked)
{
    uint32_t block, p;

    for (block = 0; block < job->blocks; block++) {
        for (p = 0; p + POSITIONS <= job->count; p += POSITIONS)
            bit_tile(job, p, block, POSITIONS, masked);
        for (; p < job->count; p++)
            bit_tile(job, p, block, 1, masked);
    }
}

static void bits(const ebnn_linux_bits_t *job)
{
    if (job->masks)
        all_tiles(job, 1);
    else
        all_tiles(job, 0);
}

/* Four taps of four lanes: products in 16 bits, added in pairs in 32. */
EBNN_LINUX_INLINE void byte_tile(const ebnn_linux_bytes_t *job, uint32_t first, const uint32_t positions)
{
    int32x4_t sums[2][8];
    uint32_t p, b;
    size_t q;

    for (p = 0; p < positions; p++)
        for (b = 0; b < 8; b++)
            sums[p][b] = vdupq_n_s32(0);
    for (q = 0; q < job->quads; q++)
        for (b = 0; b < 8; b++) { /* two lanes */
            const int16x8_t weights = vmovl_s8(vld1_s8(job->panel + q * 64 + 8 * b));

            for (p = 0; p < positions; p++) {
                uint32_t four;
                int16x8_t values;

                __builtin_memcpy(&four, job->patches + (first + p) * job->patch_stride + 4 * q, 4);
                values = vreinterpretq_s16_u16(vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(four))));
                sums[p][b] = vaddq_s32(sums[p][b], vpaddq_s32(vmull_s16(vget_low_s16(values), vget_low_s16(weights)),
                                                              vmull_high_s16(values, weights)));
            }
        }
    for (p = 0; p < positions; p++) {
        int32_t *out = job->sums + (first + p) * job->sum_stride;

        for (b = 0; b < 4; b++)
            vst1q_s32(out + 4 * b, vaddq_s32(vld1q_s32(out + 4 * b), vpaddq_s32(sums[p][2 * b], sums[p][2 * b + 1])));
    }
}

static void bytes(const ebnn_linux_bytes_t *job)
{
    uint32_t p = 0;

    for (; p + 2 <= job->count; p += 2)
        byte_tile(job, p, 2);
    for (; p < job->count; p++)
        byte_tile(job, p, 1);
}

static void floats(const ebnn_linux_floats_t *job)
{
    ebnn_linux_float_loop(job);
}

static void signs(const int32_t *sums, const int32_t *thresholds, uint32_t count, uint8_t *out)
{
    static const uint16_t place[8] = {1, 2, 4, 8, 16, 32, 64, 128};
    const uint16x8_t places = vld1q_u16(place);
    uint32_t j;

    for (j = 0; j < count; j += 8) {
        const uint32x4_t low = vcgeq_s32(vld1q_s32(sums + j), vld1q_s32(thresholds + j));
        const uint32x4_t high = vcgeq_s32(vld1q_s32(sums + j + 4), vld1q_s32(thresholds + j + 4));
        const uint16x8_t passed = vcombine_u16(vmovn_u32(low), vmovn_u32(high));

        out[j / 8] = (uint8_t)vaddvq_u16(vandq_u16(passed, places));
    }
}

static void largest(const ebnn_linux_window_t *window, int32_t *most)
{
    uint32_t y, x, j;

    for (j = 0; j < window->count; j += 4) {
        int32x4_t best = vld1q_s32(window->sums + j);

        for (y = 0; y < window->rows; y++)
            for (x = 0; x < window->columns; x++) {
                const int32_t *sums = window->sums + y * window->row_stride + x * window->column_stride + j;

                best = vmaxq_s32(best, vld1q_s32(sums));
            }
        vst1q_s32(most + j, best);
    }
}

static void unpack(const uint8_t *weights, size_t taps, int8_t *panel)
{
    ebnn_linux_unpack_loop(weights, taps, panel);
}

static void channels(const ebnn_linux_channels_t *job)
{
    ebnn_linux_channel_loop(job);
}

static void requantize(const ebnn_linux_requantize_t *job, const int32_t *sums, uint32_t count, uint8_t *out)
{
    ebnn_linux_requantize_loop(job, sums, count, out);
}

static void unpack_floats(const uint8_t *weights, size_t taps, float *panel)
{
    ebnn_linux_unpack_float_loop(weights, taps, panel);
}

const ebnn_linux_path_t ebnn_linux_neon = {"neon", 0,       runs,     bits,       bytes,  bytes,        floats,
                                           signs,  largest, channels, requantize, unpack, unpack_floats};
#else
typedef int ebnn_linux_no_neon;
#endif
