/*
 * The geometry of a convolution block, and the patch of its input under the kernel, gathered once for all filters.
 */
#ifndef EBNN_WINDOW_H
#define EBNN_WINDOW_H

#include "bits.h"

/* What the values of an input are. */
#define EBNN_BITS 0u
#define EBNN_UINT8 1u
#define EBNN_INT8 2u
#define EBNN_FLOAT 3u

/* One block: convolution, max-pooling, comparison. Lies in flash. Sides in pixels. */
typedef struct {
    uint16_t in_h, in_w, in_c;
    uint16_t kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w;
    uint16_t map_h, map_w; /* of the convolution, before pooling; it never exists in memory */
    uint16_t pool_h, pool_w, pool_stride_h, pool_stride_w, pool_pad_h, pool_pad_w;
    uint16_t out_h, out_w, out_c;
    uint16_t in_row_bytes, out_row_bytes; /* of rows of bits */
    uint8_t kind;                         /* of the input: EBNN_BITS, … */
    uint8_t threshold_bytes;              /* 2: thresholds are int16_t, 4: int32_t */
    const void *weights;                  /* out_c filters; how they are laid out is the kernel's */
    const void *thresholds;               /* out_c; unused in the float arithmetic */
    const uint8_t *flips;                 /* out_c bits, NULL when all are 0 */
    const float *normalization;           /* out_c × 5; unused in the integer arithmetic */
} ebnn_conv_t;

/* Half-open range. */
typedef struct {
    uint16_t begin, end;
} ebnn_range_t;

/* Where a window of `size`, placed at `at` × `stride` − `pad`, meets a side of `limit`; relative to that side. */
EBNN_INLINE ebnn_range_t ebnn_window(uint16_t at, uint16_t stride, uint16_t pad, uint16_t size, uint16_t limit)
{
    const int start = (int)(at * stride) - (int)pad; /* within ±32767, as every padded side is */
    const int end = start + (int)size;
    ebnn_range_t range;

    range.begin = (uint16_t)(start < 0 ? 0 : (start < (int)limit ? start : (int)limit));
    range.end = (uint16_t)(end < 0 ? 0 : (end < (int)limit ? end : (int)limit));
    return range;
}

/* The patch under the kernel; taps outside the image are 0. */
typedef struct {
    uint8_t *values;     /* word-aligned: bits as one stream, or bytes; kernel_h × kernel_w × in_c of them */
    const uint8_t *mask; /* bits of the taps inside the image, NULL when all of them are */
    uint16_t taps;       /* inside the image */
    uint16_t size;       /* all taps */
    int32_t total;       /* sum of the values, for bytes */
} ebnn_patch_t;

/* Words that `bits` bits take. */
EBNN_INLINE uint16_t ebnn_words(uint16_t bits)
{
    return (uint16_t)(bits / 32u + (bits % 32u != 0u));
}

/*
 * Gathers the patch at (y, x) of the map from an input of bits or bytes.
 * scratch: word-aligned room for the patch and, where the convolution pads bits, as much again for the mask.
 */
EBNN_KERNEL ebnn_patch_t ebnn_gather(const ebnn_conv_t *conv, const uint8_t *input, uint16_t y, uint16_t x,
                                     uint8_t *scratch)
{
    const ebnn_range_t rows = ebnn_window(y, conv->stride_h, conv->pad_h, conv->kernel_h, conv->in_h);
    const ebnn_range_t columns = ebnn_window(x, conv->stride_w, conv->pad_w, conv->kernel_w, conv->in_w);
    /* The kernel's own row and column that fall on rows.begin and columns.begin. */
    const uint16_t first_row = (uint16_t)(rows.begin + conv->pad_h - y * conv->stride_h);
    const uint16_t first_column = (uint16_t)(columns.begin + conv->pad_w - x * conv->stride_w);
    const uint16_t run = (uint16_t)((columns.end - columns.begin) * conv->in_c); /* values of one row */
    ebnn_patch_t patch;
    uint16_t row;

    patch.size = (uint16_t)(conv->kernel_h * conv->kernel_w * conv->in_c);
    patch.taps = (uint16_t)((rows.end - rows.begin) * run);
    patch.values = scratch;
    patch.mask = NULL;
    patch.total = 0;

    if (conv->kind == EBNN_BITS) {
        const size_t bytes = (size_t)ebnn_words(patch.size) * 4u;
        uint8_t *mask = NULL;

        memset(scratch, 0, bytes);
        if (patch.taps != patch.size) {
            mask = scratch + bytes;
            memset(mask, 0, bytes);
        }
        for (row = rows.begin; row < rows.end && run > 0; row++) {
            const uint8_t *from = input + (size_t)row * conv->in_row_bytes;
            const uint16_t to =
                (uint16_t)(((row - rows.begin + first_row) * conv->kernel_w + first_column) * conv->in_c);

            ebnn_copy_bits(scratch, to, from, (uint16_t)(columns.begin * conv->in_c), run);
            if (mask != NULL)
                ebnn_set_bits(mask, to, run);
        }
        patch.mask = mask;
    } else {
        memset(scratch, 0, patch.size);
        for (row = rows.begin; row < rows.end && run > 0; row++) {
            const uint8_t *from = input + ((size_t)row * conv->in_w + columns.begin) * conv->in_c;
            uint8_t *to =
                scratch + (size_t)((row - rows.begin + first_row) * conv->kernel_w + first_column) * conv->in_c;
            uint16_t i;

            for (i = 0; i < run; i++) {
                to[i] = from[i];
                patch.total += conv->kind == EBNN_INT8 ? (int32_t)(int8_t)from[i] : (int32_t)from[i];
            }
        }
    }
    return patch;
}

#endif
