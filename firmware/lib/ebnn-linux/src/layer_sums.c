/* layer_sums.c - gathers patches and takes the sums of a layer. */
#include "layer_sums.h"

#include <string.h>

#include "patches.h"

/* Sums of one position where each channel has weights of its own. */
static void channel_sums(const ebnn_linux_run_t *run, const uint8_t *patch, int32_t *sums)
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

void ebnn_linux_patch_sums(const ebnn_linux_run_t *run, const ebnn_linux_room_t *room, const uint8_t *patches,
                           size_t patch_bytes, const uint8_t *masks, uint32_t count, uint32_t block, uint32_t blocks,
                           int32_t *sums)
{
    const ebnn_linux_layer_t *layer = run->layer;
    const ebnn_linux_path_t *path = run->net->path;
    const size_t filter_bytes = ((size_t)layer->taps + 7) / 8, lanes = (size_t)blocks * EBNN_LINUX_LANES;
    const uint8_t *weights = run->net->constants + layer->weights;
    const int32_t *corrections = (const int32_t *)(const void *)(run->net->constants + layer->corrections);
    const size_t quads = ((size_t)layer->taps + 3) / 4;
    uint32_t p, panel;
    size_t tap;

    if (ebnn_linux_is_bit_by_bit(layer)) {
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
    if (ebnn_linux_is_by_channel(layer)) {
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
        for (tap = 0; tap < layer->taps; tap += EBNN_LINUX_CHUNK_TAPS) {
            const size_t rest = layer->taps - tap, taps = rest < EBNN_LINUX_CHUNK_TAPS ? rest : EBNN_LINUX_CHUNK_TAPS;
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

void ebnn_linux_gather(const ebnn_linux_run_t *run, const ebnn_linux_room_t *room, const uint8_t *image, uint32_t y,
                       uint32_t x, uint32_t count, int is_inner, uint8_t *patches)
{
    const ebnn_linux_layer_t *layer = run->layer;
    const size_t values = ebnn_linux_patch_values(layer), stride = run->step->patch_bytes;
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

/* How many places from (y, x) on lie in its row of the map, all with kernels inside the image, or all with others. */
static uint32_t places_alike(const ebnn_linux_run_t *run, uint32_t y, uint32_t x, int *is_inner)
{
    const ebnn_linux_step_t *step = run->step;
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
static void bit_map_sums(const ebnn_linux_run_t *run, const ebnn_linux_room_t *room, const uint8_t *image,
                         uint32_t first, uint32_t end, int inner)
{
    const ebnn_linux_layer_t *layer = run->layer;
    const ebnn_linux_step_t *step = run->step;
    const uint32_t blocks = step->lanes / EBNN_LINUX_LANES;
    uint32_t y, x, alike, filled = 0, p;

    for (y = first; y < end; y++)
        for (x = 0; x < layer->map[1]; x += alike) {
            int is_inner;
            uint8_t *patch = room->patches + filled * step->patch_bytes;

            alike = places_alike(run, y, x, &is_inner);
            if (is_inner != inner)
                continue;
            alike = ebnn_linux_at_most(alike, step->positions - filled);
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
                ebnn_linux_patch_sums(run, room, room->patches, step->patch_bytes, inner ? NULL : room->masks, filled,
                                      0, blocks, room->sums);
                filled = 0;
            }
        }
    if (filled)
        ebnn_linux_patch_sums(run, room, room->patches, step->patch_bytes, inner ? NULL : room->masks, filled, 0,
                              blocks, room->sums);
}

void ebnn_linux_map_sums(const ebnn_linux_run_t *run, const ebnn_linux_room_t *room, const uint8_t *image,
                         uint32_t first, uint32_t end)
{
    const ebnn_linux_layer_t *layer = run->layer;
    const ebnn_linux_step_t *step = run->step;
    const uint32_t width = layer->map[1], count = (end - first) * width;
    uint32_t done, positions, p, alike;

    if (ebnn_linux_is_bit_by_bit(layer)) {
        bit_map_sums(run, room, image, first, end, 1);
        bit_map_sums(run, room, image, first, end, 0);
        return;
    }
    for (done = 0; done < count; done += positions) {
        positions = ebnn_linux_at_most(count - done, step->positions);
        for (p = 0; p < positions; p += alike) {
            const uint32_t y = first + (done + p) / width, x = (done + p) % width;
            int is_inner;

            alike = ebnn_linux_at_most(places_alike(run, y, x, &is_inner), positions - p);
            ebnn_linux_gather(run, room, image, y, x, alike, is_inner, room->patches + p * step->patch_bytes);
        }
        ebnn_linux_patch_sums(run, room, room->patches, step->patch_bytes, NULL, positions, 0,
                              step->lanes / EBNN_LINUX_LANES, room->sums + (size_t)done * step->lanes);
    }
}
