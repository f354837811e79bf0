/*
 * The geometry of a convolution block, and the patch of its input under the kernel, gathered once for all filters.
 */
#ifndef EBNN_WINDOW_H
#define EBNN_WINDOW_H

#include "dot.h"

/* A window that slides along one side of an image: of the kernel, or of the pool. In pixels. */
typedef struct {
    uint16_t size, stride, pad;
    uint16_t side; /* of what it slides along */
} ebnn_window_t;

/* One block: convolution, max-pooling, comparison. Lies in flash. The convolution's map never exists in memory. */
typedef struct {
    ebnn_filters_t filters; /* kernel height × width × in_c taps each; how they are laid out is the kernel's */
    ebnn_window_t kernel_rows, kernel_columns; /* along the input */
    ebnn_window_t pool_rows, pool_columns;     /* along the map */
    uint16_t in_c;
    uint16_t out_h, out_w;
    uint16_t in_row_bytes, out_row_bytes; /* of rows of bits */
    const uint8_t *flips;                 /* bits of the outputs, NULL when all are 0 */
    const float *normalization;           /* outputs × 5; unused in the integer arithmetic */
    const void *table;                    /* in place of weights and thresholds: see columns.h, tables.h */
} ebnn_conv_t;

/* Where a window meets its side: [begin, end) of the side; `first` is the window's own place that falls on `begin`. */
typedef struct {
    uint16_t begin, end, first;
} ebnn_range_t;

/* Finds the range of the window in its place `at`. */
EBNN_KERNEL void ebnn_meet(const ebnn_window_t *window, uint16_t at, ebnn_range_t *range)
{
    const int side = (int)window->side;
    const int start = (int)(at * window->stride) - (int)window->pad; /* within ±32767, as every padded side is */
    int end = start + (int)window->size;
    int begin = start;

    if (begin < 0)
        begin = 0;
    if (begin > side)
        begin = side;
    if (end < 0)
        end = 0;
    if (end > side)
        end = side;
    range->begin = (uint16_t)begin;
    range->end = (uint16_t)end;
    range->first = (uint16_t)(begin - start);
}

/* Where the kernel meets the input, for one place of the map. */
typedef struct {
    ebnn_range_t rows, columns;
} ebnn_overlap_t;

/* Copies a few bytes, at least one, of any alignment, words where they are: less than a call of memcpy takes. */
EBNN_INLINE void ebnn_copy_bytes(uint8_t *to, const uint8_t *from, uint16_t bytes)
{
    const uint8_t *const end = to + bytes;

    if (EBNN_HAS_WORDS && ((uintptr_t)to | (uintptr_t)from | bytes) % 4u == 0u) {
        for (; to != end; to += 4, from += 4)
            ebnn_store_word(to, ebnn_load_word(from));
        return;
    }
    do
        *to++ = *from++;
    while (to != end);
}

#if !EBNN_HAS_WORDS

/* Copies bytes, at least one: where there are many, four in 20 cycles. */
EBNN_KERNEL void ebnn_copy_run(uint8_t *to, const uint8_t *from, uint16_t bytes)
{
    while (bytes >= 4u) {
        uint8_t fours = bytes < 1024u ? (uint8_t)(bytes / 4u) : 255u;
        uint8_t byte;

        bytes = (uint16_t)(bytes - 4u * fours);
        __asm__ __volatile__("1:\n\t"
                             "ld %[byte], X+\n\tst Z+, %[byte]\n\t"
                             "ld %[byte], X+\n\tst Z+, %[byte]\n\t"
                             "ld %[byte], X+\n\tst Z+, %[byte]\n\t"
                             "ld %[byte], X+\n\tst Z+, %[byte]\n\t"
                             "dec %[fours]\n\t"
                             "brne 1b"
                             : "+&x"(from), "+&z"(to), [fours] "+&r"(fours), [byte] "=&r"(byte)
                             :
                             : "memory");
    }
    if (bytes > 0u)
        ebnn_copy_bytes(to, from, bytes);
}

#define EBNN_CLEAR_PATCH(patch, bytes) memset((patch), 0, (bytes))

#else

/* Copies bytes, at least one, of any alignment: words, where they are, four at a time. */
EBNN_INLINE void ebnn_copy_run(uint8_t *to, const uint8_t *from, uint16_t bytes)
{
    const uint8_t *const end = to + bytes;

    if (((uintptr_t)to | (uintptr_t)from) % 4u == 0u) {
        const uint8_t *const many = to + bytes / 16u * 16u, *const words = to + bytes / 4u * 4u;

        for (; to != many; to += 16, from += 16) {
            const uint32_t a = ebnn_load_word(from), b = ebnn_load_word(from + 4);
            const uint32_t c = ebnn_load_word(from + 8), d = ebnn_load_word(from + 12);

            ebnn_store_word(to, a);
            ebnn_store_word(to + 4, b);
            ebnn_store_word(to + 8, c);
            ebnn_store_word(to + 12, d);
        }
        for (; to != words; to += 4, from += 4)
            ebnn_store_word(to, ebnn_load_word(from));
        if (to == end)
            return;
    }
    do
        *to++ = *from++;
    while (to != end);
}

/* Clears bytes from a word on: words, where a C library's memset may do so byte after byte. */
EBNN_INLINE void ebnn_clear_run(uint8_t *aligned, size_t bytes)
{
    for (; bytes >= 4u; bytes -= 4u, aligned += 4)
        ebnn_store_word(aligned, 0);
    for (; bytes > 0u; bytes--)
        *aligned++ = 0;
}

