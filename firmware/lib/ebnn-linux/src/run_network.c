/* run_network.c - runs a network, layer after layer, for a group of samples at a time. */
#define _POSIX_C_SOURCE 200809L
#include "ebnn_linux.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "patches.h"
#include "paths.h"
#include "thread_pool.h"
#include "transforms.h"
#include "weights_file.h"

#define ALIGNMENT 64
#define SUM_BYTES (256u << 10)   /* of a band's sums, where one row takes less */
#define PATCH_BYTES (64u << 10)  /* of a tile's patches, as the products take them, where eight take less */
#define GROUP_BYTES (256u << 10) /* of a group's activations, where one sample takes less */
#define MOST_POSITIONS 64        /* in a tile */
#define MOST_SAMPLES 64          /* in a group */
#define FEWEST_SAMPLES 8         /* in a group: they share the reading of a dense layer's weights */
#define CHUNK_TAPS 512           /* of a panel: it lies in the first cache, floats too */

/* What a thread works in. */
typedef struct {
    uint8_t *patches, *masks, *operands;
    int32_t *taps, *sums, *most;
    uint32_t *rows;
    int8_t *panel;
    float *float_panel;
    uint8_t *bits, *row, *bit_patch, *bit_mask;
} room_t;

/* How a layer is run. */
typedef struct {
    size_t patch_bytes; /* from patch to patch */
    uint32_t positions; /* in a tile */
    uint32_t lanes;     /* outputs, rounded up to blocks */
    uint32_t band;      /* pooled rows whose sums lie in memory together */
    uint32_t bands;
    uint32_t inner[2], inner_end[2]; /* rows and columns of the map whose kernels lie inside the image */
    int out_bits;                    /* whether outputs are bits; else bytes */
    size_t out_row_bytes;
} step_t;

struct ebnn_linux {
    const ebnn_linux_network_t *network;
    const ebnn_linux_path_t *path;
    const uint8_t *constants;
    ebnn_linux_file_t file;
    ebnn_linux_threads_t *pool;
    pthread_mutex_t lock;
    uint32_t threads, group;
    size_t activation_bytes; /* from sample to sample */
    step_t *steps;
    room_t *rooms;
    uint8_t *activations[2];
    int32_t *scores; /* of a group */
    void *memory;
};

/* A layer under way, for `samples` samples. */
typedef struct {
    ebnn_linux_t *net;
    const ebnn_linux_layer_t *layer;
    const step_t *step;
    const uint8_t *in;
    uint8_t *out;
    int32_t *scores;
    uint32_t samples, parts;
} run_t;

static const ebnn_linux_path_t *const all_paths[] = {
#ifdef EBNN_LINUX_X86
    &ebnn_linux_avx512,   &ebnn_linux_avx512bw,
    &ebnn_linux_avx2,
#endif
#ifdef EBNN_LINUX_NEON
    &ebnn_linux_neon,
#endif
    &ebnn_linux_portable, NULL};

static size_t round_up(size_t size, size_t unit)
{
    return (size + unit - 1) / unit * unit;
}

static uint32_t at_most(size_t wanted, uint32_t limit)
{
    return wanted < 1 ? 1 : wanted < limit ? (uint32_t)wanted : limit;
}

static int is_bit_by_bit(const ebnn_linux_layer_t *layer)
{
    return layer->product == EBNN_LINUX_BITS;
}

static int is_by_channel(const ebnn_linux_layer_t *layer)
{
    return layer->product == EBNN_LINUX_CHANNELS || layer->product == EBNN_LINUX_FLOAT_CHANNELS;
}

/* Values of a patch, all channels of them. */
static size_t patch_values(const ebnn_linux_layer_t *layer)
{
    return layer->taps * (is_by_channel(layer) ? (size_t)layer->channels : 1);
}

static size_t value_bytes(const ebnn_linux_layer_t *layer)
{
    return layer->input == EBNN_LINUX_IN_FLOAT ? sizeof(float) : 1;
}

/* Bytes of a patch as the products take it. */
static size_t patch_size(const ebnn_linux_layer_t *layer)
{
    return is_bit_by_bit(layer) ? ((size_t)layer->taps + 7) / 8 : patch_values(layer) * value_bytes(layer);
}

