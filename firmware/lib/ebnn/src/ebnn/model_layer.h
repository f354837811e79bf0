/*
 * A layer of an image: its record, put together to what kernels take. Records and arrays follow each other, each from a
 * multiple of 4 on:
 *
 *   uint32_t of the layer with its arrays; uint8_t kernel, flags; uint16_t outputs;
 *   where it slides: uint16_t size, stride and pad of its kernel, height and width of each;
 *   where it pools: the same of the pool; where it requantizes: int16_t low, high.
 *
 * Then come weights or table; thresholds, or normalization, or multipliers, offsets or biases, and shifts; flips.
 */
#ifndef EBNN_MODEL_LAYER_H
#define EBNN_MODEL_LAYER_H

#include "integer.h"
#include "model.h"

#ifndef EBNN_MODEL_KERNELS
#define EBNN_MODEL_KERNELS EBNN_MODEL_ALL
#endif

/* Flags of a record; how it ends is 0 signs, 1 bytes by 16 bits, 2 bytes by 32 bits, 3 scores. */
#define EBNN_MODEL_SLIDES 1u
#define EBNN_MODEL_POOLS 2u
#define EBNN_MODEL_ADDS 4u
#define EBNN_MODEL_FLIPS 8u
#define EBNN_MODEL_END(flags) (((flags) >> 4) & 3u)
#define EBNN_MODEL_GIVES_INT8 64u
#define EBNN_MODEL_THRESHOLDS_32 128u /* int32_t, else int16_t */

#define EBNN_MODEL_SIGNS 0u
#define EBNN_MODEL_NARROW 1u
#define EBNN_MODEL_WIDE 2u
#define EBNN_MODEL_SCORES 3u

#define EBNN_MODEL_RECORD_BYTES 8u
#define EBNN_MODEL_WINDOW_BYTES 12u
#define EBNN_MODEL_RANGE_BYTES 4u

/* Numbers of kernels. */
enum {
    EBNN_CONV_EACH = 1,
    EBNN_CONV_FOURS,
    EBNN_CONV_SUMS,
    EBNN_CONV_COLUMNS,
    EBNN_CONV_TABLE,
    EBNN_CONV_FLOAT,
    EBNN_DENSE_EACH,
    EBNN_DENSE_FOURS,
    EBNN_DENSE_SUMS,
    EBNN_DENSE_FLOAT,
    EBNN_OUTPUT_BITS,
    EBNN_OUTPUT_FOURS,
    EBNN_OUTPUT_BYTES,
    EBNN_MULTIPLY,
    EBNN_DEPTHWISE,
    EBNN_DEPTHWISE_BITS,
    EBNN_VALUES,
    EBNN_ADD,
    EBNN_KERNELS_END
};

/* A layer, put together. */
typedef struct {
    ebnn_integer_t layer; /* what kernels of other structs take stands here, too; offsets of scores in biases */
    const uint8_t *next;  /* the layer after it */
    size_t weight_bytes;
    size_t out_bytes; /* whole words; none of scores */
    uint8_t kernel;
    uint8_t flags;
    uint8_t out_kind;
    uint8_t here; /* a dense layer of bytes: its input is the patch */
} ebnn_model_layer_t;

EBNN_INLINE uint16_t ebnn_model_u16(const uint8_t *at)
{
    return EBNN_READ_U16((const void *)at);
}

EBNN_INLINE uint32_t ebnn_model_u32(const uint8_t *at)
{
    return EBNN_READ_U32((const void *)at);
}

/* Bytes of a row of an activation. */
EBNN_INLINE uint32_t ebnn_model_row_bytes(uint8_t kind, uint16_t width, uint16_t channels)
{
    const uint32_t values = (uint32_t)width * channels;

    return kind == EBNN_BITS ? (values + 7u) / 8u : kind == EBNN_FLOAT ? 4u * values : values;
}

/* Reads size, stride and pad of a window. sides: height and width of what it slides along. */
EBNN_KERNEL void ebnn_model_windows(const uint8_t *at, ebnn_window_t *rows, ebnn_window_t *columns)
{
    rows->size = ebnn_model_u16(at);
    columns->size = ebnn_model_u16(at + 2);
    rows->stride = ebnn_model_u16(at + 4);
    columns->stride = ebnn_model_u16(at + 6);
    rows->pad = ebnn_model_u16(at + 8);
    columns->pad = ebnn_model_u16(at + 10);
}

/* Positions of a window along its side. */
EBNN_KERNEL uint16_t ebnn_model_count(const ebnn_window_t *window)
{
    uint16_t room = (uint16_t)(window->side + 2u * window->pad - window->size);

    if (window->stride != 1u)
        room = (uint16_t)(room / window->stride);
    return (uint16_t)(room + 1u);
}

