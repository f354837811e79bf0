/* avx512bw.c - the path for x86 with AVX-512 that lacks a count of ones: shuffles count, see nibble_rows.h. */
#include "loops.h"
#include "nibble_rows.h"

#ifdef EBNN_LINUX_X86
#define FOR_AVX512BW __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))
#define FOR_TILES FOR_AVX512BW
#include "bit_tiles.h"

static int runs(void)
{
    return ebnn_linux_avx2.runs() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

FOR_AVX512BW EBNN_LINUX_INLINE __m512i row_at(uint32_t place)
{
    return _mm512_broadcast_i32x4(_mm_load_si128((const __m128i *)(const void *)(&ebnn_linux_rows[0][0] + place)));
}

FOR_AVX512BW EBNN_LINUX_INLINE void count_bytes(const tile_t *tile, size_t k, size_t end, __m512i *counts,
                                                const uint32_t positions, const uint32_t blocks, const int masked)
{
    const size_t bytes = tile->job->bytes;
    const uint16_t *rows = (const uint16_t *)tile->job->operands + (size_t)tile->first * 2 * bytes;
    const __m512i nibble = _mm512_set1_epi8(15);
    uint32_t p;

    (void)blocks; /* 2 */
    (void)masked; /* a row has 0 where a tap lies outside */
    for (; k < end; k++) {
        const __m512i both = two_blocks_at(tile, k);
        const __m512i low = _mm512_and_si512(both, nibble);
        const __m512i high = _mm512_and_si512(_mm512_srli_epi16(both, 4), nibble);

        for (p = 0; p < positions; p++) {
            const uint16_t *places = rows + (size_t)p * 2 * bytes + 2 * k;
            const __m512i differs = _mm512_add_epi8(_mm512_shuffle_epi8(row_at(places[0]), low),
                                                    _mm512_shuffle_epi8(row_at(places[1]), high));

            counts[p] = _mm512_add_epi8(counts[p], differs);
        }
    }
}

/* Pairs of blocks; a last one alone is AVX2's. */
FOR_AVX512BW static void bits(const ebnn_linux_bits_t *job)
{
    ebnn_linux_bits_t last = *job;
    uint32_t block;

    ebnn_linux_choose_rows(job);
    for (block = 0; block + 2 <= job->blocks; block += 2)
        bit_tiles(job, block, 2, 0);
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