/* Sums of one position where each channel has weights of its own. */
static void channel_sums(const run_t *run, const uint8_t *patch, int32_t *sums)
{
    const ebnn_linux_layer_t *layer = run->layer;
    const int8_t *weights = (const int8_t *)(run->net->constants + layer->weights);
    const uint32_t lanes = run->step->lanes, each = layer->outputs / layer->channels;
    const ebnn_linux_channels_t job = {patch, weights, layer->taps, layer->channels, each, lanes, sums};
    const float *values = (const float *)(const void *)patch;
    float *float_sums = (float *)(void *)sums;
    uint32_t k, j;

    if (layer->product == EBNN_LINUX_CHANNELS) {
        run->net->path->channels(&job);
        return;
    }
    for (k = 0; k < layer->taps; k++)
        for (j = 0; j < layer->outputs; j++)
            float_sums[j] += values[(size_t)k * layer->channels + j / each] * weights[(size_t)k * lanes + j];
}

/* Sums of `count` patches with `blocks` blocks of weights from `block` on. */
static void sums_of(const run_t *run, const room_t *room, const uint8_t *patches, size_t patch_bytes,
                    const uint8_t *masks, uint32_t count, uint32_t block, uint32_t blocks, int32_t *sums)
{
    const ebnn_linux_layer_t *layer = run->layer;
    const ebnn_linux_path_t *path = run->net->path;
    const size_t filter_bytes = ((size_t)layer->taps + 7) / 8, lanes = (size_t)blocks * EBNN_LINUX_LANES;
    const uint8_t *weights = run->net->constants + layer->weights;
    const int32_t *corrections = (const int32_t *)(const void *)(run->net->constants + layer->corrections);
    const size_t quads = ((size_t)layer->taps + 3) / 4;
    uint32_t p, panel;
    size_t tap;

    if (is_bit_by_bit(layer)) {
        const ebnn_linux_bits_t job = {
            patches,    masks,          patch_bytes, filter_bytes,
            room->taps, room->rows,     count,       weights + block * filter_bytes * EBNN_LINUX_LANES,
            blocks,     room->operands, sums,        lanes};

        path->bits(&job);
        return;
    }
    for (p = 0; p < count; p++)
        if (layer->input == EBNN_LINUX_IN_INT8 || layer->input == EBNN_LINUX_IN_BITS)
            memcpy(sums + p * lanes, corrections + block * EBNN_LINUX_LANES, lanes * sizeof *sums);
        else
            memset(sums + p * lanes, 0, lanes * sizeof *sums);
    if (is_by_channel(layer)) {
        for (p = 0; p < count; p++)
            channel_sums(run, patches + p * patch_bytes, sums + p * lanes);
        return;
    }
    if (layer->product == EBNN_LINUX_BYTES_BYTES) {
        for (panel = 0; panel < 2 * blocks; panel++) {
            const ebnn_linux_bytes_t job = {patches,
                                            patch_bytes,
                                            quads,
                                            count,
                                            (const int8_t *)weights + (2 * (size_t)block + panel) * quads * 64,
                                            sums + panel * EBNN_LINUX_PANEL,
                                            lanes};

            if (block * EBNN_LINUX_LANES + panel * EBNN_LINUX_PANEL < layer->outputs)
                path->bytes_bytes(&job);
        }
        return;
    }
    weights += block * filter_bytes * EBNN_LINUX_LANES;
    for (panel = 0; panel < 2 * blocks; panel++)
        for (tap = 0; tap < layer->taps; tap += CHUNK_TAPS) {
            const size_t rest = layer->taps - tap, taps = rest < CHUNK_TAPS ? rest : CHUNK_TAPS;
            const uint8_t *own =
                weights + (panel / 2 * filter_bytes + tap / 8) * EBNN_LINUX_LANES + panel % 2 * EBNN_LINUX_PANEL;

            if (block * EBNN_LINUX_LANES + panel * EBNN_LINUX_PANEL >= layer->outputs)
                break;
            if (layer->product == EBNN_LINUX_BYTES) {
                const ebnn_linux_bytes_t job = {patches + tap, patch_bytes, (taps + 3) / 4,
                                                count,         room->panel, sums + panel * EBNN_LINUX_PANEL,
                                                lanes};

                path->unpack(own, taps, room->panel);
                path->bytes(&job);
            } else {
                const ebnn_linux_floats_t job = {(const float *)(const void *)patches + tap,
                                                 patch_bytes / sizeof(float),
                                                 taps,
                                                 count,
                                                 room->float_panel,
                                                 (float *)(void *)sums + panel * EBNN_LINUX_PANEL,
                                                 lanes};

                path->unpack_floats(own, taps, room->float_panel);
                path->floats(&job);
            }
        }
}

