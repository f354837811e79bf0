/* patches.c - what lies under a kernel, copied out of an activation. */
#include "patches.h"

#include <string.h>

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "ebnn-linux needs gcc or clang, and a core that is little-endian"
#endif

/* Where a kernel lies on an image, and which of its rows and columns lie inside. */
typedef struct {
    int64_t top, left;
    uint32_t first[2], end[2];
} window_t;

static window_t window_at(const ebnn_linux_layer_t *layer, uint32_t y, uint32_t x)
{
    const int64_t start[2] = {(int64_t)y * layer->stride[0] - layer->pad[0],
                              (int64_t)x * layer->stride[1] - layer->pad[1]};
    const uint32_t sides[2] = {layer->height, layer->width};
    window_t window;
    int axis;

    window.top = start[0];
    window.left = start[1];
    for (axis = 0; axis < 2; axis++) {
        const int64_t room = (int64_t)sides[axis] - start[axis];
        const int64_t first = start[axis] < 0 ? -start[axis] : 0;
        const int64_t end = room < layer->kernel[axis] ? room : layer->kernel[axis];

        window.first[axis] = (uint32_t)first;
        window.end[axis] = end > first ? (uint32_t)end : (uint32_t)first;
    }
    if (window.first[0] >= window.end[0] || window.first[1] >= window.end[1])
        window.first[0] = window.end[0] = window.first[1] = window.end[1] = 0;
    return window;
}

static int is_whole(const ebnn_linux_layer_t *layer, const window_t *window)
{
    return window->first[0] == 0 && window->first[1] == 0 && window->end[0] == layer->kernel[0] &&
           window->end[1] == layer->kernel[1];
}

/* Values under a kernel. */
static size_t values_of(const ebnn_linux_layer_t *layer)
{
    return (size_t)layer->kernel[0] * layer->kernel[1] * layer->channels;
}

size_t ebnn_linux_row_bytes(const ebnn_linux_layer_t *layer)
{
    const size_t values = (size_t)layer->width * layer->channels;

    return layer->input == EBNN_LINUX_IN_BITS ? (values + 7) / 8 : values;
}

static uint64_t load(const uint8_t *from)
{
    uint64_t word;

    memcpy(&word, from, sizeof word);
    return word;
}

static void store(uint8_t *to, uint64_t word)
{
    memcpy(to, &word, sizeof word);
}

#define EACH 0x0101010101010101u /* 1 in each byte */

/* Eight bits as eight bytes, 0 or 1. */
static uint64_t spread_byte(uint8_t bits)
{
    const uint64_t chosen = bits * EACH & 0x8040201008040201u;

    return (chosen + 0x7F7F7F7F7F7F7F7Fu) >> 7 & EACH;
}

/* Rows of bytes, side by side, eight bytes at a time: up to seven more are copied. */
static void copy_rows(uint8_t *to, const uint8_t *from, size_t run, size_t row_bytes, uint32_t rows)
{
    size_t i;

    for (; rows; rows--, to += run, from += row_bytes) {
        store(to, load(from));
        for (i = 8; i < run; i += 8)
            store(to + i, load(from + i));
    }
}

void ebnn_linux_put_bits(uint8_t *to, size_t to_bit, const uint8_t *from, size_t from_bit, size_t count)
{
    while (count) {
        const size_t step = count < 56 ? count : 56;
        const uint64_t word = load(from + from_bit / 8) >> (from_bit % 8) & (((uint64_t)1 << step) - 1);
        uint8_t *at = to + to_bit / 8;

        store(at, load(at) | word << (to_bit % 8));
        to_bit += step;
        from_bit += step;
        count -= step;
    }
}

static void put_ones(uint8_t *to, size_t to_bit, size_t count)
{
    while (count) {
        const size_t step = count < 56 ? count : 56;
        uint8_t *at = to + to_bit / 8;

        store(at, load(at) | (((uint64_t)1 << step) - 1) << (to_bit % 8));
        to_bit += step;
        count -= step;
    }
}

void ebnn_linux_bit_patches(const ebnn_linux_layer_t *layer, const uint8_t *image, uint32_t y, uint32_t x,
                            uint32_t count, uint8_t *patches, size_t stride)
{
    const size_t row_bytes = ebnn_linux_row_bytes(layer), run = (size_t)layer->kernel[1] * layer->channels;
    const uint8_t *top = image + ((size_t)y * layer->stride[0] - layer->pad[0]) * row_bytes;
    const size_t step = (size_t)layer->stride[1] * layer->channels, filter_bytes = (values_of(layer) + 7) / 8;
    size_t from = ((size_t)x * layer->stride[1] - layer->pad[1]) * layer->channels;
    uint32_t ky;

    for (; count; count--, patches += stride, from += step) {
        const uint8_t *row = top;

        if (layer->channels % 8 == 0) {
            copy_rows(patches, row + from / 8, run / 8, row_bytes, layer->kernel[0]);
            continue;
        }
        memset(patches, 0, filter_bytes);
        for (ky = 0; ky < layer->kernel[0]; ky++, row += row_bytes)
            ebnn_linux_put_bits(patches, ky * run, row, from, run);
    }
}