/* Bytes of a record. */
EBNN_INLINE uint8_t ebnn_model_record_bytes(uint8_t flags)
{
    const uint8_t end = EBNN_MODEL_END(flags);

    return (uint8_t)(EBNN_MODEL_RECORD_BYTES + (flags & EBNN_MODEL_SLIDES ? EBNN_MODEL_WINDOW_BYTES : 0u) +
                     (flags & EBNN_MODEL_POOLS ? EBNN_MODEL_WINDOW_BYTES : 0u) +
                     (end == EBNN_MODEL_NARROW || end == EBNN_MODEL_WIDE ? EBNN_MODEL_RANGE_BYTES : 0u));
}

/* The windows of a layer, of the kernel and of the pool, and what it gives: sides, and rows of bits. */
EBNN_KERNEL void ebnn_model_geometry(const ebnn_model_place_t *place, ebnn_model_layer_t *made)
{
    ebnn_conv_t *const conv = &made->layer.conv;
    const uint8_t *at = place->at + EBNN_MODEL_RECORD_BYTES;

    conv->kernel_rows.side = place->height;
    conv->kernel_columns.side = place->width;
    conv->kernel_rows.stride = conv->kernel_columns.stride = 1;
    conv->kernel_rows.pad = conv->kernel_columns.pad = 0;
    conv->kernel_rows.size = conv->kernel_columns.size = 1;
    conv->pool_rows = conv->pool_columns = conv->kernel_rows;
    if (made->flags & EBNN_MODEL_SLIDES) {
        ebnn_model_windows(at, &conv->kernel_rows, &conv->kernel_columns);
        at += EBNN_MODEL_WINDOW_BYTES;
    } else if (made->kernel != EBNN_VALUES) {
        conv->kernel_rows.size = place->height;
        conv->kernel_columns.size = place->width;
    }
    if (made->flags & EBNN_MODEL_POOLS)
        ebnn_model_windows(at, &conv->pool_rows, &conv->pool_columns);
}

/* Bytes of the weights of a filter of multiply.h. */
EBNN_INLINE uint32_t ebnn_model_factors(const ebnn_filters_t *filters)
{
#if EBNN_LANES == 1 /* with what sums of signed values start with, and an empty filter beside a single one */
    const uint32_t taps = (uint32_t)filters->taps;
    const uint32_t bytes = filters->kind == EBNN_UINT8 ? taps : taps + (taps + 255u) / 256u * 3u;

    return filters->outputs == 1u ? 2u * bytes : bytes;
#else
    return (uint32_t)filters->taps;
#endif
}

/* Bytes of the weights of a layer, padded to words; of tables, 0. */
EBNN_INLINE size_t ebnn_model_weights(const ebnn_model_layer_t *made)
{
    const ebnn_conv_t *const conv = &made->layer.conv;
    const size_t outputs = conv->filters.outputs;

    switch (made->kernel) {
    case EBNN_CONV_COLUMNS:
    case EBNN_CONV_TABLE:
    case EBNN_VALUES:
        return 0;
    case EBNN_MULTIPLY:
        return (outputs * (size_t)ebnn_model_factors(&conv->filters) + 3u) / 4u * 4u;
    case EBNN_DEPTHWISE:
        return (outputs * conv->kernel_rows.size * conv->kernel_columns.size + 3u) / 4u * 4u;
    case EBNN_DEPTHWISE_BITS:
        return (size_t)(((uint32_t)outputs * conv->kernel_rows.size * conv->kernel_columns.size + 31u) / 32u * 4u);
    default:
        return outputs * conv->filters.words * 4u;
    }
}

/* Bytes of an activation whose size has been checked, whole words. */
EBNN_INLINE size_t ebnn_model_activation_bytes(uint8_t kind, uint16_t channels, uint16_t height, uint16_t width)
{
    size_t row = (size_t)width * channels;

    if (kind == EBNN_BITS)
        row = (row + 7u) / 8u;
    else if (kind == EBNN_FLOAT)
        row *= 4u;
    return (row * height + 3u) / 4u * 4u;
}