/* Patches at places from (y, x) on of a row of the map, as the products take them: bytes of -128 to 127 as 0 to 255,
 * bits as 0 and 2 with 1 for what lies outside; the corrections take the weights' part of that back. */
static void gather(const run_t *run, const room_t *room, const uint8_t *image, uint32_t y, uint32_t x, uint32_t count,
                   int is_inner, uint8_t *patches)
{
    const ebnn_linux_layer_t *layer = run->layer;
    const size_t values = patch_values(layer), stride = run->step->patch_bytes;
    uint8_t *const end = patches + count * stride;
    uint8_t *patch;
    size_t k;

    if (layer->input == EBNN_LINUX_IN_BITS) {
        for (patch = patches; patch < end; patch += stride, x++) {
            if (is_inner)
                ebnn_linux_bit_patches(layer, image, y, x, 1, room->bit_patch, 0);
            else
                ebnn_linux_bit_patch(layer, image, y, x, room->bit_patch, room->bit_mask);
            ebnn_linux_spread(room->bit_patch, is_inner ? NULL : room->bit_mask, values, patch);
        }
        return;
    }
    if (layer->input == EBNN_LINUX_IN_FLOAT) {
        for (patch = patches; patch < end; patch += stride)
            ebnn_linux_float_patch(layer, (const float *)(const void *)image, y, x++, (float *)(void *)patch);
        return;
    }
    if (is_inner)
        ebnn_linux_byte_patches(layer, image, y, x, count, patches, stride);
    else
        for (patch = patches; patch < end; patch += stride)
            ebnn_linux_byte_patch(layer, image, y, x++, patch);
    if (layer->input == EBNN_LINUX_IN_INT8)
        for (patch = patches; patch < end; patch += stride)
            for (k = 0; k < values; k++)
                patch[k] ^= 0x80;
}

/* Ends `count` outputs of one position, from `output` on, a multiple of 32: bits or bytes at `bits`, or scores. */
static void finish(const run_t *run, const int32_t *sums, uint32_t output, uint32_t count, uint8_t *bits,
                   int32_t *scores)
{
    const ebnn_linux_layer_t *layer = run->layer;
    const uint8_t *constants = run->net->constants + layer->constants;
    const uint32_t lanes = run->step->lanes, whole = (count + 7) / 8 * 8;
    uint32_t j;

    if (layer->transform == EBNN_LINUX_SCORES) {
        ebnn_linux_score(sums, (const int32_t *)(const void *)constants + output, lanes, count, scores + output);
        return;
    }
    if (layer->transform == EBNN_LINUX_REQUANTIZE) {
        const int32_t *bias = (const int32_t *)(const void *)constants + output;
        const ebnn_linux_requantize_t job = {bias, bias + lanes, bias + 2 * (size_t)lanes, layer->low, layer->high};

        run->net->path->requantize(&job, sums, count, bits);
        return;
    }
    if (layer->transform == EBNN_LINUX_NORMALIZE) {
        ebnn_linux_normalize((const float *)(const void *)sums, (const float *)(const void *)constants + output, lanes,
                             whole, bits);
    } else {
        const uint8_t *flips = constants + (size_t)lanes * 4 + output / 8;

        run->net->path->signs(sums, (const int32_t *)(const void *)constants + output, whole, bits);
        for (j = 0; j < whole / 8; j++)
            bits[j] ^= flips[j];
    }
    if (count % 8)
        bits[count / 8] &= (uint8_t)((1u << count % 8) - 1);
}

