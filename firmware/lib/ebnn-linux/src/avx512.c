/* avx512.c - the path for x86 with AVX-512, its count of ones in bytes (BITALG) and its products of bytes (VNNI). */
#include "loops.h"

#ifdef EBNN_LINUX_X86
#define FOR_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bitalg,avx512vpopcntdq,avx512vnni")))
#define FOR_TILES FOR_AVX512
#include "bit_tiles.h"

static int runs(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bitalg") && __builtin_cpu_supports("avx512vpopcntdq") &&
           __builtin_cpu_supports("avx512vnni");
}

/* Each byte of patches, then of masks, four times in a word: instructions broadcast words from memory. */
FOR_AVX512 static void spread(const ebnn_linux_bits_t *job)
{
    uint32_t *words = (uint32_t *)job->operands;
    uint32_t p;
    size_t k;

    for (p = 0; p < job->count; p++, words += job->bytes)
        for (k = 0; k < job->bytes; k++)
            words[k] = job->patches[p * job->patch_stride + k] * 0x01010101u;
    if (!job->masks)
        return;
    for (p = 0; p < job->count; p++, words += job->bytes)
        for (k = 0; k < job->bytes; k++)
            words[k] = job->masks[p * job->patch_stride + k] * 0x01010101u;
}

/* Of one block, in halves of registers, of which a core may take more at a time. */
FOR_AVX512 EBNN_LINUX_INLINE void count_block(const tile_t *tile, size_t k, size_t end, __m512i *counts,
                                              const uint32_t positions, const int masked)
{
    const size_t bytes = tile->job->bytes;
    const uint32_t *words = (const uint32_t *)tile->job->operands + (size_t)tile->first * bytes;
    const uint32_t *inside = words + (size_t)tile->job->count * bytes;
    __m256i halves[POSITIONS];
    uint32_t p;

    for (p = 0; p < positions; p++)
        halves[p] = _mm256_setzero_si256();
    for (; k < end; k++) {
        const __m256i weights = block_at(tile, k);

        for (p = 0; p < positions; p++) {
            const __m256i value = _mm256_set1_epi32((int)words[p * bytes + k]);
            const __m256i differs =
                masked ? _mm256_ternarylogic_epi32(weights, value, _mm256_set1_epi32((int)inside[p * bytes + k]), 0x28)
                       : _mm256_xor_si256(weights, value); /* 0x28: (weights ^ value) & inside */

            halves[p] = _mm256_add_epi8(halves[p], _mm256_popcnt_epi8(differs));
        }
    }
    for (p = 0; p < positions; p++)
        counts[p] = _mm512_castsi256_si512(halves[p]);
}

FOR_AVX512 EBNN_LINUX_INLINE void count_bytes(const tile_t *tile, size_t k, size_t end, __m512i *counts,
                                              const uint32_t positions, const uint32_t blocks, const int masked)
{
    const size_t bytes = tile->job->bytes;
    const uint32_t *words = (const uint32_t *)tile->job->operands + (size_t)tile->first * bytes;
    const uint32_t *inside = words + (size_t)tile->job->count * bytes;
    uint32_t p;

    if (blocks == 1) {
        count_block(tile, k, end, counts, positions, masked);
        return;
    }
    for (; k < end; k++) {
        const __m512i both = two_blocks_at(tile, k);

        for (p = 0; p < positions; p++) {
            const __m512i value = _mm512_set1_epi32((int)words[p * bytes + k]);
            const __m512i differs =
                masked ? _mm512_ternarylogic_epi32(both, value, _mm512_set1_epi32((int)inside[p * bytes + k]), 0x28)
                       : _mm512_xor_si512(both, value);

            counts[p] = _mm512_add_epi8(counts[p], _mm512_popcnt_epi8(differs));
        }
    }
}

FOR_AVX512 EBNN_LINUX_INLINE void all_tiles(const ebnn_linux_bits_t *job, const int masked)
{
    uint32_t block;

    for (block = 0; block + 2 <= job->blocks; block += 2)
        bit_tiles(job, block, 2, masked);
    if (block < job->blocks)
        bit_tiles(job, block, 1, masked);
}

FOR_AVX512 static void bits(const ebnn_linux_bits_t *job)
{
    spread(job);
    if (job->masks)
        all_tiles(job, 1);
    else
        all_tiles(job, 0);
}

FOR_AVX512 EBNN_LINUX_INLINE void byte_tile(const ebnn_linux_bytes_t *job, uint32_t first, const uint32_t positions)
{
    __m512i sums[POSITIONS];
    uint32_t p;
    size_t q;

    for (p = 0; p < positions; p++)
        sums[p] = _mm512_loadu_si512(job->sums + (first + p) * job->sum_stride);
    for (q = 0; q < job->quads; q++) {
        const __m512i weights = _mm512_loadu_si512(job->panel + q * 64);

        for (p = 0; p < positions; p++) {
            int32_t four;

            __builtin_memcpy(&four, job->patches + (first + p) * job->patch_stride + 4 * q, 4);
            sums[p] = _mm512_dpbusd_epi32(sums[p], _mm512_set1_epi32(four), weights);
        }
    }
    for (p = 0; p < positions; p++)
        _mm512_storeu_si512(job->sums + (first + p) * job->sum_stride, sums[p]);
}