int32_t ebnn_linux_bit_patch(const ebnn_linux_layer_t *layer, const uint8_t *image, uint32_t y, uint32_t x,
                             uint8_t *patch, uint8_t *mask)
{
    const window_t window = window_at(layer, y, x);
    const size_t row_bytes = ebnn_linux_row_bytes(layer), channels = layer->channels;
    const size_t run = (window.end[1] - window.first[1]) * channels;
    const size_t from = (size_t)(window.left + window.first[1]) * channels;
    uint32_t ky;

    memset(patch, 0, (values_of(layer) + 7) / 8);
    memset(mask, 0, (values_of(layer) + 7) / 8);
    for (ky = window.first[0]; ky < window.end[0]; ky++) {
        const size_t at = ((size_t)ky * layer->kernel[1] + window.first[1]) * channels;

        ebnn_linux_put_bits(patch, at, image + (size_t)(window.top + ky) * row_bytes, from, run);
        put_ones(mask, at, run);
    }
    return (int32_t)((window.end[0] - window.first[0]) * run);
}

void ebnn_linux_byte_patches(const ebnn_linux_layer_t *layer, const uint8_t *image, uint32_t y, uint32_t x,
                             uint32_t count, uint8_t *patches, size_t stride)
{
    const size_t row_bytes = ebnn_linux_row_bytes(layer), run = (size_t)layer->kernel[1] * layer->channels;
    const size_t step = (size_t)layer->stride[1] * layer->channels;
    const uint8_t *from = image + ((size_t)y * layer->stride[0] - layer->pad[0]) * row_bytes +
                          ((size_t)x * layer->stride[1] - layer->pad[1]) * layer->channels;

    for (; count; count--, patches += stride, from += step)
        copy_rows(patches, from, run, row_bytes, layer->kernel[0]);
}

void ebnn_linux_byte_patch(const ebnn_linux_layer_t *layer, const uint8_t *image, uint32_t y, uint32_t x,
                           uint8_t *patch)
{
    const window_t window = window_at(layer, y, x);
    const size_t row_bytes = ebnn_linux_row_bytes(layer), channels = layer->channels;
    const size_t run = (window.end[1] - window.first[1]) * channels;
    const size_t from = (size_t)(window.left + window.first[1]) * channels;
    uint32_t ky;

    memset(patch, 0, values_of(layer));
    for (ky = window.first[0]; ky < window.end[0]; ky++)
        memcpy(patch + ((size_t)ky * layer->kernel[1] + window.first[1]) * channels,
               image + (size_t)(window.top + ky) * row_bytes + from, run);
}

void ebnn_linux_float_patch(const ebnn_linux_layer_t *layer, const float *image, uint32_t y, uint32_t x, float *patch)
{
    const window_t window = window_at(layer, y, x);
    const size_t channels = layer->channels, run = (window.end[1] - window.first[1]) * channels;
    const size_t from = (size_t)(window.left + window.first[1]) * channels;
    uint32_t ky;
    size_t k;

    if (!is_whole(layer, &window))
        for (k = 0; k < values_of(layer); k++)
            patch[k] = 0;
    for (ky = window.first[0]; ky < window.end[0]; ky++)
        memcpy(patch + ((size_t)ky * layer->kernel[1] + window.first[1]) * channels,
               image + (size_t)(window.top + ky) * layer->width * channels + from, run * sizeof *patch);
}

void ebnn_linux_channels_last(const ebnn_linux_layer_t *layer, const float *from, float *to)
{
    const size_t channels = layer->channels, plane = (size_t)layer->height * layer->width;
    size_t i, c;

    for (c = 0; c < channels; c++)
        for (i = 0; i < plane; i++)
            to[i * channels + c] = from[c * plane + i];
}

void ebnn_linux_spread(const uint8_t *bits, const uint8_t *mask, size_t count, uint8_t *bytes)
{
    size_t k;

    for (k = 0; k < count; k += 8)
        store(bytes + k, (mask ? EACH - spread_byte(mask[k / 8]) : 0) + 2 * spread_byte(bits[k / 8]));
}