/* Some blocks of a dense layer, for all samples. */
static void dense_part(void *context, uint32_t part, uint32_t thread)
{
    const run_t *run = (const run_t *)context;
    const ebnn_linux_layer_t *layer = run->layer;
    const step_t *step = run->step;
    const room_t *room = run->net->rooms + thread;
    const uint32_t blocks = step->lanes / EBNN_LINUX_LANES;
    uint32_t block = (uint32_t)((uint64_t)blocks * part / run->parts), sample, p;
    const uint32_t end = (uint32_t)((uint64_t)blocks * (part + 1) / run->parts);
    const size_t stride = run->net->activation_bytes;

    for (; block < end; block += 2) {
        const uint32_t taken = end - block < 2 ? 1 : 2, output = block * EBNN_LINUX_LANES;
        const uint32_t rest = layer->outputs - output, most = taken * EBNN_LINUX_LANES;
        const uint32_t count = rest < most ? rest : most;

        for (sample = 0; sample < run->samples; sample += step->positions) {
            const uint32_t left = run->samples - sample, positions = at_most(left, step->positions);
            const uint8_t *patches = run->in + sample * stride;
            size_t patch_bytes = stride;

            for (p = 0; p < positions; p++) {
                room->taps[p] = (int32_t)(layer->channels * layer->height * layer->width);
                room->rows[p] = p;
            }
            if (layer->input == EBNN_LINUX_IN_INT8 || (layer->input == EBNN_LINUX_IN_BITS && !is_bit_by_bit(layer))) {
                patch_bytes = step->patch_bytes;
                for (p = 0; p < positions; p++)
                    gather(run, room, patches + p * stride, 0, 0, 1, 1, room->patches + p * patch_bytes);
                patches = room->patches;
            }
            sums_of(run, room, patches, patch_bytes, NULL, positions, block, taken, room->sums);
            for (p = 0; p < positions; p++)
                finish(run, room->sums + (size_t)p * taken * EBNN_LINUX_LANES, output, count,
                       run->out + (sample + p) * stride + (step->out_bits ? output / 8 : output),
                       run->scores ? run->scores + (sample + p) * layer->outputs : NULL);
        }
    }
}

/* How many places from (y, x) on lie in its row of the map, all with kernels inside the image, or all with others. */
static uint32_t places_alike(const run_t *run, uint32_t y, uint32_t x, int *is_inner)
{
    const step_t *step = run->step;
    const uint32_t width = run->layer->map[1];

    *is_inner = 0;
    if (y < step->inner[0] || y >= step->inner_end[0] || x >= step->inner_end[1])
        return width - x;
    if (x < step->inner[1])
        return step->inner[1] - x;
    *is_inner = 1;
    return step->inner_end[1] - x;
}

/* Sums of bits of map rows `first` to `end` - 1: of the places whose kernels lie inside the image, or of the others. */
static void bit_map_sums(const run_t *run, const room_t *room, const uint8_t *image, uint32_t first, uint32_t end,
                         int inner)
{
    const ebnn_linux_layer_t *layer = run->layer;
    const step_t *step = run->step;
    const uint32_t blocks = step->lanes / EBNN_LINUX_LANES;
    uint32_t y, x, alike, filled = 0, p;

    for (y = first; y < end; y++)
        for (x = 0; x < layer->map[1]; x += alike) {
            int is_inner;
            uint8_t *patch = room->patches + filled * step->patch_bytes;

            alike = places_alike(run, y, x, &is_inner);
            if (is_inner != inner)
                continue;
            alike = at_most(alike, step->positions - filled);
            for (p = filled; p < filled + alike; p++) {
                room->rows[p] = (y - first) * layer->map[1] + x + p - filled;
                room->taps[p] = (int32_t)layer->taps;
                if (!inner)
                    room->taps[p] =
                        ebnn_linux_bit_patch(layer, image, y, x + p - filled, room->patches + p * step->patch_bytes,
                                             room->masks + p * step->patch_bytes);
            }
            if (inner)
                ebnn_linux_bit_patches(layer, image, y, x, alike, patch, step->patch_bytes);
            filled += alike;
            if (filled == step->positions) {
                sums_of(run, room, room->patches, step->patch_bytes, inner ? NULL : room->masks, filled, 0, blocks,
                        room->sums);
                filled = 0;
            }
        }
    if (filled)
        sums_of(run, room, room->patches, step->patch_bytes, inner ? NULL : room->masks, filled, 0, blocks, room->sums);
}

/* Sums of map rows `first` to `end` - 1 of a sample. */
static void map_sums(const run_t *run, const room_t *room, const uint8_t *image, uint32_t first, uint32_t end)
{
    const ebnn_linux_layer_t *layer = run->layer;
    const step_t *step = run->step;
    const uint32_t width = layer->map[1], count = (end - first) * width;
    uint32_t done, positions, p, alike;

    if (is_bit_by_bit(layer)) {
        bit_map_sums(run, room, image, first, end, 1);
        bit_map_sums(run, room, image, first, end, 0);
        return;
    }
    for (done = 0; done < count; done += positions) {
        positions = at_most(count - done, step->positions);
        for (p = 0; p < positions; p += alike) {
            const uint32_t y = first + (done + p) / width, x = (done + p) % width;
            int is_inner;

            alike = at_most(places_alike(run, y, x, &is_inner), positions - p);
            gather(run, room, image, y, x, alike, is_inner, room->patches + p * step->patch_bytes);
        }
        sums_of(run, room, room->patches, step->patch_bytes, NULL, positions, 0, step->lanes / EBNN_LINUX_LANES,
                room->sums + (size_t)done * step->lanes);
    }
}