#define EBNN_CLEAR_PATCH(patch, bytes) ebnn_clear_run((patch), (bytes))

#endif

/*
 * Gathers what is under the kernel at one place of the map as one stream, 0 outside the image. Returns the taps inside.
 * patch: word-aligned, of filters.words words for bits, zeros behind the taps; behind it lies as much for a mask, 1 for
 * the taps inside, written only where some are outside.
 */
typedef uint16_t (*ebnn_gather_t)(const ebnn_conv_t *conv, const uint8_t *input, const ebnn_overlap_t *at,
                                  uint8_t *patch);

/* Bits, of any number of channels. */
EBNN_KERNEL uint16_t ebnn_gather_bits(const ebnn_conv_t *conv, const uint8_t *input, const ebnn_overlap_t *at,
                                      uint8_t *patch)
{
    const uint16_t in_c = conv->in_c;
    const uint16_t run = (uint16_t)((at->columns.end - at->columns.begin) * in_c); /* bits of one row */
    const uint16_t from_at = (uint16_t)(at->columns.begin * in_c);
    const uint16_t kernel_row = (uint16_t)(conv->kernel_columns.size * in_c);
    const uint16_t inside = (uint16_t)((at->rows.end - at->rows.begin) * run);
    const size_t bytes = 4u * conv->filters.words;
    const uint8_t masked = inside != conv->filters.taps;
    uint16_t to_at = (uint16_t)(at->rows.first * kernel_row + at->columns.first * in_c);
    uint16_t row;

    memset(patch, 0, masked ? 2u * bytes : bytes);
    if (inside == 0u)
        return 0;
    input += (size_t)at->rows.begin * conv->in_row_bytes;
    for (row = at->rows.begin; row != at->rows.end; row++) {
        ebnn_copy_bits(patch, to_at, input, from_at, run);
        if (masked)
            ebnn_set_bits(patch + bytes, to_at, run);
        input += conv->in_row_bytes;
        to_at = (uint16_t)(to_at + kernel_row);
    }
    return inside;
}

/* Bits whose channels take whole bytes, where a part is outside; from: the first byte inside. */
EBNN_KERNEL uint16_t ebnn_gather_part(const ebnn_conv_t *conv, const uint8_t *from, const ebnn_overlap_t *at,
                                      uint8_t *patch)
{
    const uint16_t pixel = conv->in_c / 8u; /* bytes */
    const uint16_t run = (uint16_t)((at->columns.end - at->columns.begin) * pixel);
    const uint16_t kernel_row = (uint16_t)(conv->kernel_columns.size * pixel);
    const size_t bytes = 4u * conv->filters.words;
    uint16_t rows = (uint16_t)(at->rows.end - at->rows.begin);
    const uint16_t inside = (uint16_t)(rows * run);

    memset(patch, 0, 2u * bytes);
    if (inside == 0u)
        return 0;
    patch += at->rows.first * kernel_row + at->columns.first * pixel;
    for (; rows != 0u; rows--) {
        memcpy(patch, from, run);
        memset(patch + bytes, 0xFF, run);
        patch += kernel_row;
        from += conv->in_row_bytes;
    }
    return (uint16_t)(8u * inside);
}

/* Bits whose channels take whole bytes. */
EBNN_KERNEL uint16_t ebnn_gather_octets(const ebnn_conv_t *conv, const uint8_t *input, const ebnn_overlap_t *at,
                                        uint8_t *patch)
{
    const uint16_t pixel = conv->in_c / 8u; /* bytes */
    const uint16_t columns = (uint16_t)(at->columns.end - at->columns.begin);
    uint16_t rows = (uint16_t)(at->rows.end - at->rows.begin);
    const uint16_t run = (uint16_t)(columns * pixel);

    input += (size_t)at->rows.begin * conv->in_row_bytes + at->columns.begin * pixel;
    if (rows != conv->kernel_rows.size || columns != conv->kernel_columns.size)
        return ebnn_gather_part(conv, input, at, patch);
    for (; rows != 0u; rows--) {
        ebnn_copy_bytes(patch, input, run);
        patch += run;
        input += conv->in_row_bytes;
    }
    return (uint16_t)conv->filters.taps;
}

/* Bytes: `taps` of them, all inside, as those outside are 0 and add nothing. */
EBNN_KERNEL uint16_t ebnn_gather_bytes(const ebnn_conv_t *conv, const uint8_t *input, const ebnn_overlap_t *at,
                                       uint8_t *patch)
{
    const uint16_t in_c = conv->in_c;
    const uint16_t columns = (uint16_t)(at->columns.end - at->columns.begin);
    const uint16_t run = (uint16_t)(columns * in_c);
    const size_t kernel_row = (size_t)conv->kernel_columns.size * in_c;
    const size_t image_row = (size_t)conv->kernel_columns.side * in_c;
    uint16_t rows = (uint16_t)(at->rows.end - at->rows.begin);

    if (rows != conv->kernel_rows.size || columns != conv->kernel_columns.size)
        EBNN_CLEAR_PATCH(patch, conv->filters.taps);
    if (run > 0u) {
        patch += at->rows.first * kernel_row + (size_t)at->columns.first * in_c;
        input += at->rows.begin * image_row + (size_t)at->columns.begin * in_c;
        for (; rows > 0u; rows--, patch += kernel_row, input += image_row)
            ebnn_copy_run(patch, input, run);
    }
    return (uint16_t)conv->filters.taps;
}

#endif