FOR_AVX512 static void bytes(const ebnn_linux_bytes_t *job)
{
    uint32_t p = 0;

    for (; p + POSITIONS <= job->count; p += POSITIONS)
        byte_tile(job, p, POSITIONS);
    for (; p + 2 <= job->count; p += 2)
        byte_tile(job, p, 2);
    for (; p < job->count; p++)
        byte_tile(job, p, 1);
}

/* A product with +1 or -1 is exact, so a fused step rounds as one that is not. */
FOR_AVX512 EBNN_LINUX_INLINE void float_tile(const ebnn_linux_floats_t *job, uint32_t first, const uint32_t positions)
{
    const float *patches = job->patches + first * job->patch_stride;
    float *sums = job->sums + first * job->sum_stride;
    __m512 acc[POSITIONS];
    uint32_t p;
    size_t k;

    for (p = 0; p < positions; p++)
        acc[p] = _mm512_loadu_ps(sums + p * job->sum_stride);
    for (k = 0; k < job->taps; k++) {
        const __m512 weights = _mm512_loadu_ps(job->panel + k * EBNN_LINUX_PANEL);

        for (p = 0; p < positions; p++)
            acc[p] = _mm512_fmadd_ps(_mm512_set1_ps(patches[p * job->patch_stride + k]), weights, acc[p]);
    }
    for (p = 0; p < positions; p++)
        _mm512_storeu_ps(sums + p * job->sum_stride, acc[p]);
}

FOR_AVX512 static void floats(const ebnn_linux_floats_t *job)
{
    uint32_t p = 0;

    for (; p + POSITIONS <= job->count; p += POSITIONS)
        float_tile(job, p, POSITIONS);
    for (; p + 2 <= job->count; p += 2)
        float_tile(job, p, 2);
    for (; p < job->count; p++)
        float_tile(job, p, 1);
}

FOR_AVX512 static void signs(const int32_t *sums, const int32_t *thresholds, uint32_t count, uint8_t *out)
{
    uint32_t j;

    for (j = 0; j < count; j += 8) {
        const __m256i sum = _mm256_loadu_si256((const __m256i *)(const void *)(sums + j));
        const __m256i threshold = _mm256_loadu_si256((const __m256i *)(const void *)(thresholds + j));

        out[j / 8] = (uint8_t)_mm256_cmpge_epi32_mask(sum, threshold);
    }
}

FOR_AVX512 static void largest(const ebnn_linux_window_t *window, int32_t *most)
{
    uint32_t y, x, j;

    for (j = 0; j < window->count; j += 16) {
        __m512i best = _mm512_loadu_si512(window->sums + j);

        for (y = 0; y < window->rows; y++)
            for (x = 0; x < window->columns; x++) {
                const int32_t *sums = window->sums + y * window->row_stride + x * window->column_stride + j;

                best = _mm512_max_epi32(best, _mm512_loadu_si512(sums));
            }
        _mm512_storeu_si512(most + j, best);
    }
}

static void unpack(const uint8_t *weights, size_t taps, int8_t *panel)
{
    ebnn_linux_avx2.unpack(weights, taps, panel);
}

FOR_AVX512 static void channels(const ebnn_linux_channels_t *job)
{
    ebnn_linux_channel_loop(job);
}

FOR_AVX512 static void requantize(const ebnn_linux_requantize_t *job, const int32_t *sums, uint32_t count, uint8_t *out)
{
    ebnn_linux_requantize_loop(job, sums, count, out);
}

FOR_AVX512 static void unpack_floats(const uint8_t *weights, size_t taps, float *panel)
{
    const __m512 one = _mm512_set1_ps(1), minus_one = _mm512_set1_ps(-1);
    size_t k;

    for (k = 0; k < taps; k++) {
        const __m128i lanes = _mm_loadu_si128((const __m128i *)(const void *)(weights + k / 8 * EBNN_LINUX_LANES));
        const __mmask16 set = _mm_test_epi8_mask(lanes, _mm_set1_epi8((char)(1u << k % 8)));

        _mm512_storeu_ps(panel + k * EBNN_LINUX_PANEL, _mm512_mask_blend_ps(set, minus_one, one));
    }
}

const ebnn_linux_path_t ebnn_linux_avx512 = {"avx512", 8,       runs,     bits,       bytes,  bytes,        floats,
                                             signs,    largest, channels, requantize, unpack, unpack_floats};
#else
typedef int ebnn_linux_no_avx512;
#endif