/* The largest sums, or the sums, of a pooling window whose rows and columns of the map are given. */
static const int32_t *pooled_sums(const run_t *run, const room_t *room, uint32_t first_row, const uint32_t rows[2],
                                  const uint32_t columns[2])
{
    const size_t lanes = run->step->lanes, row = run->layer->map[1] * lanes;
    const uint32_t count = (uint32_t)round_up(run->layer->outputs, EBNN_LINUX_PANEL);
    const ebnn_linux_window_t window = {room->sums + (rows[0] - first_row) * row + columns[0] * lanes,
                                        row,
                                        lanes,
                                        rows[1] - rows[0],
                                        columns[1] - columns[0],
                                        count};
    uint32_t y, x, j;

    if (window.rows == 1 && window.columns == 1)
        return window.sums;
    if (!run->layer->average && run->layer->input != EBNN_LINUX_IN_FLOAT) {
        run->net->path->largest(&window, room->most);
        return room->most;
    }
    memcpy(room->most, window.sums, count * sizeof *window.sums);
    for (y = 0; y < window.rows; y++)
        for (x = y ? 0 : 1; x < window.columns; x++) {
            const int32_t *sums = window.sums + y * row + x * lanes;
            const float *floats = (const float *)(const void *)sums;
            float *most = (float *)(void *)room->most;

            for (j = 0; j < count; j++)
                if (run->layer->average)
                    room->most[j] += sums[j];
                else
                    most[j] = floats[j] > most[j] ? floats[j] : most[j];
        }
    return room->most;
}

/* Rows or columns of the map under place `index` of the pooled map. */
static void pool_range(const ebnn_linux_layer_t *layer, int axis, uint32_t index, uint32_t range[2])
{
    const int64_t start = (int64_t)index * layer->pool_stride[axis] - layer->pool_pad[axis];
    const int64_t end = start + layer->pool[axis];

    range[0] = start < 0 ? 0 : (uint32_t)start;
    range[1] = end < layer->map[axis] ? (uint32_t)end : layer->map[axis];
}

/* Some rows of a convolution's output, of one sample. */
static void conv_part(void *context, uint32_t part, uint32_t thread)
{
    const run_t *run = (const run_t *)context;
    const ebnn_linux_layer_t *layer = run->layer;
    const step_t *step = run->step;
    const room_t *room = run->net->rooms + thread;
    const uint32_t sample = part / step->bands, first = part % step->bands * step->band;
    const uint32_t last = layer->pooled[0] - first < step->band ? layer->pooled[0] : first + step->band;
    const uint8_t *image = run->in + sample * run->net->activation_bytes;
    uint8_t *out = run->out + sample * run->net->activation_bytes;
    const int in_parts = step->out_bits && layer->outputs % 8 != 0; /* a byte has bits of two places */
    uint32_t top[2], bottom[2], y, x;

    pool_range(layer, 0, first, top);
    pool_range(layer, 0, last - 1, bottom);
    map_sums(run, room, image, top[0], bottom[1]);
    for (y = first; y < last; y++) {
        uint8_t *row = out + y * step->out_row_bytes;
        uint32_t rows[2], columns[2];

        pool_range(layer, 0, y, rows);
        if (in_parts)
            memset(room->row, 0, step->out_row_bytes);
        for (x = 0; x < layer->pooled[1]; x++) {
            const int32_t *sums;

            pool_range(layer, 1, x, columns);
            sums = pooled_sums(run, room, top[0], rows, columns);
            if (!in_parts) {
                const size_t at = (size_t)x * layer->outputs;

                finish(run, sums, 0, layer->outputs, row + (step->out_bits ? at / 8 : at),
                       run->scores ? run->scores + (size_t)sample * layer->outputs : NULL);
            } else {
                finish(run, sums, 0, layer->outputs, room->bits, NULL);
                ebnn_linux_put_bits(room->row, (size_t)x * layer->outputs, room->bits, 0, layer->outputs);
            }
        }
        if (in_parts) /* another thread may be writing the row behind this one */
            memcpy(row, room->row, step->out_row_bytes);
    }
}

