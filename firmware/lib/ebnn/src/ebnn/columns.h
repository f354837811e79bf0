/*
 * A convolution of bytes: sums of every choice of signs among up to four taps of one column of the input are made once
 * ("four Russians") and serve all filters and all neighbouring positions. A filter's sum is one of them for each column
 * of the kernel.
 *
 * Works on strips of a map row. The choices of one group of taps lie one after the other, each a row of sums for all
 * columns under the strip, so that the sums of neighbouring positions are neighbours and a filter walks along as many
 * rows as it looks up. The first tap of a group counts as +: half of the choices are the other half with another sign.
 *
 * Of each position and filter one bit is kept, a mark: its sum passes. Marks of the rows of a pooling window are ORed,
 * then the window's own columns are masked out. So every position is computed once, however the windows overlap.
 */
#ifndef EBNN_COLUMNS_H
#define EBNN_COLUMNS_H

#include "compare.h"
#include "window.h"

/*
 * Sums that one addition makes. Cores of 32 bits take two, of one row of the map in the low and of the next row in the
 * high half of a word. Sums are linear: what a negative low half borrows from the high half comes back in the end,
 * where both are made positive.
 */
#if EBNN_LANES == 1
typedef uint16_t ebnn_sums_t;
typedef uint8_t ebnn_row_marks_t; /* of up to 8 positions, the last one's highest */
typedef uint8_t ebnn_marks_t;     /* of up to 8 positions, the last one's highest */
#define EBNN_MARKS_RUN 8u
#define EBNN_SIGNS_OF_LANES 0x80u
#else
typedef uint32_t ebnn_sums_t;
typedef uint32_t ebnn_row_marks_t; /* of up to 16 positions in each half, the last one's highest */
typedef uint16_t ebnn_marks_t;     /* of up to 16 positions */
#define EBNN_MARKS_RUN 16u
#define EBNN_SIGNS_OF_LANES 0x00800080ul
#endif

#define EBNN_TAPS 4u   /* of a group, at most */
#define EBNN_PHASES 5u /* of columns, at most */

/* Columns of the input that lie under the same column of the kernel at one position after the other, in the image. */
typedef struct {
    uint16_t from; /* bytes from the beginning of the row */
    uint8_t to;    /* place in a row of sums */
    uint8_t count;
} ebnn_span_t;

/*
 * The codes of a convolution, in flash: three bytes (positions of a strip, columns under it, rows of sums), then of
 * each filter its lookups, a byte each, those over three first, and its level. A lookup's low 7 bits are the place of
 * the first position's sum, its high bit is 1 where the sum is subtracted; the third from the end is always added, its
 * high bit is 1 where the mark is to be turned over. The level, 16 bits, is added to the sum: bit 15 is the mark.
 */
typedef struct {
    const ebnn_conv_t *conv;
    const uint8_t *input;
    const uint8_t *codes;
    ebnn_sums_t *table;   /* rows of sums */
    ebnn_sums_t *partial; /* sums of a strip, of filters of more than three lookups */
    uint16_t row_bytes;   /* of the input */
    uint16_t step;        /* bytes from a column to the next one of its phase */
    uint8_t run;          /* positions of a strip */
    uint8_t columns;      /* of a row of sums */
    uint8_t rows;
    uint8_t groups; /* of taps of one column */
    uint8_t least;  /* taps of a group */
    uint8_t larger; /* groups, the first ones, of a tap more */
    uint8_t more;   /* lookups of a filter over three */
    uint8_t parts;  /* elements of marks of one filter in a strip */
    uint8_t phases;
    ebnn_span_t spans[EBNN_PHASES];
} ebnn_columns_t;

/* A tap of one column. */
typedef struct {
    size_t at; /* bytes from the beginning of the input to the tap in its first column */
#if EBNN_LANES == 2
    size_t far;       /* from there to the other lane's */
    ebnn_sums_t mask; /* 1 in the bits of the lanes where the tap is inside the image */
#else
    uint8_t mask;
#endif
} ebnn_tap_t;

#if defined(__AVR__)
#include "columns_avr.h"
#else

/*
 * The sums of a group of three unsigned taps inside the image, in one span, which is not empty; `to` is the first one's
 * place. 25 operations for two lanes.
 */
