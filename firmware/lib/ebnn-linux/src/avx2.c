/* avx2.c - the path for x86 with AVX2. Bits are counted by rows: see nibble_rows.h. */
#include "loops.h"
#include "nibble_rows.h"

#ifdef EBNN_LINUX_X86
#include <immintrin.h>

#define FOR_AVX2 __attribute__((target("avx2,fma")))

static int runs(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

FOR_AVX2 EBNN_LINUX_INLINE __m256i row_at(uint32_t place)
{
    return _mm256_broadcastsi128_si256(_mm_load_si128((const __m128i *)(const void *)(&ebnn_linux_rows[0][0] + place)));
}

FOR_AVX2 EBNN_LINUX_INLINE void store_sums(int32_t *sums, __m256i counts, int fresh, __m256i taps)
{
    const __m256i low = _mm256_cvtepu16_epi32(_mm256_castsi256_si128(counts));
    const __m256i high = _mm256_cvtepu16_epi32(_mm256_extracti128_si256(counts, 1));
    __m256i *out = (__m256i *)(void *)sums;

    _mm256_storeu_si256(out, _mm256_sub_epi32(fresh ? taps : _mm256_loadu_si256(out), _mm256_slli_epi32(low, 1)));
    out++;
    _mm256_storeu_si256(out, _mm256_sub_epi32(fresh ? taps : _mm256_loadu_si256(out), _mm256_slli_epi32(high, 1)));
}

/* `positions` patches from `first` on, times `blocks` blocks of weights. */
FOR_AVX2 EBNN_LINUX_INLINE void bit_tile(const ebnn_linux_bits_t *job, uint32_t first, uint32_t block,
                                         const uint32_t positions, const uint32_t blocks)
{
    const uint8_t *weights = job->weights + (size_t)block * job->bytes * EBNN_LINUX_LANES;
    const uint16_t *rows = (const uint16_t *)job->operands + (size_t)first * 2 * job->bytes;
    const __m256i nibble = _mm256_set1_epi8(15);
    size_t k = 0;
    uint32_t p, b;

    while (k < job->bytes) {
        const size_t wide_rest = job->bytes - k;
        const size_t wide_end = k + (wide_rest < EBNN_LINUX_WIDE ? wide_rest : EBNN_LINUX_WIDE);
        const int fresh = k == 0;
        __m256i wide[4][2][2];

        for (p = 0; p < positions; p++)
            for (b = 0; b < blocks; b++)
                wide[p][b][0] = wide[p][b][1] = _mm256_setzero_si256();
        while (k < wide_end) {
            const size_t rest = wide_end - k;
            const size_t end = k + (rest < EBNN_LINUX_COUNTED ? rest : EBNN_LINUX_COUNTED);
            __m256i counts[4][2];

            for (p = 0; p < positions; p++)
                for (b = 0; b < blocks; b++)
                    counts[p][b] = _mm256_setzero_si256();
            for (; k < end; k++) {
                __m256i low[2], high[2];

                for (b = 0; b < blocks; b++) {
                    const __m256i both = _mm256_loadu_si256(
                        (const __m256i *)(const void *)(weights + ((size_t)b * job->bytes + k) * EBNN_LINUX_LANES));

                    low[b] = _mm256_and_si256(both, nibble);
                    high[b] = _mm256_and_si256(_mm256_srli_epi16(both, 4), nibble);
                }
                for (p = 0; p < positions; p++) {
                    const __m256i row = row_at(rows[(size_t)p * 2 * job->bytes + 2 * k]);

                    for (b = 0; b < blocks; b++)
                        counts[p][b] = _mm256_add_epi8(counts[p][b], _mm256_shuffle_epi8(row, low[b]));
                }
                for (p = 0; p < positions; p++) {
                    const __m256i row = row_at(rows[(size_t)p * 2 * job->bytes + 2 * k + 1]);

                    for (b = 0; b < blocks; b++)
                        counts[p][b] = _mm256_add_epi8(counts[p][b], _mm256_shuffle_epi8(row, high[b]));
                }
            }
            for (p = 0; p < positions; p++)
                for (b = 0; b < blocks; b++) {
                    const __m256i lower = _mm256_cvtepu8_epi16(_mm256_castsi256_si128(counts[p][b]));
                    const __m256i upper = _mm256_cvtepu8_epi16(_mm256_extracti128_si256(counts[p][b], 1));

                    wide[p][b][0] = _mm256_add_epi16(wide[p][b][0], lower);
                    wide[p][b][1] = _mm256_add_epi16(wide[p][b][1], upper);
                }
        }
        for (p = 0; p < positions; p++)
            for (b = 0; b < blocks; b++) {
                int32_t *sums = job->sums + job->rows[first + p] * job->sum_stride + (block + b) * EBNN_LINUX_LANES;
                const __m256i taps = _mm256_set1_epi32(job->taps[first + p]);

                store_sums(sums, wide[p][b][0], fresh, taps);
                store_sums(sums + 16, wide[p][b][1], fresh, taps);
            }
    }
}

FOR_AVX2 static void bits(const ebnn_linux_bits_t *job)
{
    uint32_t block, p;

    ebnn_linux_choose_rows(job);
    for (block = 0; block + 2 <= job->blocks; block += 2) {
        for (p = 0; p + 4 <= job->count; p += 4)
            bit_tile(job, p, block, 4, 2);
        for (; p < job->count; p++)
            bit_tile(job, p, block, 1, 2);
    }
    if (block < job->blocks) {
        for (p = 0; p + 4 <= job->count; p += 4)
            bit_tile(job, p, block, 4, 1);
        for (; p < job->count; p++)
            bit_tile(job, p, block, 1, 1);
    }
}

/* Sums of 64 times two products of a byte and +1 or -1 fit 16 bits. */
FOR_AVX2 EBNN_LINUX_INLINE void byte_tile(const ebnn_linux_bytes_t *job, uint32_t first, const uint32_t positions)
{
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i sums[4][2];
    size_t q = 0;
    uint32_t p, b;

    for (p = 0; p < positions; p++)
        for (b = 0; b < 2; b++)
            sums[p][b] =
                _mm256_loadu_si256((const __m256i *)(const void *)(job->sums + (first + p) * job->sum_stride + 8 * b));
    while (q < job->quads) {
        const size_t end = q + (job->quads - q < 64 ? job->quads - q : 64);
        __m256i part[4][2];

        for (p = 0; p < positions; p++)
            for (b = 0; b < 2; b++)
                part[p][b] = _mm256_setzero_si256();
        for (; q < end; q++) {
            __m256i weights[2];

            for (b = 0; b < 2; b++)
                weights[b] = _mm256_loadu_si256((const __m256i *)(const void *)(job->panel + q * 64 + 32 * b));
            for (p = 0; p < positions; p++) {
                int32_t four;
                __m256i value;

                __builtin_memcpy(&four, job->patches + (first + p) * job->patch_stride + 4 * q, 4);
                value = _mm256_set1_epi32(four);
                for (b = 0; b < 2; b++)
                    part[p][b] = _mm256_add_epi16(part[p][b], _mm256_maddubs_epi16(value, weights[b]));
            }
        }
        for (p = 0; p < positions; p++)
            for (b = 0; b < 2; b++)
                sums[p][b] = _mm256_add_epi32(sums[p][b], _mm256_madd_epi16(part[p][b], ones));
    }
    for (p = 0; p < positions; p++)
        for (b = 0; b < 2; b++)
            _mm256_storeu_si256((__m256i *)(void *)(job->sums + (first + p) * job->sum_stride + 8 * b), sums[p][b]);
}

FOR_AVX2 static void bytes(const ebnn_linux_bytes_t *job)
{
    uint32_t p = 0;

    for (; p + 4 <= job->count; p += 4)
        byte_tile(job, p, 4);
    for (; p < job->count; p++)
        byte_tile(job, p, 1);
}

/* Any weights: products of 16 bits, added in pairs. */
FOR_AVX2 EBNN_LINUX_INLINE void wide_tile(const ebnn_linux_bytes_t *job, uint32_t first, const uint32_t positions)
{
    __m256i part[2][4];
    size_t q;
    uint32_t p, b;

    for (p = 0; p < positions; p++)
        for (b = 0; b < 4; b++)
            part[p][b] = _mm256_setzero_si256();
    for (q = 0; q < job->quads; q++) {
        __m256i values[2];

        for (p = 0; p < positions; p++) {
            int32_t four;

            __builtin_memcpy(&four, job->patches + (first + p) * job->patch_stride + 4 * q, 4);
            values[p] = _mm256_broadcastq_epi64(_mm_cvtepu8_epi16(_mm_cvtsi32_si128(four)));
        }
        for (b = 0; b < 4; b++) { /* four lanes */
            const __m256i weights =
                _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)(job->panel + q * 64 + 16 * b)));

            for (p = 0; p < positions; p++)
                part[p][b] = _mm256_add_epi32(part[p][b], _mm256_madd_epi16(values[p], weights));
        }
    }
    for (p = 0; p < positions; p++)
        for (b = 0; b < 2; b++) {
            __m256i *out = (__m256i *)(void *)(job->sums + (first + p) * job->sum_stride + 8 * b);
            const __m256i pairs = _mm256_hadd_epi32(part[p][2 * b], part[p][2 * b + 1]);

            _mm256_storeu_si256(out, _mm256_add_epi32(_mm256_loadu_si256(out), _mm256_permute4x64_epi64(pairs, 0xD8)));
        }
}