static void run_group(ebnn_linux_t *net, const uint8_t *samples, uint32_t count, int32_t *scores)
{
    const size_t sample_bytes = (size_t)net->network->sample_bytes;
    uint32_t i;

    for (i = 0; i < count; i++) {
        uint8_t *to = net->activations[0] + i * net->activation_bytes;

        if (net->network->layers[0].input == EBNN_LINUX_IN_FLOAT && !net->network->layers[0].dense)
            ebnn_linux_channels_last(net->network->layers, (const float *)(const void *)(samples + i * sample_bytes),
                                     (float *)(void *)to);
        else
            memcpy(to, samples + i * sample_bytes, sample_bytes);
    }
    for (i = 0; i < net->network->layer_count; i++) {
        const ebnn_linux_layer_t *layer = net->network->layers + i;
        const step_t *step = net->steps + i;
        run_t run = {net, layer, step, net->activations[i % 2], net->activations[(i + 1) % 2], NULL, count, 1};

        if (layer->transform == EBNN_LINUX_SCORES)
            run.scores = scores;
        if (layer->dense) {
            if (net->threads > 1)
                run.parts = at_most((step->lanes / EBNN_LINUX_LANES + 1) / 2, 4 * net->threads);
            ebnn_linux_threads_run(net->pool, dense_part, &run, run.parts);
        } else {
            ebnn_linux_threads_run(net->pool, conv_part, &run, count * step->bands);
        }
    }
}

void ebnn_linux_scores(ebnn_linux_t *opened, const void *samples, size_t count, int32_t *scores)
{
    const uint8_t *bytes = (const uint8_t *)samples;

    pthread_mutex_lock(&opened->lock);
    while (count) {
        const uint32_t group = at_most(count, opened->group);

        run_group(opened, bytes, group, scores);
        bytes += group * (size_t)opened->network->sample_bytes;
        scores += group * (size_t)opened->network->classes;
        count -= group;
    }
    pthread_mutex_unlock(&opened->lock);
}

void ebnn_linux_predict(ebnn_linux_t *opened, const void *samples, size_t count, uint32_t *classes)
{
    const uint8_t *bytes = (const uint8_t *)samples;
    uint32_t i, k;

    pthread_mutex_lock(&opened->lock);
    while (count) {
        const uint32_t group = at_most(count, opened->group);

        run_group(opened, bytes, group, opened->scores);
        for (i = 0; i < group; i++) {
            const int32_t *scores = opened->scores + (size_t)i * opened->network->classes;

            classes[i] = 0;
            for (k = 1; k < opened->network->classes; k++)
                if (scores[k] > scores[classes[i]])
                    classes[i] = k;
        }
        bytes += group * (size_t)opened->network->sample_bytes;
        classes += group;
        count -= group;
    }
    pthread_mutex_unlock(&opened->lock);
}

/* Room for an array behind those before it; without memory only counts. */
static void *take(uint8_t *memory, size_t *used, size_t bytes)
{
    void *at = memory ? memory + *used : NULL;

    *used += round_up(bytes + EBNN_LINUX_SLACK, ALIGNMENT);
    return at;
}

static size_t input_bytes(const ebnn_linux_layer_t *layer)
{
    return layer->height * ebnn_linux_row_bytes(layer) * value_bytes(layer);
}

/* Which places along one side have their kernels inside the image. */
static void find_inner(const ebnn_linux_layer_t *layer, int axis, step_t *step)
{
    const uint32_t side = axis ? layer->width : layer->height, kernel = layer->kernel[axis], pad = layer->pad[axis];
    const uint32_t first = (pad + layer->stride[axis] - 1) / layer->stride[axis];
    const uint32_t end = side + pad < kernel ? 0 : (side + pad - kernel) / layer->stride[axis] + 1;

    step->inner[axis] = first < layer->map[axis] ? first : layer->map[axis];
    step->inner_end[axis] = end < step->inner[axis]  ? step->inner[axis]
                            : end < layer->map[axis] ? end
                                                     : layer->map[axis];
}