EBNN_KERNEL void ebnn_make_triples(const ebnn_columns_t *columns, const ebnn_tap_t *taps, const ebnn_span_t *span,
                                   ebnn_sums_t *to)
{
    const uint8_t *first = columns->input + span->from + taps[0].at;
    const uint8_t *second = columns->input + span->from + taps[1].at;
    const uint8_t *third = columns->input + span->from + taps[2].at;
    const size_t step = columns->step, pitch = columns->columns;
#if EBNN_LANES == 2
    const size_t far = taps->far;
#endif
    const ebnn_sums_t *end = to + span->count;

    do {
        ebnn_sums_t a = *first, b = *second, c = *third, low, high;

#if EBNN_LANES == 2
        a |= (ebnn_sums_t)first[far] << 16;
        b |= (ebnn_sums_t)second[far] << 16;
        c |= (ebnn_sums_t)third[far] << 16;
#endif
        low = (ebnn_sums_t)(a - b);
        high = (ebnn_sums_t)(a + b);
        to[0] = (ebnn_sums_t)(low - c);
        to[pitch] = (ebnn_sums_t)(high - c);
        to[2u * pitch] = (ebnn_sums_t)(low + c);
        to[3u * pitch] = (ebnn_sums_t)(high + c);
        first += step;
        second += step;
        third += step;
    } while (++to != end);
}

/* Adds `count` sums at `from` to those at `to`, or subtracts them. */
EBNN_INLINE void ebnn_add_sums(ebnn_sums_t *to, const ebnn_sums_t *from, uint8_t count, uint8_t is_minus)
{
    const ebnn_sums_t *end = to + count;

    if (is_minus)
        do {
            *to = (ebnn_sums_t)(*to - *from++);
        } while (++to != end);
    else
        do {
            *to = (ebnn_sums_t)(*to + *from++);
        } while (++to != end);
}

/* One loop for each pair of signs: 4 or 5 operations a position. */
#define EBNN_MARK_LOOP(second_sign, third_sign)                                                               \
    do {                                                                                                      \
        const ebnn_sums_t sums = (ebnn_sums_t)(*first++ second_sign(*second++) third_sign(*third++) + level); \
                                                                                                              \
        marks = (ebnn_sums_t)((marks >> 1) | (sums & (ebnn_sums_t)(EBNN_SIGNS_OF_LANES << 8)));               \
    } while (first != end)

/*
 * The marks of `filters` filters, in rows of `step` each. codes: of the first filter's last three lookups; partial: in
 * place of the third from the end, or NULL; keep: all bits 1 where the marks are ORed into those that are there, else
 * 0. In two lanes a filter's marks are one element and none are kept.
 */
EBNN_INLINE void ebnn_mark_filters(const ebnn_columns_t *columns, const uint8_t *codes, const ebnn_sums_t *partial,
                                   uint16_t filters, ebnn_row_marks_t *to, uint16_t step, ebnn_row_marks_t keep)
{
    const ebnn_sums_t *table = columns->table;
    const size_t run = columns->run;

    for (; filters > 0; filters--, codes += 5, to++) {
        const uint8_t first_code = EBNN_READ_U8(codes), second_code = EBNN_READ_U8(codes + 1);
        const uint8_t third_code = EBNN_READ_U8(codes + 2);
        const ebnn_sums_t *first = partial != NULL ? partial : table + (first_code & 127u);
        const ebnn_sums_t *second = table + (second_code & 127u), *third = table + (third_code & 127u);
        const ebnn_row_marks_t turned = (ebnn_row_marks_t)(0u - (ebnn_row_marks_t)(first_code >> 7));
        ebnn_sums_t level = (ebnn_sums_t)(EBNN_READ_U8(codes + 3) | (EBNN_READ_U8(codes + 4) << 8));
#if EBNN_LANES == 1
        const ebnn_sums_t *all = first + run, *end = first + ((run - 1u) % EBNN_MARKS_RUN + 1u);
        ebnn_row_marks_t *part = to;
#else
        const ebnn_sums_t *end = first + run;

        (void)step;
        (void)keep;
        level |= level << 16;
#endif
        for (;;) {
            ebnn_sums_t marks = 0;

            if (second_code & 128u) {
                if (third_code & 128u)
                    EBNN_MARK_LOOP(-, -);
                else
                    EBNN_MARK_LOOP(-, +);
            } else if (third_code & 128u) {
                EBNN_MARK_LOOP(+, -);
            } else {
                EBNN_MARK_LOOP(+, +);
            }
#if EBNN_LANES == 1
            *part = (ebnn_row_marks_t)((*part & keep) | ((marks >> 8) ^ turned));
            if (end == all)
                break;
            part += step;
            end += EBNN_MARKS_RUN;
#else
            *to = marks ^ turned;
            break;
#endif
        }
    }
}

