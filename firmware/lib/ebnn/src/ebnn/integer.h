/*
 * Layers of integer sums, whatever they are of: weights of ±1, of 8 bits or none, a pool that takes the largest sum or
 * adds them up, and any end. The patch under the kernel is gathered, its sums are taken under all filters, pooled, and
 * handed to what ends the layer.
 */
#ifndef EBNN_INTEGER_H
#define EBNN_INTEGER_H

#include "compare.h"
#include "window.h"

/* How parts of a kernel are declared that are another for each constant they are given. */
#if defined(EBNN_PART) /* by a build that counts branches */
#elif defined(__GNUC__)
#define EBNN_PART static inline __attribute__((always_inline))
#else
#define EBNN_PART static inline
#endif

/* Patches whose sums are taken at a time: weights are loaded once for them. */
#define EBNN_PATCHES 2u

/* A layer. Lies in flash. A dense layer's kernel is as large as its input. */
typedef struct {
    ebnn_conv_t conv;        /* geometry, weights, thresholds and flips */
    uint16_t room;           /* bytes of a patch, and of its mask where it may have one: whole words */
    uint8_t adds;            /* 1 where a window's sums are added up, 0 where the largest is taken */
    int16_t low, high;       /* what requantized sums are clamped to */
    const int32_t *biases;   /* outputs; of requantize, or the offsets of scores */
    const void *multipliers; /* outputs; int16_t, of requantize int32_t where it is wide */
    const uint8_t *shifts;   /* outputs; of requantize */
} ebnn_integer_t;

/* What lies under the kernel at one place of the map. */
typedef struct {
    const uint8_t *values;
    const uint8_t *mask; /* ones for bits inside the image; NULL when all are */
    uint16_t inside;     /* taps inside */
#if EBNN_LANES == 1
    uint32_t sum; /* of values that are factors, see multiply_avr.h */
#endif
} ebnn_patch_t;

/* Finds a patch. room: word-aligned, where it may be gathered. */
typedef void (*ebnn_find_t)(const ebnn_conv_t *conv, const uint8_t *input, const ebnn_overlap_t *at, uint8_t *room,
                            ebnn_patch_t *patch);

/*
 * Takes the sums of `count` patches, 1 to EBNN_PATCHES, under all filters.
 * sums: outputs of the first patch, then those of the second.
 */
typedef void (*ebnn_take_t)(const ebnn_integer_t *layer, const ebnn_patch_t *patches, uint8_t count, int32_t *sums);

/* Makes the outputs of one place of its sums. output: of the layer, or scores. Returns the class, of scores. */
typedef uint8_t (*ebnn_end_t)(const ebnn_integer_t *layer, const int32_t *sums, void *output, uint16_t y, uint16_t x);

/* Bytes, gathered; those outside the image are 0. */
EBNN_KERNEL void ebnn_find_bytes(const ebnn_conv_t *conv, const uint8_t *input, const ebnn_overlap_t *at, uint8_t *room,
                                 ebnn_patch_t *patch)
{
    patch->values = room;
    patch->mask = NULL;
    patch->inside = ebnn_gather_bytes(conv, input, at, room);
}

/* All bytes of the input, where they are. */
EBNN_KERNEL void ebnn_find_all(const ebnn_conv_t *conv, const uint8_t *input, const ebnn_overlap_t *at, uint8_t *room,
                               ebnn_patch_t *patch)
{
    (void)at;
    (void)room;
    patch->values = input;
    patch->mask = NULL;
    patch->inside = (uint16_t)conv->filters.taps;
}

/* Bits, gathered into whole words. */
EBNN_KERNEL void ebnn_find_bits(const ebnn_conv_t *conv, const uint8_t *input, const ebnn_overlap_t *at, uint8_t *room,
                                ebnn_patch_t *patch)
{
    patch->values = room;
    patch->inside = ebnn_gather_bits(conv, input, at, room);
    patch->mask = patch->inside == conv->filters.taps ? NULL : room + 4u * conv->filters.words;
}

/* Bits whose channels take whole bytes, gathered into whole words. */
EBNN_KERNEL void ebnn_find_octets(const ebnn_conv_t *conv, const uint8_t *input, const ebnn_overlap_t *at,
                                  uint8_t *room, ebnn_patch_t *patch)
{
    const size_t last = 4u * conv->filters.words - 4u;

    room[last] = room[last + 1u] = room[last + 2u] = room[last + 3u] = 0;
    patch->values = room;
    patch->inside = ebnn_gather_octets(conv, input, at, room);
    patch->mask = patch->inside == conv->filters.taps ? NULL : room + 4u * conv->filters.words;
}