FOR_AVX2 static void bytes_bytes(const ebnn_linux_bytes_t *job)
{
    uint32_t p = 0;

    for (; p + 2 <= job->count; p += 2)
        wide_tile(job, p, 2);
    for (; p < job->count; p++)
        wide_tile(job, p, 1);
}

/* A product with +1 or -1 is exact, so a fused step rounds as one that is not. */
FOR_AVX2 EBNN_LINUX_INLINE void float_tile(const ebnn_linux_floats_t *job, uint32_t first, const uint32_t positions)
{
    const float *patches = job->patches + first * job->patch_stride;
    float *sums = job->sums + first * job->sum_stride;
    __m256 acc[6][2];
    uint32_t p;
    size_t k;

    for (p = 0; p < positions; p++) {
        acc[p][0] = _mm256_loadu_ps(sums + p * job->sum_stride);
        acc[p][1] = _mm256_loadu_ps(sums + p * job->sum_stride + 8);
    }
    for (k = 0; k < job->taps; k++) {
        const __m256 low = _mm256_loadu_ps(job->panel + k * EBNN_LINUX_PANEL);
        const __m256 high = _mm256_loadu_ps(job->panel + k * EBNN_LINUX_PANEL + 8);

        for (p = 0; p < positions; p++) {
            const __m256 value = _mm256_broadcast_ss(patches + p * job->patch_stride + k);

            acc[p][0] = _mm256_fmadd_ps(value, low, acc[p][0]);
            acc[p][1] = _mm256_fmadd_ps(value, high, acc[p][1]);
        }
    }
    for (p = 0; p < positions; p++) {
        _mm256_storeu_ps(sums + p * job->sum_stride, acc[p][0]);
        _mm256_storeu_ps(sums + p * job->sum_stride + 8, acc[p][1]);
    }
}