/*
 * Shifts into `byte`, above a 1, whether each of `count` filters passes in a window; moves the output on where the byte
 * is full. 11 operations a filter.
 */
EBNN_INLINE uint8_t *ebnn_pool_window(const ebnn_marks_t *marks, ebnn_marks_t mask, uint16_t count, uint8_t *byte,
                                      uint8_t *output)
{
    const ebnn_marks_t *end = marks + count;
    uint32_t shifted = *byte;

    do {
        const uint32_t full = shifted & 1u;

        shifted >>= 1;
        if (*marks++ & mask)
            shifted |= 0x80u;
        if (full) {
            *output++ = (uint8_t)shifted;
            shifted = 0x80u;
        }
    } while (marks != end);
    *byte = (uint8_t)shifted;
    return output;
}

#endif

/* Finds the spans of a strip whose first column is `x`; the columns that are outside get sums of 0. */
EBNN_KERNEL void ebnn_plan_columns(ebnn_columns_t *columns, int x)
{
    const ebnn_conv_t *conv = columns->conv;
    const int stride = (int)conv->kernel_columns.stride, width = (int)conv->kernel_columns.side;
    ebnn_span_t *span = columns->spans;
    uint8_t phase, place = 0;

    for (phase = 0; phase < columns->phases; phase++, x++, span++) {
        const uint8_t begin = place;
        uint16_t k = phase;
        int at = x;

        place = (uint8_t)(place + columns->run);
        for (k = (uint16_t)(k + conv->kernel_columns.stride); k < conv->kernel_columns.size;
             k = (uint16_t)(k + conv->kernel_columns.stride))
            place++;
        span->count = 0;
        for (k = begin; k < place; k++, at += stride)
            if (at >= 0 && at < width) {
                if (span->count++ == 0) {
                    span->from = (uint16_t)(at * (int)conv->in_c);
                    span->to = (uint8_t)k;
                }
            } else {
                ebnn_sums_t *to = columns->table + k;
                uint8_t row;

                for (row = 0; row < columns->rows; row++, to += columns->columns)
                    *to = 0;
            }
    }
}

/* The value of a tap in every lane, of the column `from` bytes on. */
EBNN_INLINE ebnn_sums_t ebnn_value(const ebnn_tap_t *tap, const uint8_t *from, uint8_t is_signed)
{
    ebnn_sums_t value = from[tap->at];

#if EBNN_LANES == 2
    value |= (ebnn_sums_t)from[tap->at + tap->far] << 16;
#endif
    value &= tap->mask;
    if (is_signed)
        value = (ebnn_sums_t)((value ^ EBNN_SIGNS_OF_LANES) - EBNN_SIGNS_OF_LANES);
    return value;
}

/* The sums of a group of taps, `first` to `last`, in one span; `to` is the first one's place. */
EBNN_KERNEL void ebnn_make_group(const ebnn_columns_t *columns, const ebnn_tap_t *first, const ebnn_tap_t *last,
                                 const ebnn_span_t *span, ebnn_sums_t *to)
{
    const uint8_t *from = columns->input + span->from;
    const uint8_t is_signed = columns->conv->filters.kind == EBNN_INT8;
    const ebnn_sums_t *end = to + span->count;

    for (; to != end; to++, from += columns->step) {
        const ebnn_tap_t *tap = first;
        uint8_t choices = 1, i;

        *to = ebnn_value(tap, from, is_signed);
        while (tap++ != last) {
            const ebnn_sums_t value = ebnn_value(tap, from, is_signed);
            ebnn_sums_t *minus = to, *plus = to + choices * columns->columns;

            for (i = 0; i < choices; i++, minus += columns->columns, plus += columns->columns) {
                *plus = (ebnn_sums_t)(*minus + value);
                *minus = (ebnn_sums_t)(*minus - value);
            }
            choices = (uint8_t)(2u * choices);
        }
    }
}

/*
 * The sums of the planned columns, of a strip of the map whose rows begin at row `y` of the input. is_last: the row is
 * the map's last one, the others' sums are not used.
 */