/* Chooses tiles and bands of a layer. */
static void plan_step(ebnn_linux_t *net, const ebnn_linux_layer_t *layer, step_t *step)
{
    const size_t patch = patch_size(layer);
    const size_t operand = is_bit_by_bit(layer) ? patch * (1 + net->path->operand_bytes) : patch;
    size_t row_sums;

    find_inner(layer, 0, step);
    find_inner(layer, 1, step);
    step->lanes = (uint32_t)round_up(layer->outputs, EBNN_LINUX_LANES);
    step->patch_bytes = round_up(patch + 8, 8);
    step->positions = at_most(PATCH_BYTES / operand / 8 * 8, MOST_POSITIONS);
    if (step->positions < 8)
        step->positions = is_bit_by_bit(layer) ? 8 : 32;
    step->out_bits = layer->transform == EBNN_LINUX_SIGN || layer->transform == EBNN_LINUX_NORMALIZE;
    step->out_row_bytes = (size_t)layer->pooled[1] * layer->outputs;
    if (step->out_bits)
        step->out_row_bytes = (step->out_row_bytes + 7) / 8;
    row_sums = (size_t)layer->pool_stride[0] * layer->map[1] * step->lanes * sizeof(int32_t);
    step->band = at_most(SUM_BYTES / row_sums, layer->pooled[0]);
    if (net->threads > 1)
        step->band = at_most((layer->pooled[0] + 2 * net->threads - 1) / (2 * net->threads), step->band);
    step->bands = (layer->pooled[0] + step->band - 1) / step->band;
}

/* Lays out all memory behind `memory`, or only counts its bytes where that is NULL. */
static size_t lay_out(ebnn_linux_t *net, uint8_t *memory)
{
    const ebnn_linux_network_t *network = net->network;
    size_t used = 0, patches = 0, operands = 0, sums = 0, lanes = 0, positions = 0, bit_patch = 0, row = 0;
    uint32_t i;

    for (i = 0; i < network->layer_count; i++) {
        const ebnn_linux_layer_t *layer = network->layers + i;
        const step_t *step = net->steps + i;
        const size_t rows = ((size_t)step->band - 1) * layer->pool_stride[0] + layer->pool[0];
        const size_t places =
            layer->dense ? step->positions : (rows < layer->map[0] ? rows : layer->map[0]) * layer->map[1];
        const size_t wide = layer->dense ? 2 * EBNN_LINUX_LANES : step->lanes;
        const size_t tile = step->positions * step->patch_bytes;
        const size_t bits = (patch_values(layer) + 7) / 8;

        bit_patch = bit_patch > bits ? bit_patch : bits;
        row = row > step->out_row_bytes ? row : step->out_row_bytes;
        patches = patches > tile ? patches : tile;
        operands = operands > tile * net->path->operand_bytes ? operands : tile * net->path->operand_bytes;
        sums = sums > places * wide ? sums : places * wide;
        lanes = lanes > step->lanes ? lanes : step->lanes;
        positions = positions > step->positions ? positions : step->positions;
    }
    for (i = 0; i < 2; i++)
        net->activations[i] = (uint8_t *)take(memory, &used, net->group * net->activation_bytes);
    net->scores = (int32_t *)take(memory, &used, (size_t)net->group * network->classes * sizeof(int32_t));
    for (i = 0; i < net->threads; i++) {
        room_t *room = net->rooms + i;

        room->patches = (uint8_t *)take(memory, &used, patches);
        room->masks = (uint8_t *)take(memory, &used, patches);
        room->operands = (uint8_t *)take(memory, &used, operands);
        room->taps = (int32_t *)take(memory, &used, positions * sizeof(int32_t));
        room->rows = (uint32_t *)take(memory, &used, positions * sizeof(uint32_t));
        room->sums = (int32_t *)take(memory, &used, sums * sizeof(int32_t));
        room->most = (int32_t *)take(memory, &used, lanes * sizeof(int32_t));
        room->panel = (int8_t *)take(memory, &used, CHUNK_TAPS * EBNN_LINUX_PANEL);
        room->float_panel = (float *)take(memory, &used, CHUNK_TAPS * EBNN_LINUX_PANEL * sizeof(float));
        room->bits = (uint8_t *)take(memory, &used, lanes / 8);
        room->row = (uint8_t *)take(memory, &used, row);
        room->bit_patch = (uint8_t *)take(memory, &used, bit_patch);
        room->bit_mask = (uint8_t *)take(memory, &used, bit_patch);
    }
    return used;
}

