/* run_network.c - runs an opened network, layer after layer, for a group of samples at a time. */
#include <string.h>

#include "layer_sums.h"
#include "patches.h"
#include "transforms.h"

/* Ends `count` outputs of one position, from `output` on, a multiple of 32: bits or bytes at `bits`, or scores. */
static void finish(const ebnn_linux_run_t *run, const int32_t *sums, uint32_t output, uint32_t count, uint8_t *bits,
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
    const ebnn_linux_run_t *run = (const ebnn_linux_run_t *)context;
    const ebnn_linux_layer_t *layer = run->layer;
    const ebnn_linux_step_t *step = run->step;
    const ebnn_linux_room_t *room = run->net->rooms + thread;
    const uint32_t blocks = step->lanes / EBNN_LINUX_LANES;
    uint32_t block = (uint32_t)((uint64_t)blocks * part / run->parts), sample, p;
    const uint32_t end = (uint32_t)((uint64_t)blocks * (part + 1) / run->parts);
    const size_t stride = run->net->activation_bytes;

    for (; block < end; block += 2) {
        const uint32_t taken = end - block < 2 ? 1 : 2, output = block * EBNN_LINUX_LANES;
        const uint32_t rest = layer->outputs - output, most = taken * EBNN_LINUX_LANES;
        const uint32_t count = rest < most ? rest : most;

        for (sample = 0; sample < run->samples; sample += step->positions) {
            const uint32_t left = run->samples - sample, positions = ebnn_linux_at_most(left, step->positions);
            const uint8_t *patches = run->in + sample * stride;
            size_t patch_bytes = stride;

            for (p = 0; p < positions; p++) {
                room->taps[p] = (int32_t)(layer->channels * layer->height * layer->width);
                room->rows[p] = p;
            }
            if (layer->input == EBNN_LINUX_IN_INT8 ||
                (layer->input == EBNN_LINUX_IN_BITS && !ebnn_linux_is_bit_by_bit(layer))) {
                patch_bytes = step->patch_bytes;
                for (p = 0; p < positions; p++)
                    ebnn_linux_gather(run, room, patches + p * stride, 0, 0, 1, 1, room->patches + p * patch_bytes);
                patches = room->patches;
            }
            ebnn_linux_patch_sums(run, room, patches, patch_bytes, NULL, positions, block, taken, room->sums);
            for (p = 0; p < positions; p++)
                finish(run, room->sums + (size_t)p * taken * EBNN_LINUX_LANES, output, count,
                       run->out + (sample + p) * stride + (step->out_bits ? output / 8 : output),
                       run->scores ? run->scores + (sample + p) * layer->outputs : NULL);
        }
    }
}

/* The largest sums, or the sums, of a pooling window whose rows and columns of the map are given. */
static const int32_t *pooled_sums(const ebnn_linux_run_t *run, const ebnn_linux_room_t *room, uint32_t first_row,
                                  const uint32_t rows[2], const uint32_t columns[2])
{
    const size_t lanes = run->step->lanes, row = run->layer->map[1] * lanes;
    const uint32_t count = (uint32_t)ebnn_linux_round_up(run->layer->outputs, EBNN_LINUX_PANEL);
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
    const ebnn_linux_run_t *run = (const ebnn_linux_run_t *)context;
    const ebnn_linux_layer_t *layer = run->layer;
    const ebnn_linux_step_t *step = run->step;
    const ebnn_linux_room_t *room = run->net->rooms + thread;
    const uint32_t sample = part / step->bands, first = part % step->bands * step->band;
    const uint32_t last = layer->pooled[0] - first < step->band ? layer->pooled[0] : first + step->band;
    const uint8_t *image = run->in + sample * run->net->activation_bytes;
    uint8_t *out = run->out + sample * run->net->activation_bytes;
    const int in_parts = step->out_bits && layer->outputs % 8 != 0; /* a byte has bits of two places */
    uint32_t top[2], bottom[2], y, x;

    pool_range(layer, 0, first, top);
    pool_range(layer, 0, last - 1, bottom);
    ebnn_linux_map_sums(run, room, image, top[0], bottom[1]);
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
        const ebnn_linux_step_t *step = net->steps + i;
        ebnn_linux_run_t run = {net,  layer, step, net->activations[i % 2], net->activations[(i + 1) % 2],
                                NULL, count, 1};

        if (layer->transform == EBNN_LINUX_SCORES)
            run.scores = scores;
        if (layer->dense) {
            if (net->threads > 1)
                run.parts = ebnn_linux_at_most((step->lanes / EBNN_LINUX_LANES + 1) / 2, 4 * net->threads);
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
        const uint32_t group = ebnn_linux_at_most(count, opened->group);

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
        const uint32_t group = ebnn_linux_at_most(count, opened->group);

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