EBNN_KERNEL void ebnn_make_columns(const ebnn_columns_t *columns, int y, uint8_t is_last)
{
    const ebnn_conv_t *conv = columns->conv;
    const uint16_t height = conv->kernel_rows.side, channels = conv->in_c;
    size_t row = (size_t)y * columns->row_bytes; /* modulo SIZE_MAX + 1 */
    ebnn_sums_t *to = columns->table;
    uint16_t channel = 0;
    uint8_t number;

    (void)is_last;
    for (number = 0; number < columns->groups; number++) {
        const uint8_t count = (uint8_t)(columns->least + (number < columns->larger));
        ebnn_tap_t taps[EBNN_TAPS], *tap = taps;
        uint8_t is_fast = count == 3u && conv->filters.kind == EBNN_UINT8, phase;

        do {
            const uint8_t here = (unsigned)y < height; /* not above either */

#if EBNN_LANES == 2
            const int next = y + (int)conv->kernel_rows.stride;
            const uint8_t there = is_last ? here : (unsigned)next < height;
            const size_t far = (size_t)conv->kernel_rows.stride * columns->row_bytes;

            tap->mask = (here ? 0xFFu : 0u) | (there ? 0xFF0000ul : 0u);
            tap->far = here && there && !is_last ? far : 0u;
            tap->at = (here ? row : there ? row + far : 0u) + channel;
            is_fast = is_fast && here && there;
#else
            tap->mask = here ? 0xFFu : 0u;
            tap->at = (here ? row : 0u) + channel;
#if !defined(__AVR__)
            is_fast = is_fast && here;
#endif
#endif
            if (++channel == channels) {
                channel = 0;
                y++;
                row += columns->row_bytes;
            }
        } while (++tap != taps + count);
        for (phase = 0; phase < columns->phases; phase++) {
            const ebnn_span_t *span = columns->spans + phase;

            if (is_fast && span->count > 0)
                ebnn_make_triples(columns, taps, span, to + span->to);
            else
                ebnn_make_group(columns, taps, tap - 1, span, to + span->to);
        }
        to += (uint8_t)(1u << (count - 1u)) * columns->columns;
    }
}

/* The sums of a filter's lookups but its last two, added up: `more` at `codes`, then one that is added. */
EBNN_KERNEL void ebnn_add_lookups(const ebnn_columns_t *columns, const uint8_t *codes)
{
    const uint8_t *end = codes + columns->more;
    const ebnn_sums_t *from = columns->table + (EBNN_READ_U8(end) & 127u);
    ebnn_sums_t *to;

    for (to = columns->partial; to != columns->partial + columns->run; to++)
        *to = *from++;
    for (; codes != end; codes++) {
        const uint8_t code = EBNN_READ_U8(codes);

        ebnn_add_sums(columns->partial, columns->table + (code & 127u), columns->run, code & 128u);
    }
}

/* The marks of all filters in a strip: filter after filter, in rows of one element of each. */
EBNN_KERNEL void ebnn_mark_strip(const ebnn_columns_t *columns, ebnn_row_marks_t *to, ebnn_row_marks_t keep)
{
    const uint16_t filters = columns->conv->filters.outputs;
    const uint8_t *codes = columns->codes;
    const ebnn_sums_t *partial = NULL;
    uint16_t some = filters, left = filters;

    if (columns->more > 0) {
        partial = columns->partial;
        some = 1;
    }
    for (; left > 0; left = (uint16_t)(left - some), codes += columns->more + 5u) {
        if (partial != NULL)
            ebnn_add_lookups(columns, codes);
        ebnn_mark_filters(columns, codes + columns->more, partial, some, to++, filters, keep);
    }
}

