/* portable.c - the path for any core: 64 bits at a time. */
#include <string.h>

#include "loops.h"

static int runs(void)
{
    return 1;
}

/* Eight lanes in a word: the differing bits of each of its bytes. */
EBNN_LINUX_INLINE uint64_t ones_of_bytes(uint64_t x)
{
    x -= x >> 1 & 0x5555555555555555u;
    x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
    return (x + (x >> 4)) & 0x0F0F0F0F0F0F0F0Fu;
}

static void bits(const ebnn_linux_bits_t *job)
{
    uint32_t block, p, i, j;

    for (block = 0; block < job->blocks; block++) {
        const uint8_t *weights = job->weights + block * job->bytes * EBNN_LINUX_LANES;

        for (p = 0; p < job->count; p++) {
            const uint8_t *patch = job->patches + p * job->patch_stride;
            const uint8_t *mask = job->masks ? job->masks + p * job->patch_stride : NULL;
            int32_t *sums = job->sums + job->rows[p] * job->sum_stride + block * EBNN_LINUX_LANES;
            size_t k = 0;

            for (j = 0; j < EBNN_LINUX_LANES; j++)
                sums[j] = job->taps[p];
            while (k < job->bytes) {
                const size_t rest = job->bytes - k;
                const size_t end = k + (rest < EBNN_LINUX_COUNTED ? rest : EBNN_LINUX_COUNTED);
                uint64_t counts[EBNN_LINUX_LANES / 8] = {0};
                uint8_t lanes[EBNN_LINUX_LANES];

                for (; k < end; k++) {
                    const uint64_t value = patch[k] * 0x0101010101010101u;
                    const uint64_t inside = mask ? mask[k] * 0x0101010101010101u : ~(uint64_t)0;
                    uint64_t words[EBNN_LINUX_LANES / 8];

                    memcpy(words, weights + k * EBNN_LINUX_LANES, EBNN_LINUX_LANES);
                    for (i = 0; i < EBNN_LINUX_LANES / 8; i++)
                        counts[i] += ones_of_bytes((words[i] ^ value) & inside);
                }
                memcpy(lanes, counts, EBNN_LINUX_LANES);
                for (j = 0; j < EBNN_LINUX_LANES; j++)
                    sums[j] -= 2 * lanes[j];
            }
        }
    }
}

static void bytes(const ebnn_linux_bytes_t *job)
{
    ebnn_linux_byte_loop(job);
}

static void floats(const ebnn_linux_floats_t *job)
{
    ebnn_linux_float_loop(job);
}

static void signs(const int32_t *sums, const int32_t *thresholds, uint32_t count, uint8_t *out)
{
    ebnn_linux_sign_loop(sums, thresholds, count, out);
}

static void largest(const ebnn_linux_window_t *window, int32_t *most)
{
    ebnn_linux_largest_loop(window, most);
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

const ebnn_linux_path_t ebnn_linux_portable = {"portable", 0,       runs,     bits,       bytes,  bytes,        floats,
                                               signs,      largest, channels, requantize, unpack, unpack_floats};