FOR_AVX2 static void floats(const ebnn_linux_floats_t *job)
{
    uint32_t p = 0;

    for (; p + 6 <= job->count; p += 6)
        float_tile(job, p, 6);
    for (; p + 2 <= job->count; p += 2)
        float_tile(job, p, 2);
    for (; p < job->count; p++)
        float_tile(job, p, 1);
}

FOR_AVX2 static void signs(const int32_t *sums, const int32_t *thresholds, uint32_t count, uint8_t *out)
{
    uint32_t j;

    for (j = 0; j < count; j += 8) {
        const __m256i sum = _mm256_loadu_si256((const __m256i *)(const void *)(sums + j));
        const __m256i threshold = _mm256_loadu_si256((const __m256i *)(const void *)(thresholds + j));
        const __m256i less = _mm256_cmpgt_epi32(threshold, sum);

        out[j / 8] = (uint8_t)~_mm256_movemask_ps(_mm256_castsi256_ps(less));
    }
}

FOR_AVX2 static void largest(const ebnn_linux_window_t *window, int32_t *most)
{
    uint32_t y, x, j;

    for (j = 0; j < window->count; j += 8) {
        __m256i best = _mm256_loadu_si256((const __m256i *)(const void *)(window->sums + j));

        for (y = 0; y < window->rows; y++)
            for (x = 0; x < window->columns; x++) {
                const int32_t *sums = window->sums + y * window->row_stride + x * window->column_stride + j;

                best = _mm256_max_epi32(best, _mm256_loadu_si256((const __m256i *)(const void *)sums));
            }
        _mm256_storeu_si256((__m256i *)(void *)(most + j), best);
    }
}