/* One row of the output from the marks of its windows, which it uses up: whether one of a window's is 1. */
EBNN_KERNEL void ebnn_pool_marks(const ebnn_columns_t *columns, ebnn_marks_t *marks, uint8_t *output)
{
    const ebnn_conv_t *conv = columns->conv;
    const uint16_t filters = conv->filters.outputs;
    const uint8_t run = columns->parts > 1 ? EBNN_MARKS_RUN : columns->run; /* positions in an element */
    const uint8_t base = (uint8_t)(EBNN_MARKS_RUN - run);                   /* the first one's bit */
    uint16_t x, begin = 0; /* the position that is the `place`th of the element at `marks` */
    uint16_t place = (uint16_t)(columns->parts * EBNN_MARKS_RUN - base - columns->run);
    int start = -(int)conv->pool_columns.pad;
    uint8_t byte = 0x80; /* the output's next bits */

    for (x = conv->out_w; x > 0; x--, start += (int)conv->pool_columns.stride) {
        const int end = start + (int)conv->pool_columns.size;
        uint8_t count, room;
        ebnn_marks_t ones, next = 0;

        if (start > 0) {
            place = (uint16_t)(place + (uint16_t)start - begin);
            begin = (uint16_t)start;
        }
        count = (uint8_t)((end < (int)conv->pool_columns.side ? (uint16_t)end : conv->pool_columns.side) - begin);
        for (; place >= run; place = (uint16_t)(place - run))
            marks += filters;
        ones = (ebnn_marks_t)((1u << count) - 1u);
        room = (uint8_t)(run - place);
        if (count > room)
            next = (ebnn_marks_t)((ebnn_marks_t)(ones >> room) << base);
        if (next != 0) { /* a mark of the window in the next elements counts as one of its last position in these */
            ebnn_marks_t *mark;

            for (mark = marks; mark != marks + filters; mark++)
                if (mark[filters] & next)
                    *mark = (ebnn_marks_t)(*mark | 1u << (EBNN_MARKS_RUN - 1u));
        }
        output = ebnn_pool_window(marks, (ebnn_marks_t)(ones << (uint8_t)(base + place)), filters, &byte, output);
    }
    x = (uint16_t)(conv->out_w * filters) % 8u;
    if (x > 0)
        *output = (uint8_t)(byte >> (8u - x));
}

/* XORs the flips into every pixel of a row of the output, eight at a time. */
EBNN_KERNEL void ebnn_flip_row(const ebnn_conv_t *conv, uint8_t *output)
{
    uint16_t x, left;
    uint8_t bit = 0;

    for (x = 0; x < conv->out_w; x++) {
        const uint8_t *flips = conv->flips;

        for (left = conv->filters.outputs; left > 0;) {
            const uint8_t some = (uint8_t)(left < 8u ? left : 8u);
            const uint16_t wide = (uint16_t)(EBNN_READ_U8(flips++) << bit);

            *output = (uint8_t)(*output ^ wide);
            bit = (uint8_t)(bit + some);
            if (bit >= 8u) {
                bit = (uint8_t)(bit - 8u);
                output++;
                if (bit > 0)
                    *output = (uint8_t)(*output ^ (wide >> 8));
            }
            left = (uint16_t)(left - some);
        }
    }
}

/* The slot after one of `count`. */
EBNN_INLINE uint8_t ebnn_next_slot(uint8_t slot, uint8_t count)
{
    slot++;
    return (uint8_t)(slot == count ? 0u : slot);
}

/* Marks of one row, in the given lane, added to those of a window, or the first of them. */
EBNN_INLINE void ebnn_add_marks(ebnn_marks_t *to, const ebnn_row_marks_t *from, uint16_t size, uint8_t lane,
                                uint8_t is_first)
{
    const ebnn_marks_t *end = to + size;

    if (is_first)
        do
            *to++ = (ebnn_marks_t)(*from++ >> (16u * lane));
        while (to != end);
    else
        for (; to != end; to++)
            *to = (ebnn_marks_t)(*to | *from++ >> (16u * lane));
}

/*
 * One convolution block on bytes; conv->table are its codes. Gives the bits that ebnn_conv gives.
 * input: in_h × in_w × in_c bytes; output: out_h rows of bits; scratch: word-aligned, for the rows of sums, the
 * partial sums where a filter has more than three lookups, the marks of one row of the map in each lane, and those of
 * the pooling windows that hold one row. None overlap.
 */
