/* bit_tiles.h - sums of bits in registers of 64 bytes, which hold two blocks of weights. A path defines FOR_TILES, the
 * instructions of its core, before it includes this file, and behind it count_bytes, in which alone paths differ. */
#ifndef EBNN_LINUX_BIT_TILES_H
#define EBNN_LINUX_BIT_TILES_H

#include <immintrin.h>

#include "paths.h"

#define POSITIONS 8

/* Patches from `first` on, times one block of weights or two. */
typedef struct {
    const ebnn_linux_bits_t *job;
    const uint8_t *weights;
    uint32_t first;
} tile_t;

/* Adds to counts[p], which is 0, how many bits of bytes k to `end` - 1 of weights differ from patch p of the tile. */
FOR_TILES EBNN_LINUX_INLINE void count_bytes(const tile_t *tile, size_t k, size_t end, __m512i *counts,
                                             const uint32_t positions, const uint32_t blocks, const int masked);

/* Byte k of the filters of a block of weights. */
FOR_TILES EBNN_LINUX_INLINE __m256i block_at(const tile_t *tile, size_t k)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)(tile->weights + k * EBNN_LINUX_LANES));
}

FOR_TILES EBNN_LINUX_INLINE __m512i two_blocks_at(const tile_t *tile, size_t k)
{
    return _mm512_inserti64x4(_mm512_castsi256_si512(block_at(tile, k)), block_at(tile, k + tile->job->bytes), 1);
}

FOR_TILES EBNN_LINUX_INLINE void store_sums(int32_t *sums, __m512i counts, int fresh, __m512i taps)
{
    const __m512i low = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(counts));
    const __m512i high = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(counts, 1));

    _mm512_storeu_si512(sums, _mm512_sub_epi32(fresh ? taps : _mm512_loadu_si512(sums), _mm512_slli_epi32(low, 1)));
    _mm512_storeu_si512(sums + 16,
                        _mm512_sub_epi32(fresh ? taps : _mm512_loadu_si512(sums + 16), _mm512_slli_epi32(high, 1)));
}

/* `positions` patches from `first` on, times `blocks` blocks of weights from `block` on, 1 or 2. */
FOR_TILES EBNN_LINUX_INLINE void bit_tile(const ebnn_linux_bits_t *job, uint32_t first, uint32_t block,
                                          const uint32_t positions, const uint32_t blocks, const int masked)
{
    const tile_t tile = {job, job->weights + (size_t)block * job->bytes * EBNN_LINUX_LANES, first};
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
            count_bytes(&tile, k, end, counts, positions, blocks, masked);
            k = end;
            for (p = 0; p < positions; p++) {
                const __m512i lower = _mm512_cvtepu8_epi16(_mm512_castsi512_si256(counts[p]));

                wide[p][0] = _mm512_add_epi16(wide[p][0], lower);
                if (blocks == 2) {
                    const __m512i upper = _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(counts[p], 1));

                    wide[p][1] = _mm512_add_epi16(wide[p][1], upper);
                }
            }
        }
        for (p = 0; p < positions; p++) {
            int32_t *sums = job->sums + job->rows[first + p] * job->sum_stride + block * EBNN_LINUX_LANES;
            const __m512i taps = _mm512_set1_epi32(job->taps[first + p]);

            store_sums(sums, wide[p][0], fresh, taps);
            if (blocks == 2)
                store_sums(sums + EBNN_LINUX_LANES, wide[p][1], fresh, taps);
        }
    }
}

/* All patches, times `blocks` blocks of weights from `block` on. */
FOR_TILES EBNN_LINUX_INLINE void bit_tiles(const ebnn_linux_bits_t *job, uint32_t block, const uint32_t blocks,
                                           const int masked)
{
    uint32_t p;

    for (p = 0; p + POSITIONS <= job->count; p += POSITIONS)
        bit_tile(job, p, block, POSITIONS, blocks, masked);
    for (; p + 2 <= job->count; p += 2)
        bit_tile(job, p, block, 2, blocks, masked);
    for (; p < job->count; p++)
        bit_tile(job, p, block, 1, blocks, masked);
}

#endif