FOR_AVX2 static void unpack(const uint8_t *weights, size_t taps, int8_t *panel)
{
    const __m256i spread = _mm256_setr_epi8(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 6,
                                            6, 6, 6, 7, 7, 7, 7);
    const __m256i one = _mm256_set1_epi8(1);
    const size_t whole = taps / 4 * 4;
    size_t k;
    uint32_t half;

    for (k = 0; k < whole; k += 4)
        for (half = 0; half < 2; half++) {
            const int low = k % 8 == 0;
            const __m256i bit = _mm256_set1_epi32(low ? 0x08040201 : (int)0x80402010u);
            const __m128i eight =
                _mm_loadl_epi64((const __m128i *)(const void *)(weights + k / 8 * EBNN_LINUX_LANES + 8 * half));
            const __m256i lanes = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(eight), spread);
            const __m256i clear = _mm256_cmpeq_epi8(_mm256_and_si256(lanes, bit), _mm256_setzero_si256());

            _mm256_storeu_si256((__m256i *)(void *)(panel + k * EBNN_LINUX_PANEL + 32 * half),
                                _mm256_or_si256(clear, one));
        }
    if (whole < taps) {
        int8_t rest[64 * 2];
        const size_t byte = whole / 8;

        ebnn_linux_unpack_loop(weights + byte * EBNN_LINUX_LANES, taps - byte * 8, rest);
        __builtin_memcpy(panel + whole * EBNN_LINUX_PANEL, rest + (whole - byte * 8) * EBNN_LINUX_PANEL, 64);
    }
}

FOR_AVX2 static void channels(const ebnn_linux_channels_t *job)
{
    ebnn_linux_channel_loop(job);
}

FOR_AVX2 static void requantize(const ebnn_linux_requantize_t *job, const int32_t *sums, uint32_t count, uint8_t *out)
{
    ebnn_linux_requantize_loop(job, sums, count, out);
}

FOR_AVX2 static void unpack_floats(const uint8_t *weights, size_t taps, float *panel)
{
    const __m256i sign = _mm256_set1_epi32((int)0x80000000u), minus_one = _mm256_set1_epi32((int)0xBF800000u);
    __m256i *out = (__m256i *)(void *)panel;
    size_t k;
    uint32_t half;

    for (k = 0; k < taps; k++)
        for (half = 0; half < 2; half++, out++) {
            const __m128i eight =
                _mm_loadl_epi64((const __m128i *)(const void *)(weights + k / 8 * EBNN_LINUX_LANES + 8 * half));
            const __m256i bit = _mm256_sll_epi32(_mm256_cvtepu8_epi32(eight), _mm_cvtsi32_si128(31 - (int)(k % 8)));

            _mm256_storeu_si256(out, _mm256_xor_si256(_mm256_and_si256(bit, sign), minus_one));
        }
}

const ebnn_linux_path_t ebnn_linux_avx2 = {"avx2", 4,       runs,     bits,       bytes,  bytes_bytes,  floats,
                                           signs,  largest, channels, requantize, unpack, unpack_floats};
#else
typedef int ebnn_linux_no_avx2;
#endif