EBNN_KERNEL void ebnn_conv_columns(const ebnn_conv_t *in_flash, const uint8_t *input, uint8_t *output, uint8_t *scratch)
{
    const uint8_t *const first = output;
    ebnn_conv_t conv;
    ebnn_columns_t columns;
    ebnn_row_marks_t *marks;
    ebnn_marks_t *slots;
    uint16_t begun = 0, done = 0, size = 0, rows, x, y;
    uint8_t done_slot = 0, slot_count, taps, lookups;
    uint8_t direct; /* a row's marks are made where the window's are */

    EBNN_READ_BLOCK(&conv, in_flash, sizeof conv);
    columns.conv = &conv;
    columns.input = input;
    columns.codes = (const uint8_t *)conv.table;
    columns.run = EBNN_READ_U8(columns.codes);
    columns.columns = EBNN_READ_U8(columns.codes + 1);
    columns.rows = EBNN_READ_U8(columns.codes + 2);
    columns.codes += 3;
    columns.row_bytes = (uint16_t)(conv.kernel_columns.side * conv.in_c);
    columns.step = (uint16_t)(conv.kernel_columns.stride * conv.in_c);
    taps = (uint8_t)(conv.kernel_rows.size * conv.in_c);
    columns.groups = (uint8_t)((taps + 3u) / 4u);
    columns.least = (uint8_t)(taps / columns.groups);
    columns.larger = (uint8_t)(taps % columns.groups);
    columns.parts = (uint8_t)((columns.run + EBNN_MARKS_RUN - 1u) / EBNN_MARKS_RUN);
    columns.phases = (uint8_t)(conv.kernel_columns.size < conv.kernel_columns.stride ? conv.kernel_columns.size
                                                                                     : conv.kernel_columns.stride);
    lookups = (uint8_t)(columns.groups * conv.kernel_columns.size);
    columns.more = (uint8_t)(lookups > 3u ? lookups - 3u : 0u);
    columns.table = (ebnn_sums_t *)(void *)scratch;
    columns.partial = columns.table + columns.rows * columns.columns;
    if (lookups < 3u) /* the last row of sums stands in for missing ones */
        memset(columns.partial - columns.columns, 0, columns.columns * sizeof *columns.table);
    marks = (ebnn_row_marks_t *)(void *)(columns.partial + (columns.more > 0 ? columns.run : 0u));
    for (x = 0; x < conv.pool_columns.side; x = (uint16_t)(x + columns.run))
        size = (uint16_t)(size + columns.parts * conv.filters.outputs);
    slot_count = (uint8_t)((conv.pool_rows.size + conv.pool_rows.stride - 1u) / conv.pool_rows.stride);
    direct = EBNN_LANES == 1 && slot_count == 1;
    slots = (ebnn_marks_t *)(void *)(direct ? marks : marks + size);
    /* that are pooled */
    rows = (uint16_t)((conv.out_h - 1u) * conv.pool_rows.stride + conv.pool_rows.size - conv.pool_rows.pad);
    if (rows > conv.pool_rows.side)
        rows = conv.pool_rows.side;

    for (y = 0; y < rows; y++) {
        const uint8_t lane = (uint8_t)(y % EBNN_LANES);
        uint16_t window;
        uint8_t slot = done_slot;

        if (lane == 0) {
            ebnn_row_marks_t *to = marks;

            for (x = 0; x < conv.pool_columns.side; x = (uint16_t)(x + columns.run)) {
                if (y == 0 || columns.run < conv.pool_columns.side)
                    ebnn_plan_columns(&columns, (int)(x * conv.kernel_columns.stride) - (int)conv.kernel_columns.pad);
                ebnn_make_columns(&columns, (int)(y * conv.kernel_rows.stride) - (int)conv.kernel_rows.pad,
                                  y + 1u == rows);
                ebnn_mark_strip(&columns, to, (ebnn_row_marks_t)(direct && begun != done ? -1 : 0));
                to += columns.parts * conv.filters.outputs;
            }
        }
        /* The windows that hold this row are those from `done` on, before `begun`. */
        for (window = done;; window++, slot = ebnn_next_slot(slot, slot_count)) {
            uint8_t is_first = 0;

            if (window == begun) {
                if (begun == conv.out_h || (int)(begun * conv.pool_rows.stride) > (int)y + (int)conv.pool_rows.pad)
                    break;
                begun++;
                is_first = 1;
            }
            if (!direct)
                ebnn_add_marks(slots + (size_t)slot * size, marks, size, lane, is_first);
        }
        while (done != begun && (y + 1u == rows || (int)(done * conv.pool_rows.stride) + (int)conv.pool_rows.size ==
                                                       (int)y + 1 + (int)conv.pool_rows.pad)) {
            ebnn_pool_marks(&columns, slots + (size_t)done_slot * size, output);
            if (conv.flips != NULL)
                ebnn_flip_row(&conv, output);
            output += conv.out_row_bytes;
            done_slot = ebnn_next_slot(done_slot, slot_count);
            done++;
        }
    }
    ebnn_fill_word(first, output);
}

#endif