/* Bits as bytes: −1, +1, and 0 outside the image. */
EBNN_KERNEL void ebnn_find_signs(const ebnn_conv_t *conv, const uint8_t *input, const ebnn_overlap_t *at, uint8_t *room,
                                 ebnn_patch_t *patch)
{
    const uint16_t run = (uint16_t)((at->columns.end - at->columns.begin) * conv->in_c); /* bits of one row */
    const uint16_t from_at = (uint16_t)(at->columns.begin * conv->in_c);
    const uint16_t kernel_row = (uint16_t)(conv->kernel_columns.size * conv->in_c);
    uint8_t *to = room + (size_t)at->rows.first * kernel_row + (size_t)at->columns.first * conv->in_c;
    uint16_t row, left;

    memset(room, 0, conv->filters.taps);
    for (row = at->rows.begin; row < at->rows.end; row++, to += kernel_row) {
        const uint8_t *from = input + (size_t)row * conv->in_row_bytes + from_at / 8u;
        uint8_t *end = to;
        uint8_t byte = (uint8_t)(run > 0u ? *from >> (from_at % 8u) : 0);
        uint8_t bits = (uint8_t)(8u - from_at % 8u);

        for (left = run; left > 0u; left--, bits--, byte = (uint8_t)(byte >> 1)) {
            if (bits == 0u) {
                byte = *++from;
                bits = 8;
            }
            *end++ = (uint8_t)(byte & 1u ? 0x01 : 0xFF);
        }
    }
    patch->values = room;
    patch->mask = NULL;
    patch->inside = (uint16_t)conv->filters.taps;
}

/* Merges the sums of `count` patches into those of a window; first: there are none in it yet. */
EBNN_INLINE void ebnn_pool_sums(const ebnn_integer_t *layer, const int32_t *sums, uint8_t count, uint8_t first,
                                int32_t *pooled)
{
    const uint16_t outputs = layer->conv.filters.outputs;
    uint16_t f;

    for (; count > 0u; count--, first = 0)
        for (f = 0; f < outputs; f++, sums++) {
            if (first)
                pooled[f] = *sums;
            else if (layer->adds)
                pooled[f] = (int32_t)((uint32_t)pooled[f] + (uint32_t)*sums);
            else if (*sums > pooled[f])
                pooled[f] = *sums;
        }
}

/*
 * One layer. input: of the filters' kind; output: bits up to a whole word, bytes, or scores (NULL where nobody asks for
 * them). scratch: word-aligned: sums of EBNN_PATCHES patches and of a window where the layer pools, then the patches.
 * None overlap. Returns the class, of scores.
 */
EBNN_KERNEL uint8_t ebnn_integer(const ebnn_integer_t *in_flash, ebnn_find_t find, ebnn_take_t take, ebnn_end_t end,
                                 const uint8_t *input, void *output, uint8_t *scratch)
{
    struct {
        ebnn_integer_t layer;
        ebnn_overlap_t at;
        ebnn_range_t rows, columns; /* of the pool */
        ebnn_patch_t patches[EBNN_PATCHES];
    } now;
    const ebnn_conv_t *const conv = &now.layer.conv;
    int32_t *const sums = (int32_t *)(void *)scratch;
    int32_t *pooled;
    uint8_t *rooms;
    uint16_t y, x, my, mx, step;
    uint8_t pools, count, i, winner = 0;

    EBNN_READ_BLOCK(&now.layer, in_flash, sizeof now.layer);
    pools = conv->pool_rows.side != conv->out_h || conv->pool_columns.side != conv->out_w ||
            conv->pool_rows.size > 1u || conv->pool_columns.size > 1u;
    pooled = sums + (size_t)EBNN_PATCHES * conv->filters.outputs;
    rooms = (uint8_t *)(void *)(pools ? pooled + conv->filters.outputs : pooled);
    if (conv->out_row_bytes > 0u)
        memset(output, 0, ebnn_whole_words((size_t)conv->out_h * conv->out_row_bytes));
    for (y = 0; y < conv->out_h; y++) {
        ebnn_meet(&conv->pool_rows, y, &now.rows);
        for (x = 0; x < conv->out_w; x = (uint16_t)(x + step)) {
            uint8_t first = 1;

            step = 1;
            ebnn_meet(&conv->pool_columns, x, &now.columns);
            if (!pools) { /* the next places of the row, too */
                step = (uint16_t)(conv->out_w - x);
                if (step > EBNN_PATCHES)
                    step = EBNN_PATCHES;
                now.columns.end = (uint16_t)(now.columns.begin + step);
            }
            for (my = now.rows.begin; my < now.rows.end; my++) {
                ebnn_meet(&conv->kernel_rows, my, &now.at.rows);
                for (mx = now.columns.begin; mx < now.columns.end; mx = (uint16_t)(mx + count)) {
                    const uint16_t left = (uint16_t)(now.columns.end - mx);

                    count = (uint8_t)(left < EBNN_PATCHES ? left : EBNN_PATCHES);
                    for (i = 0; i < count; i++) {
                        ebnn_meet(&conv->kernel_columns, (uint16_t)(mx + i), &now.at.columns);
                        find(conv, input, &now.at, rooms + (size_t)i * now.layer.room, now.patches + i);
                    }
                    take(&now.layer, now.patches, count, sums);
                    if (pools)
                        ebnn_pool_sums(&now.layer, sums, count, first, pooled);
                    first = 0;
                }
            }
            if (pools)
                winner = end(&now.layer, pooled, output, y, x);
            else
                for (i = 0; i < step; i++)
                    winner = end(&now.layer, sums + (size_t)i * conv->filters.outputs, output, y, (uint16_t)(x + i));
        }
    }
    return winner;
}

#endif