/* Chooses the group and takes the memory. Returns 0 or an error. */
static int prepare(ebnn_linux_t *net)
{
    const ebnn_linux_network_t *network = net->network;
    size_t most = 0, bytes;
    uint32_t i;

    net->steps = (step_t *)calloc(network->layer_count, sizeof *net->steps);
    net->rooms = (room_t *)calloc(net->threads, sizeof *net->rooms);
    if (!net->steps || !net->rooms)
        return EBNN_LINUX_NO_MEMORY;
    for (i = 0; i < network->layer_count; i++) {
        const size_t in = input_bytes(network->layers + i);

        plan_step(net, network->layers + i, net->steps + i);
        most = most > in ? most : in;
    }
    net->activation_bytes = round_up(most + EBNN_LINUX_SLACK, ALIGNMENT);
    net->group = at_most(GROUP_BYTES / net->activation_bytes, MOST_SAMPLES);
    if (net->group < FEWEST_SAMPLES)
        net->group = FEWEST_SAMPLES;
    bytes = lay_out(net, NULL);
    if (posix_memalign(&net->memory, ALIGNMENT, bytes) != 0) {
        net->memory = NULL;
        return EBNN_LINUX_NO_MEMORY;
    }
    memset(net->memory, 0, bytes);
    lay_out(net, (uint8_t *)net->memory);
    return 0;
}

static const ebnn_linux_path_t *path_named(const char *name)
{
    uint32_t i;

    for (i = 0; all_paths[i]; i++)
        if (name ? strcmp(all_paths[i]->name, name) == 0 : all_paths[i]->runs())
            return all_paths[i];
    return NULL;
}

int ebnn_linux_open(ebnn_linux_t **opened, const ebnn_linux_network_t *network, const char *weights_file,
                    uint32_t threads, const char *path)
{
    ebnn_linux_t *net;
    int error = 0;

    *opened = NULL;
    if (path && !ebnn_linux_path_runs(path))
        return EBNN_LINUX_NO_PATH;
    net = (ebnn_linux_t *)calloc(1, sizeof *net);
    if (!net)
        return EBNN_LINUX_NO_MEMORY;
    pthread_mutex_init(&net->lock, NULL);
    net->network = network;
    net->path = path_named(path);
    net->threads = threads ? threads : 1;
    net->constants = (const uint8_t *)network->constants;
    if (weights_file) {
        error = ebnn_linux_map(&net->file, weights_file, network);
        if (!error)
            net->constants = (const uint8_t *)net->file.mapped + EBNN_LINUX_HEAD_BYTES;
    } else if (!net->constants) {
        error = EBNN_LINUX_NO_FILE;
    }
    if (!error)
        error = prepare(net);
    if (!error && !(net->pool = ebnn_linux_threads_start(net->threads)))
        error = EBNN_LINUX_NO_THREAD;
    if (error) {
        ebnn_linux_close(net);
        return error;
    }
    *opened = net;
    return 0;
}

void ebnn_linux_close(ebnn_linux_t *opened)
{
    if (!opened)
        return;
    ebnn_linux_threads_stop(opened->pool);
    ebnn_linux_unmap(&opened->file);
    pthread_mutex_destroy(&opened->lock);
    free(opened->memory);
    free(opened->rooms);
    free(opened->steps);
    free(opened);
}

const char *ebnn_linux_path(const ebnn_linux_t *opened)
{
    return opened->path->name;
}

const char *ebnn_linux_path_name(uint32_t index)
{
    const uint32_t count = sizeof all_paths / sizeof all_paths[0] - 1;

    return index < count ? all_paths[index]->name : NULL;
}

int ebnn_linux_path_runs(const char *path)
{
    const ebnn_linux_path_t *found = path_named(path);

    return found && found->runs();
}

const char *ebnn_linux_error(int error)
{
    switch (error) {
    case 0:
        return "no error";
    case EBNN_LINUX_NO_MEMORY:
        return "there is not enough memory";
    case EBNN_LINUX_NO_FILE:
        return "the file of weights cannot be opened";
    case EBNN_LINUX_NO_WEIGHTS:
        return "this is no file of weights";
    case EBNN_LINUX_OTHER_VERSION:
        return "the file of weights has another version than the library";
    case EBNN_LINUX_OTHER_NETWORK:
        return "the file of weights belongs to another network";
    case EBNN_LINUX_DAMAGED:
        return "the file of weights is damaged: its length or its checksum is wrong";
    case EBNN_LINUX_NO_THREAD:
        return "the threads cannot be made";
    case EBNN_LINUX_NO_PATH:
        return "this core does not run that path";
    default:
        return "unknown error";
    }
}
