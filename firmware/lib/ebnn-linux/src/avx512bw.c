/* avx512bw.c - the path for x86 with AVX-512 that lacks a count of ones: shuffles count, see nibble_rows.h. */
#include "loops.h"
#include "nibble_rows.h"

#ifdef EBNN_LINUX_X86
#include <immintrin.h>

#define FOR_AVX512BW __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))
#define POSITIONS 8

static int runs(void)
{
    return ebnn_linux_avx2.runs() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

FOR_AVX512BW EBNN_LINUX_INLINE __m512i row_at(uint32_t place)
{
    return _mm512_broadcast_i32x4(_mm_load_si128((const __m128i *)(const void *)(&ebnn_linux_rows[0][0] + place)));
}

FOR_AVX512BW EBNN_LINUX_INLINE void store_sums(int32_t *sums, __m512i counts, int fresh, __m512i taps)
{
    const __m512i low = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(counts));
    const __m512i high = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(counts, 1));

    _mm512_storeu_si512(sums, _mm512_sub_epi32(fresh ? taps : _mm512_loadu_si512(sums), _mm512_slli_epi32(low, 1)));
    _mm512_storeu_si512(sums + 16,
                        _mm512_sub_epi32(fresh ? taps : _mm512_loadu_si512(sums + 16), _mm512_slli_epi32(high, 1)));
}

/* `positions` patches from `first` on, times two blocks of weights. */
FOR_AVX512BW EBNN_LINUX_INLINE void bit_tile(const ebnn_linux_bits_t *job, uint32_t first, uint32_t block,
                                             const uint32_t positions)
{
    const uint8_t *weights = job->weights + (size_t)block * job->bytes * EBNN_LINUX_LANES;
    const uint16_t *rows = (const uint16_t *)job->operands + (size_t)first * 2 * job->bytes;
    const __m512i nibble = _mm512_set1_epi8(15);
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
                const __m256i one = _mm256_loadu_si256((const __m256i *)(const void *)at);
                const __m256i other =
                    _mm256_loadu_si256((const __m256i *)(const void *)(at + job->bytes * EBNN_LINUX_LANES));
                const __m512i both = _mm512_inserti64x4(_mm512_castsi256_si512(one), other, 1);
                const __m512i low = _mm512_and_si512(both, nibble);
                const __m512i high = _mm512_and_si512(_mm512_srli_epi16(both, 4), nibble);

                for (p = 0; p < positions; p++) {
                    const uint16_t *places = rows + (size_t)p * 2 * job->bytes + 2 * k;
                    const __m512i differs = _mm512_add_epi8(_mm512_shuffle_epi8(row_at(places[0]), low),
                                                            _mm512_shuffle_epi8(row_at(places[1]), high));

                    counts[p] = _mm512_add_epi8(counts[p], differs);
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

/* Pairs of blocks; a last one alone is AVX2's. */
FOR_AVX512BW static void bits(const ebnn_linux_bits_t *job)
{
    ebnn_linux_bits_t last = *job;
    uint32_t block, p;

    ebnn_linux_choose_rows(job);
    for (block = 0; block + 2 <= job->blocks; block += 2) {
        for (p = 0; p + POSITIONS <= job->count; p += POSITIONS)
            bit_tile(job, p, block, POSITIONS);
        for (; p + 2 <= job->count; p += 2)
            bit_tile(job, p, block, 2);
        for (; p < job->count; p++)
            bit_tile(job, p, block, 1);
    }
    if (block < job->blocks) {
        last.weights += (size_t)block * job->bytes * EBNN_LINUX_LANES;
        last.sums += (size_t)block * EBNN_LINUX_LANES;
        last.blocks = 1;
        ebnn_linux_avx2.bits(&last);
    }
}

static void bytes(const ebnn_linux_bytes_t *job)
{
    ebnn_linux_avx2.bytes(job);
}

static void bytes_bytes(const ebnn_linux_bytes_t *job)
{
    ebnn_linux_avx2.bytes_bytes(job);
}

static void floats(const ebnn_linux_floats_t *job)
{
    ebnn_linux_avx2.floats(job);
}

static void signs(const int32_t *sums, const int32_t *thresholds, uint32_t count, uint8_t *out)
{
    ebnn_linux_avx2.signs(sums, thresholds, count, out);
}

static void largest(const ebnn_linux_window_t *window, int32_t *most)
{
    ebnn_linux_avx2.largest(window, most);
}

static void channels(const ebnn_linux_channels_t *job)
{
    ebnn_linux_avx2.channels(job);
}

static void requantize(const ebnn_linux_requantize_t *job, const int32_t *sums, uint32_t count, uint8_t *out)
{
    ebnn_linux_avx2.requantize(job, sums, count, out);
}

static void unpack(const uint8_t *weights, size_t taps, int8_t *panel)
{
    ebnn_linux_avx2.unpack(weights, taps, panel);
}

static void unpack_floats(const uint8_t *weights, size_t taps, float *panel)
{
    ebnn_linux_avx2.unpack_floats(weights, taps, panel);
}

const ebnn_linux_path_t ebnn_linux_avx512bw = {"avx512bw", 4,       runs,     bits,       bytes,  bytes_bytes,  floats,
                                               signs,      largest, channels, requantize, unpack, unpack_floats};
#else
typedef int ebnn_linux_no_avx512bw;
#endif
