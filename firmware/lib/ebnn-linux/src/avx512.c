/* avx512.c - the path for x86 with AVX-512, its count of ones in bytes (BITALG) and its products of bytes (VNNI). */
#include "loops.h"

#ifdef EBNN_LINUX_X86
#include <immintrin.h>

#define FOR_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bitalg,avx512vpopcntdq,avx512vnni")))
#define POSITIONS 8

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

FOR_AVX512 EBNN_LINUX_INLINE void store_sums(int32_t *sums, __m512i counts, int fresh, __m512i taps)
{
    const __m512i low = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(counts));
    const __m512i high = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(counts, 1));

    _mm512_storeu_si512(sums, _mm512_sub_epi32(fresh ? taps : _mm512_loadu_si512(sums), _mm512_slli_epi32(low, 1)));
    _mm512_storeu_si512(sums + 16,
                        _mm512_sub_epi32(fresh ? taps : _mm512_loadu_si512(sums + 16), _mm512_slli_epi32(high, 1)));
}

/* `positions` patches from `first` on, times two blocks of weights. */
FOR_AVX512 EBNN_LINUX_INLINE void bit_tile(const ebnn_linux_bits_t *job, uint32_t first, uint32_t block,
                                           const uint32_t positions, const int masked)
{
    const uint8_t *weights = job->weights + (size_t)block * job->bytes * EBNN_LINUX_LANES;
    const uint32_t *words = (const uint32_t *)job->operands + (size_t)first * job->bytes;
    const uint32_t *inside = words + (size_t)job->count * job->bytes;
    size_t k = 0;
    uint32_t p;

    while (k < job->bytes) {
        const size_t wide_rest = job->bytes - k;
        const size_t wide_end = k + (wide_rest < EBNN_LINUX_WIDE ? wide_rest : EBNN_LINUX_WIDE);
        const int fresh = k == 0;
        __m512i wide[POSITIONS][2];

        for (p = 0; p < positions; p++)
            wide[p][0] = wide[p][1] = _mm512_setzero_si512();
        while (k < wide_end) {
            const size_t rest = wide_end - k;
            const size_t end = k + (rest < EBNN_LINUX_COUNTED ? rest : EBNN_LINUX_COUNTED);
            __m512i counts[POSITIONS];

            for (p = 0; p < positions; p++)
                counts[p] = _mm512_setzero_si512();
            for (; k < end; k++) {
                const uint8_t *at = weights + k * EBNN_LINUX_LANES;
                const __m256i low = _mm256_loadu_si256((const __m256i *)(const void *)at);
                const __m256i high =
                    _mm256_loadu_si256((const __m256i *)(const void *)(at + job->bytes * EBNN_LINUX_LANES));
                const __m512i both = _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);

                for (p = 0; p < positions; p++) {
                    const __m512i value = _mm512_set1_epi32((int)words[p * job->bytes + k]);
                    const __m512i differs =
                        masked ? _mm512_ternarylogic_epi32(both, value,
                                                           _mm512_set1_epi32((int)inside[p * job->bytes + k]), 0x28)
                               : _mm512_xor_si512(both, value); /* 0x28: (both ^ value) & inside */

                    counts[p] = _mm512_add_epi8(counts[p], _mm512_popcnt_epi8(differs));
                }
            }
            for (p = 0; p < positions; p++) {
                const __m512i lower = _mm512_cvtepu8_epi16(_mm512_castsi512_si256(counts[p]));
                const __m512i upper = _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(counts[p], 1));

                wide[p][0] = _mm512_add_epi16(wide[p][0], lower);
                wide[p][1] = _mm512_add_epi16(wide[p][1], upper);
            }
        }
        for (p = 0; p < positions; p++) {
            int32_t *sums = job->sums + job->rows[first + p] * job->sum_stride + block * EBNN_LINUX_LANES;
            const __m512i taps = _mm512_set1_epi32(job->taps[first + p]);

            store_sums(sums, wide[p][0], fresh, taps);
            store_sums(sums + 32, wide[p][1], fresh, taps);
        }
    }
}

/* Likewise with one block of weights. */
FOR_AVX512 EBNN_LINUX_INLINE void half_tile(const ebnn_linux_bits_t *job, uint32_t first, uint32_t block,
                                            const uint32_t positions, const int masked)
{
    const uint8_t *weights = job->weights + (size_t)block * job->bytes * EBNN_LINUX_LANES;
    const uint32_t *words = (const uint32_t *)job->operands + (size_t)first * job->bytes;
    const uint32_t *inside = words + (size_t)job->count * job->bytes;
    size_t k = 0;
    uint32_t p;

    while (k < job->bytes) {
        const size_t wide_rest = job->bytes - k;
        const size_t wide_end = k + (wide_rest < EBNN_LINUX_WIDE ? wide_rest : EBNN_LINUX_WIDE);
        const int fresh = k == 0;
        __m512i wide[POSITIONS];

        for (p = 0; p < positions; p++)
            wide[p] = _mm512_setzero_si512();
        while (k < wide_end) {
            const size_t rest = wide_end - k;
            const size_t end = k + (rest < EBNN_LINUX_COUNTED ? rest : EBNN_LINUX_COUNTED);
            __m256i counts[POSITIONS];

            for (p = 0; p < positions; p++)
                counts[p] = _mm256_setzero_si256();
            for (; k < end; k++) {
                const __m256i both =
                    _mm256_loadu_si256((const __m256i *)(const void *)(weights + k * EBNN_LINUX_LANES));

                for (p = 0; p < positions; p++) {
                    const __m256i value = _mm256_set1_epi32((int)words[p * job->bytes + k]);
                    const __m256i differs =
                        masked ? _mm256_ternarylogic_epi32(both, value,
                                                           _mm256_set1_epi32((int)inside[p * job->bytes + k]), 0x28)
                               : _mm256_xor_si256(both, value);

                    counts[p] = _mm256_add_epi8(counts[p], _mm256_popcnt_epi8(differs));
                }
            }
            for (p = 0; p < positions; p++)
                wide[p] = _mm512_add_epi16(wide[p], _mm512_cvtepu8_epi16(counts[p]));
        }
        for (p = 0; p < positions; p++)
            store_sums(job->sums + job->rows[first + p] * job->sum_stride + block * EBNN_LINUX_LANES, wide[p], fresh,
                       _mm512_set1_epi32(job->taps[first + p]));
    }
}

FOR_AVX512 EBNN_LINUX_INLINE void all_tiles(const ebnn_linux_bits_t *job, const int masked)
{
    uint32_t block, p;

    for (block = 0; block + 2 <= job->blocks; block += 2) {
        for (p = 0; p + POSITIONS <= job->count; p += POSITIONS)
            bit_tile(job, p, block, POSITIONS, masked);
        for (; p + 2 <= job->count; p += 2)
            bit_tile(job, p, block, 2, masked);
        for (; p < job->count; p++)
            bit_tile(job, p, block, 1, masked);
    }
    if (block < job->blocks) {
        for (p = 0; p + POSITIONS <= job->count; p += POSITIONS)
            half_tile(job, p, block, POSITIONS, masked);
        for (; p + 2 <= job->count; p += 2)
            half_tile(job, p, block, 2, masked);
        for (; p < job->count; p++)
            half_tile(job, p, block, 1, masked);
    }
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