/* Puts the next layer together. Its record has been checked. */
EBNN_KERNEL void ebnn_model_decode(const ebnn_model_place_t *place, ebnn_model_layer_t *made)
{
    ebnn_integer_t *const layer = &made->layer;
    ebnn_conv_t *const conv = &layer->conv;
    ebnn_filters_t *const filters = &conv->filters;
    const uint8_t *at = place->at;
    uint8_t end;
    uint16_t outputs;
    size_t taps;

    made->next = at + (size_t)ebnn_model_u32(at);
    made->kernel = EBNN_READ_U8(at + 4);
    made->flags = EBNN_READ_U8(at + 5);
    end = EBNN_MODEL_END(made->flags);
    outputs = filters->outputs = ebnn_model_u16(at + 6);
    filters->kind = place->kind;
    at += ebnn_model_record_bytes(made->flags);
    made->here = 0;
    if (made->kernel >= EBNN_DENSE_EACH && made->kernel <= EBNN_OUTPUT_BYTES) {
        conv->out_h = conv->out_w = 1;
        taps = place->channels;
        if (place->height != 1u || place->width != 1u)
            taps *= (size_t)place->height * place->width;
        filters->words = place->kind == EBNN_BITS ? place->bytes / 4u : (taps - 1u) / 32u + 1u;
        filters->half = 0;
        if (place->kind == EBNN_BITS) /* weights follow padded rows */
            filters->half = (((size_t)place->width * place->channels + 7u) / 8u * place->height - 1u) % 4u < 2u;
    } else {
        ebnn_model_geometry(place, made);
        conv->in_c = place->channels;
        conv->out_h = conv->pool_rows.side = ebnn_model_count(&conv->kernel_rows);
        conv->out_w = conv->pool_columns.side = ebnn_model_count(&conv->kernel_columns);
        if (made->flags & EBNN_MODEL_POOLS) {
            conv->out_h = ebnn_model_count(&conv->pool_rows);
            conv->out_w = ebnn_model_count(&conv->pool_columns);
        }
        taps = (size_t)conv->kernel_rows.size * conv->kernel_columns.size * conv->in_c;
        filters->words = (taps - 1u) / 32u + 1u;
        filters->half = (taps - 1u) % 32u < 16u;
        conv->table = at;
        conv->in_row_bytes = conv->out_row_bytes = 0;
        if (place->kind == EBNN_BITS)
            conv->in_row_bytes = (uint16_t)(((size_t)place->width * place->channels + 7u) / 8u);
        if (end == EBNN_MODEL_SIGNS)
            conv->out_row_bytes = (uint16_t)(((size_t)conv->out_w * outputs + 7u) / 8u);
    }
    filters->taps = taps;
    made->out_kind = EBNN_BITS;
    if (end != EBNN_MODEL_SIGNS)
        made->out_kind = made->flags & EBNN_MODEL_GIVES_INT8 ? EBNN_INT8 : EBNN_UINT8;
    made->out_bytes = 0;
    if (end != EBNN_MODEL_SCORES)
        made->out_bytes = ebnn_model_activation_bytes(made->out_kind, outputs, conv->out_h, conv->out_w);

    if (made->kernel >= EBNN_MULTIPLY) {
        layer->low = layer->high = 0;
        if (end == EBNN_MODEL_NARROW || end == EBNN_MODEL_WIDE) {
            layer->low = (int16_t)ebnn_model_u16(at - 4);
            layer->high = (int16_t)ebnn_model_u16(at - 2);
        }
        layer->adds = (made->flags & EBNN_MODEL_ADDS) != 0u;
        made->here = place->kind != EBNN_BITS && !(made->flags & EBNN_MODEL_SLIDES) && made->kernel != EBNN_VALUES;
        layer->room = 0;
        if (!made->here)
            layer->room = (uint16_t)(place->kind == EBNN_BITS && made->kernel == EBNN_ADD ? 8u * filters->words
                                                                                          : (taps + 3u) / 4u * 4u);
    }

    filters->weights = (const uint32_t *)(const void *)at;
    made->weight_bytes = ebnn_model_weights(made);
    at += made->weight_bytes;
    if (end == EBNN_MODEL_SIGNS) {
        conv->flips = made->flags & EBNN_MODEL_FLIPS ? made->next - (outputs + 31u) / 32u * 4u : NULL;
        conv->normalization = (const float *)(const void *)at;
        filters->thresholds = at;
        filters->threshold_bytes = made->flags & EBNN_MODEL_THRESHOLDS_32 ? 4u : 2u;
    } else {
        conv->flips = NULL;
        layer->multipliers = at;
        at += end == EBNN_MODEL_WIDE ? 4u * (size_t)outputs : ((size_t)outputs + 1u) / 2u * 4u;
        layer->biases = (const int32_t *)(const void *)at;
        layer->shifts = at + 4u * (size_t)outputs;
    }
}

/* To the layer after it. */
EBNN_INLINE void ebnn_model_step(ebnn_model_place_t *place, const ebnn_model_layer_t *made)
{
    place->at = made->next;
    place->bytes = made->out_bytes;
    place->channels = made->layer.conv.filters.outputs;
    place->height = made->layer.conv.out_h;
    place->width = made->layer.conv.out_w;
    place->kind = made->out_kind;
    place->index++;
}

#endif
