/*
 * Whether an image is whole, and its layers are such that their kernels stay within image, arena and input, whatever
 * its bytes are. The numbers of layers are those that one shape gives the next, so there are no offsets to be wrong.
 */
#ifndef EBNN_MODEL_CHECK_H
#define EBNN_MODEL_CHECK_H

#include "columns.h"
#include "model_layer.h"
#include "tables.h"

#define EBNN_MODEL_MOST_SIDE 32767u /* of an activation, with its padding */
#define EBNN_MODEL_MOST_SUM 16777216ul
#if defined(__AVR__)
#define EBNN_MODEL_MOST_BYTES 32767ul /* of an image, an activation, an arena */
#define EBNN_MODEL_MOST_TAPS 65535ul
#else
#define EBNN_MODEL_MOST_BYTES 0x7FFFFFFFul
#define EBNN_MODEL_MOST_TAPS 4194304ul
#endif

/* What a kernel takes: kinds of input, a bit each; then a window, none, or either; then ends: signs, scores, or any. */
#define EBNN_MODEL_OF(kinds, windows, ends) (uint8_t)((kinds) | (windows) << 4 | (ends) << 6)
#define EBNN_MODEL_PACKED 1u
#define EBNN_MODEL_BYTES 6u
#define EBNN_MODEL_WHOLE 7u
#define EBNN_MODEL_ANY 15u

/* A product, or what is beyond all of them. */
EBNN_KERNEL uint32_t ebnn_model_times(uint32_t a, uint32_t b)
{
    return b != 0u && a > 0xFFFFFFFFul / b ? 0xFFFFFFFFul : a * b;
}

/* CRC-32 of bytes of an image. */
EBNN_KERNEL uint32_t ebnn_model_crc(const uint8_t *bytes, uint32_t count)
{
    uint32_t crc = 0xFFFFFFFFul;
    uint8_t bit;

    for (; count > 0u; count--) {
        crc ^= EBNN_READ_U8(bytes++);
        for (bit = 0; bit < 8u; bit++)
            crc = crc & 1u ? crc >> 1 ^ 0xEDB88320ul : crc >> 1;
    }
    return ~crc;
}

/* Whether an activation has a size that can be counted. */
EBNN_KERNEL uint8_t ebnn_model_shape_fits(uint8_t kind, uint16_t channels, uint16_t height, uint16_t width)
{
    const uint32_t row = ebnn_model_times(channels, width);

    return channels > 0u && height > 0u && width > 0u && height <= EBNN_MODEL_MOST_SIDE &&
           width <= EBNN_MODEL_MOST_SIDE && (kind != EBNN_BITS || row <= 0xFFFFu) && row <= 0x1FFFFFFFul &&
           ebnn_model_times(ebnn_model_row_bytes(kind, width, channels), height) <= EBNN_MODEL_MOST_BYTES - 3u;
}

/* Whether a window fits its side. */
EBNN_KERNEL uint8_t ebnn_model_window_fits(const ebnn_window_t *window)
{
    const uint32_t room = window->side + 2u * (uint32_t)window->pad;

    return window->size > 0u && window->stride > 0u && window->size <= room && room <= EBNN_MODEL_MOST_SIDE;
}

#if EBNN_MODEL_KERNELS & EBNN_MODEL_COLUMNS

/* What the codes of a layer by columns take, and whether they are of its shape; see columns.py. */
EBNN_KERNEL uint8_t ebnn_model_columns_fit(const ebnn_model_layer_t *made, uint32_t table_bytes, uint32_t *scratch)
{
    const ebnn_conv_t *const conv = &made->layer.conv;
    const uint8_t *codes = (const uint8_t *)conv->table;
    const uint32_t taps = (uint32_t)conv->kernel_rows.size * conv->in_c;
    const uint32_t outputs = conv->filters.outputs;
    const uint16_t width = conv->pool_columns.side, size = conv->kernel_columns.size;
    const uint16_t stride = conv->kernel_columns.stride, phases = size < stride ? size : stride;
    const uint8_t run = EBNN_READ_U8(codes), columns = EBNN_READ_U8(codes + 1), rows = EBNN_READ_U8(codes + 2);
    const uint16_t pool = conv->pool_columns.size < width ? conv->pool_columns.size : width;
    uint32_t expected = 0, strips, windows, lookups, marks, elements, at, filter;
    uint16_t phase, groups, group;

    if (taps > 128u || phases > EBNN_PHASES || run == 0u || run > width || run > 128u)
        return 0;
    if (run > EBNN_MARKS_RUN && (EBNN_LANES == 2 || (run % EBNN_MARKS_RUN != 0u && run != width)))
        return 0;
    if (pool > run || pool > EBNN_MARKS_RUN || (uint32_t)conv->kernel_columns.side * conv->in_c > 0xFFFFu)
        return 0;
    for (phase = 0; phase < phases; phase++)
        expected += run + (uint32_t)(size - 1u - phase) / stride;
    if (columns != expected)
        return 0;
    groups = (uint16_t)((taps + 3u) / 4u);
    lookups = (uint32_t)size * groups;
    for (expected = 0, group = 0; group < groups; group++)
        expected += (uint32_t)1 << (taps / groups - (group < taps % groups ? 0u : 1u));
    if (lookups < 3u) {
        lookups = 3;
        expected++;
    }
    if (rows != expected || (uint32_t)rows * columns > 128u)
        return 0;
    strips = ((uint32_t)width + run - 1u) / run;
    if (ebnn_model_times(strips * run, stride) + size > EBNN_MODEL_MOST_SIDE || lookups > 255u)
        return 0;
    windows = ((uint32_t)conv->pool_rows.size + conv->pool_rows.stride - 1u) / conv->pool_rows.stride;
    if (windows > 255u)
        return 0;
    elements = strips * ((run + EBNN_MARKS_RUN - 1u) / EBNN_MARKS_RUN);
    elements = ebnn_model_times(elements, outputs);
    marks = ebnn_model_times((EBNN_LANES == 1 && windows == 1u ? 0u : EBNN_LANES) + windows, elements);
    if (elements > 0xFFFFu || marks > 8192u)
        return 0;
    at = ((uint32_t)rows * columns + (lookups > 3u ? run : 0u)) * 2u * EBNN_LANES;
    *scratch = (at + 3u) / 4u * 4u + (marks * (EBNN_MARKS_RUN / 8u) + 3u) / 4u * 4u;
    if (table_bytes != (3u + outputs * (lookups + 2u) + 3u) / 4u * 4u)
        return 0;
    for (codes += 3, filter = 0; filter < outputs; filter++, codes += 2)
        for (at = 0; at < lookups; at++, codes++)
            if ((EBNN_READ_U8(codes) & 127u) + (uint16_t)run > (uint16_t)rows * columns)
                return 0;
    return 1;
}

#endif

#if EBNN_MODEL_KERNELS & EBNN_MODEL_TABLES

/* Runs of places of a window, compared with those in an image. */
typedef struct {
    const uint8_t *at;                               /* of the next in the image */
    const uint8_t *end;                              /* of all that may be read */
    uint32_t from;                                   /* where the run before ended, in units */
    uint16_t unit;                                   /* of places */
    uint16_t size_unit;                              /* of the part inside */
    uint16_t fresh_size;                             /* added to a size where other tables begin */
    uint16_t inside, first, size, step, count, last; /* of this run */
    uint16_t runs;
    uint8_t fresh;
    uint8_t fits;
} ebnn_model_runs_t;

/* A run has ended: whether it is the next in the image. */
EBNN_KERNEL void ebnn_model_end_run(ebnn_model_runs_t *runs)
{
    const uint32_t inside = (uint32_t)runs->inside * runs->unit;
    const uint32_t first = inside < runs->from ? runs->from - inside : inside - runs->from;
    const uint32_t size = (uint32_t)runs->size * runs->size_unit + (runs->fresh ? runs->fresh_size : 0u);

    if (runs->end - runs->at < 8 || ebnn_model_u16(runs->at) != first ||
        ebnn_model_u16(runs->at + 2) != (uint32_t)runs->step * runs->unit || ebnn_model_u16(runs->at + 4) != size ||
        ebnn_model_u16(runs->at + 6) != runs->count) {
        runs->fits = 0;
        return;
    }
    runs->at += 8;
    runs->from = (uint32_t)runs->last * runs->unit;
}

/* The next place: where the window meets the image, and from which of its own rows or columns on. */
EBNN_KERNEL void ebnn_model_add_place(ebnn_model_runs_t *runs, uint16_t inside, uint16_t first, uint16_t size)
{
    const uint16_t step = (uint16_t)(inside < runs->last ? runs->last - inside : inside - runs->last);
    const uint8_t fresh = runs->count == 0u || runs->first != first || runs->size != size;

    if (!runs->fits)
        return;
    if (!fresh && (runs->count == 1u || runs->step == step)) {
        runs->step = step;
        runs->count++;
        runs->last = inside;
        return;
    }
    if (runs->count > 0u)
        ebnn_model_end_run(runs);
    runs->runs++;
    runs->fresh = fresh;
    runs->inside = runs->last = inside;
    runs->first = first;
    runs->size = size;
    runs->step = 0;
    runs->count = 1;
}

EBNN_INLINE void ebnn_model_add_range(ebnn_model_runs_t *runs, const ebnn_range_t *range)
{
    const uint8_t empty = range->end <= range->begin;

    ebnn_model_add_place(runs, range->begin, empty ? (uint16_t)0 : range->first,
                         empty ? (uint16_t)0 : (uint16_t)(range->end - range->begin));
}

EBNN_INLINE void ebnn_model_begin_runs(ebnn_model_runs_t *runs, uint16_t unit, uint16_t size_unit, uint32_t from)
{
    runs->unit = unit;
    runs->size_unit = size_unit;
    runs->from = from;
    runs->count = runs->runs = runs->last = 0;
}

/* How many pooling windows begin with a row of the map, and, × 16, end with it; 0xFFFF where none holds it. */
EBNN_KERNEL uint16_t ebnn_model_windows_at(const ebnn_conv_t *conv, uint16_t row)
{
    ebnn_range_t range;
    uint16_t window, begins = 0, ends = 0;
    uint8_t held = 0;

    for (window = 0; window < conv->out_h; window++) {
        ebnn_meet(&conv->pool_rows, window, &range);
        if (range.begin > row)
            break;
        if (range.end <= row)
            continue;
        held = 1;
        begins = (uint16_t)(begins + (range.begin == row));
        ends = (uint16_t)(ends + (range.end == row + 1u));
    }
    return (uint16_t)(!held || begins > 15u || ends > 15u ? 0xFFFFu - held : begins + 16u * ends);
}

/* Whether the tables of a layer, and the plan before them, are those of its shape; see tables.py. */
EBNN_KERNEL uint8_t ebnn_model_tables_fit(const ebnn_model_layer_t *made, size_t in_bytes, uint32_t table_bytes,
                                          uint32_t *scratch)
{
    const ebnn_conv_t *const conv = &made->layer.conv;
    const uint8_t *const table = (const uint8_t *)conv->table, *tables, *kernel, *windows;
    const uint16_t channels = conv->in_c, entry = (uint16_t)((conv->filters.outputs + 7ul) / 8u);
    const uint32_t row_bits = (uint32_t)conv->kernel_columns.side * channels;
    uint32_t plan_bytes, columns, slot_bytes, slots;
    ebnn_model_runs_t runs;
    ebnn_range_t range;
    uint16_t at, begins, rows, kernel_runs, pool_runs, i;

    if (table_bytes < 20u || conv->filters.taps > 10u || entry > 255u || row_bits > 65528u ||
        ebnn_model_times(ebnn_model_times(conv->kernel_columns.stride, channels), conv->kernel_rows.size) > 31u)
        return 0;
    plan_bytes = ebnn_model_u16(table);
    rows = ebnn_model_u16(table + 2);
    kernel_runs = EBNN_READ_U8(table + 18);
    pool_runs = EBNN_READ_U8(table + 19);
    ebnn_meet(&conv->pool_columns, (uint16_t)(conv->out_w - 1u), &range);
    columns = range.end; /* of the map, up to the last pooling window's end */
    slot_bytes = (columns * entry + 3u) / 4u * 4u;
    slots = ((uint32_t)conv->pool_rows.size + conv->pool_rows.stride - 1u) / conv->pool_rows.stride;
    slots = ebnn_model_times(slots, slot_bytes);
    ebnn_meet(&conv->kernel_columns, (uint16_t)(columns - 1u), &range);
    if (range.end <= range.begin)
        range.end = range.begin;
    i = (uint16_t)(((uint32_t)range.end * channels + 7u) / 8u); /* bytes of a row up to the first run */
    if (slots > 0xFFFFu || in_bytes > 0xFFFFu || plan_bytes > table_bytes || plan_bytes < 20u + rows ||
        ebnn_model_u16(table + 4) != conv->in_row_bytes || ebnn_model_u16(table + 6) != i ||
        ebnn_model_u16(table + 8) != conv->out_row_bytes || ebnn_model_u16(table + 10) != slot_bytes ||
        ebnn_model_u16(table + 12) != slots || ebnn_model_u16(table + 14) != columns * entry ||
        EBNN_READ_U8(table + 16) != entry ||
        EBNN_READ_U8(table + 17) != (conv->filters.outputs % 8u > 0u ? 1u << conv->filters.outputs % 8u : 0u))
        return 0;
    *scratch = slots;

    runs.at = table + 20;
    runs.end = table + (size_t)plan_bytes - rows;
    runs.fresh_size = 0;
    runs.fits = 1;
    ebnn_model_begin_runs(&runs, channels, channels, 8ul * i);
    kernel = runs.at;
    for (at = (uint16_t)columns; at > 0u; at--) {
        ebnn_meet(&conv->kernel_columns, (uint16_t)(at - 1u), &range);
        ebnn_model_add_range(&runs, &range);
    }
    ebnn_model_end_run(&runs);
    if (runs.runs != kernel_runs)
        return 0;
    ebnn_model_begin_runs(&runs, entry, 1, 0);
    for (at = 0; at < conv->out_w; at++) {
        ebnn_meet(&conv->pool_columns, at, &range);
        ebnn_model_add_place(&runs, range.end, 0, (uint16_t)(range.end - range.begin));
        if (range.end - range.begin > 255)
            return 0;
    }
    ebnn_model_end_run(&runs);
    if (runs.runs != pool_runs)
        return 0;
    ebnn_model_begin_runs(&runs, conv->in_row_bytes, 1, 0);
    runs.fresh_size = 256;
    tables = table + (size_t)plan_bytes;
    windows = runs.end;
    for (at = 0; at < conv->pool_rows.side; at++) {
        const uint16_t before = runs.runs;

        begins = ebnn_model_windows_at(conv, at);
        if (begins == 0xFFFFu)
            continue;
        if (rows == 0u || !runs.fits || EBNN_READ_U8(windows) != begins)
            return 0;
        windows++;
        rows--;
        ebnn_meet(&conv->kernel_rows, at, &range);
        ebnn_model_add_range(&runs, &range);
        if (runs.runs == before || !runs.fresh)
            continue;
        for (i = 0; i < kernel_runs; i++) { /* tables of these rows: the highest index, and entries */
            const uint32_t taps = (uint32_t)runs.size * ebnn_model_u16(kernel + 8u * i + 4u);
            const uint32_t bytes = 2u + ((uint32_t)entry << taps);

            if ((uint32_t)(table + (size_t)table_bytes - tables) < bytes ||
                (EBNN_READ_U8(tables) | (uint32_t)EBNN_READ_U8(tables + 1) << 8) != (1ul << taps) - 1u)
                return 0;
            tables += (size_t)bytes;
        }
    }
    ebnn_model_end_run(&runs);
    return runs.fits && rows == 0u && (uint32_t)(tables - table + 3) / 4u * 4u == table_bytes;
}

#endif

/* Whether shifts are from `least` to `most`. */
EBNN_KERNEL uint8_t ebnn_model_shifts_fit(const uint8_t *shifts, uint16_t count, uint8_t least, uint8_t most)
{
    for (; count > 0u; count--, shifts++)
        if (EBNN_READ_U8(shifts) < least || EBNN_READ_U8(shifts) > most)
            return 0;
    return 1;
}

/* Whether this program has a kernel, and what ends its layer. */
EBNN_INLINE uint8_t ebnn_model_has(uint8_t kernel, uint8_t end)
{
    const uint32_t wanted = (uint32_t)(1ul << kernel | (kernel >= EBNN_MULTIPLY ? EBNN_MODEL_END_SIGNS << end : 0u));

    return ((uint32_t)(EBNN_MODEL_KERNELS)&wanted) == wanted;
}

/* Whether a kernel takes a layer of such windows, input and end. */
EBNN_KERNEL uint8_t ebnn_model_takes(const ebnn_model_layer_t *made, const ebnn_model_place_t *place)
{
    static const uint8_t takes[EBNN_KERNELS_END] EBNN_FLASH = {
        0,
        EBNN_MODEL_OF(EBNN_MODEL_PACKED, 1u, 1u), /* convolutions: each, fours, sums, columns, table, float */
        EBNN_MODEL_OF(EBNN_MODEL_PACKED, 1u, 1u),
        EBNN_MODEL_OF(EBNN_MODEL_WHOLE, 1u, 1u),
        EBNN_MODEL_OF(EBNN_MODEL_BYTES, 1u, 1u),
        EBNN_MODEL_OF(EBNN_MODEL_PACKED, 1u, 1u),
        EBNN_MODEL_OF(EBNN_MODEL_ANY, 1u, 1u),
        EBNN_MODEL_OF(EBNN_MODEL_PACKED, 2u, 1u), /* dense layers: each, fours, sums, float */
        EBNN_MODEL_OF(EBNN_MODEL_PACKED, 2u, 1u),
        EBNN_MODEL_OF(EBNN_MODEL_WHOLE, 2u, 1u),
        EBNN_MODEL_OF(EBNN_MODEL_ANY, 2u, 1u),
        EBNN_MODEL_OF(EBNN_MODEL_PACKED, 2u, 2u), /* the last: bits, fours, bytes */
        EBNN_MODEL_OF(EBNN_MODEL_PACKED, 2u, 2u),
        EBNN_MODEL_OF(EBNN_MODEL_BYTES, 2u, 2u),
        EBNN_MODEL_OF(EBNN_MODEL_WHOLE, 3u, 3u), /* integer.h: multiply, depthwise, the same of bits, values, add */
        EBNN_MODEL_OF(EBNN_MODEL_WHOLE, 1u, 3u),
        EBNN_MODEL_OF(EBNN_MODEL_WHOLE, 1u, 3u),
        EBNN_MODEL_OF(EBNN_MODEL_WHOLE, 2u, 3u),
        EBNN_MODEL_OF(EBNN_MODEL_WHOLE, 3u, 3u),
    };
    const unsigned known = EBNN_READ_OWN_U8(takes + made->kernel), flags = made->flags;
    const uint8_t end = (uint8_t)EBNN_MODEL_END(flags),
                  channelwise = made->kernel >= EBNN_DEPTHWISE && made->kernel <= EBNN_VALUES;
    const uint8_t ends = end == EBNN_MODEL_SIGNS ? 1u : end == EBNN_MODEL_SCORES ? 2u : 3u;

    return ((known >> place->kind) & 1u) != 0u && ((known >> 4) & (flags & EBNN_MODEL_SLIDES ? 1u : 2u)) != 0u &&
           ((known >> 6) & ends) == ends &&
           /* a dense layer does not pool, what is not of integer.h does not add, signs are no bytes and have flips */
           (!(flags & EBNN_MODEL_POOLS) || flags & EBNN_MODEL_SLIDES || made->kernel == EBNN_VALUES) &&
           (!(flags & EBNN_MODEL_ADDS) || (flags & EBNN_MODEL_POOLS && made->kernel >= EBNN_MULTIPLY)) &&
           (!(flags & EBNN_MODEL_FLIPS) || end == EBNN_MODEL_SIGNS) &&
           (!(flags & EBNN_MODEL_GIVES_INT8) || end == EBNN_MODEL_NARROW || end == EBNN_MODEL_WIDE) &&
           /* kernels of 16 bits, and those without thresholds, have none of 32 */
           (!(flags & EBNN_MODEL_THRESHOLDS_32) ||
            (end == EBNN_MODEL_SIGNS &&
             (made->kernel == EBNN_CONV_SUMS || made->kernel == EBNN_DENSE_SUMS || made->kernel >= EBNN_MULTIPLY))) &&
           (!channelwise || (made->layer.conv.filters.outputs % place->channels == 0u)) &&
           (made->kernel != EBNN_VALUES || made->layer.conv.filters.outputs == place->channels);
}

/*
 * Checks the layer at a place, of which the image has `left` bytes, and moves on. Returns EBNN_MODEL_OK, or what is
 * wrong.
 */
EBNN_KERNEL uint8_t ebnn_model_check_layer(const ebnn_model_t *model, ebnn_model_place_t *place, uint32_t left)
{
    ebnn_model_layer_t made;
    ebnn_conv_t *const conv = &made.layer.conv;
    const uint8_t last = place->index + 1u == model->layers;
    uint32_t bytes, taps, largest, arrays, scratch, outputs, line;
    uint8_t record, end;

    if (left < EBNN_MODEL_RECORD_BYTES)
        return EBNN_MODEL_ERR_CONTENT;
    bytes = ebnn_model_u32(place->at);
    made.kernel = EBNN_READ_U8(place->at + 4);
    made.flags = EBNN_READ_U8(place->at + 5);
    conv->filters.outputs = ebnn_model_u16(place->at + 6);
    outputs = conv->filters.outputs;
    end = EBNN_MODEL_END(made.flags);
    record = ebnn_model_record_bytes(made.flags);
    if (bytes > left || bytes % 4u != 0u || bytes < record || outputs == 0u || made.kernel == 0u ||
        made.kernel >= EBNN_KERNELS_END || !ebnn_model_takes(&made, place) || (end == EBNN_MODEL_SCORES) != last)
        return EBNN_MODEL_ERR_CONTENT;
    if (!ebnn_model_has(made.kernel, end))
        return EBNN_MODEL_ERR_KERNEL;

    /* The window of the kernel, then that of the pool: a pool's pad is smaller than its size, so that none is empty. */
    ebnn_model_geometry(place, &made);
    if (!ebnn_model_window_fits(&conv->kernel_rows) || !ebnn_model_window_fits(&conv->kernel_columns))
        return EBNN_MODEL_ERR_CONTENT;
    conv->pool_rows.side = ebnn_model_count(&conv->kernel_rows);
    conv->pool_columns.side = ebnn_model_count(&conv->kernel_columns);
    if (!ebnn_model_window_fits(&conv->pool_rows) || !ebnn_model_window_fits(&conv->pool_columns) ||
        conv->pool_rows.pad >= conv->pool_rows.size || conv->pool_columns.pad >= conv->pool_columns.size)
        return EBNN_MODEL_ERR_CONTENT;
    line = (uint32_t)conv->kernel_columns.size * place->channels;
    taps = ebnn_model_times(line, conv->kernel_rows.size);
    largest = place->kind == EBNN_BITS ? 1u : place->kind == EBNN_UINT8 ? 255u : 128u;
    if (taps > EBNN_MODEL_MOST_TAPS ||
        (place->kind != EBNN_FLOAT && made.kernel != EBNN_MULTIPLY && made.kernel != EBNN_DEPTHWISE &&
         ebnn_model_times(taps, largest) > EBNN_MODEL_MOST_SUM))
        return EBNN_MODEL_ERR_CONTENT;
    if (made.flags & EBNN_MODEL_SLIDES && (taps > 65535u || (made.kernel < EBNN_CONV_SUMS && taps > 32766u)))
        return EBNN_MODEL_ERR_CONTENT;
    if ((made.kernel == EBNN_DENSE_EACH || made.kernel == EBNN_DENSE_FOURS) && taps > 32766u)
        return EBNN_MODEL_ERR_CONTENT;
    if (!ebnn_model_shape_fits((uint8_t)(end == EBNN_MODEL_SIGNS ? EBNN_BITS : EBNN_UINT8), conv->filters.outputs,
                               ebnn_model_count(&conv->pool_rows), ebnn_model_count(&conv->pool_columns)))
        return EBNN_MODEL_ERR_CONTENT;

    ebnn_model_decode(place, &made);
    if (made.kernel >= EBNN_MULTIPLY && !made.here &&
        (taps > 65532u || line > 65532u || (place->kind == EBNN_BITS ? (taps + 31u) / 32u * 8u : taps) > 65532u))
        return EBNN_MODEL_ERR_CONTENT;
    if (last && (conv->out_h != 1u || conv->out_w != 1u || outputs != model->classes))
        return EBNN_MODEL_ERR_CONTENT;
    if ((made.kernel == EBNN_OUTPUT_FOURS || made.kernel == EBNN_DENSE_FOURS) && conv->filters.words > EBNN_MOST_WORDS)
        return EBNN_MODEL_ERR_CONTENT;

    /* Arrays take what is left of the layer. */
    arrays = bytes - record;
    if (made.kernel == EBNN_CONV_COLUMNS || made.kernel == EBNN_CONV_TABLE || made.kernel == EBNN_VALUES)
        line = 0;
    else if (made.kernel == EBNN_MULTIPLY)
        line = ebnn_model_factors(&conv->filters);
    else if (made.kernel == EBNN_DEPTHWISE)
        line = taps / place->channels;
    else if (made.kernel == EBNN_DEPTHWISE_BITS)
        line = (taps / place->channels + 7u) / 8u;
    else
        line = (uint32_t)conv->filters.words * 4u;
    if (ebnn_model_times(line, outputs) > EBNN_MODEL_MOST_BYTES || made.weight_bytes > arrays)
        return EBNN_MODEL_ERR_CONTENT;
    arrays -= (uint32_t)made.weight_bytes;
    if (made.flags & EBNN_MODEL_FLIPS) {
        const uint32_t flips = (outputs + 31u) / 32u * 4u;

        if (flips > arrays)
            return EBNN_MODEL_ERR_CONTENT;
        arrays -= flips;
    }

    scratch = 0;
#if EBNN_MODEL_KERNELS & EBNN_MODEL_COLUMNS
    if (made.kernel == EBNN_CONV_COLUMNS && (arrays < 4u || !ebnn_model_columns_fit(&made, arrays, &scratch)))
        return EBNN_MODEL_ERR_CONTENT;
#endif
#if EBNN_MODEL_KERNELS & EBNN_MODEL_TABLES
    if (made.kernel == EBNN_CONV_TABLE && !ebnn_model_tables_fit(&made, place->bytes, arrays, &scratch))
        return EBNN_MODEL_ERR_CONTENT;
#endif
    if (made.kernel == EBNN_CONV_COLUMNS || made.kernel == EBNN_CONV_TABLE)
        arrays = 0;
    else if (made.kernel == EBNN_CONV_FLOAT || made.kernel == EBNN_DENSE_FLOAT)
        arrays = arrays == 20u * outputs ? 0u : 1u;
    else if (end == EBNN_MODEL_SIGNS)
        arrays = arrays == (outputs * conv->filters.threshold_bytes + 3u) / 4u * 4u ? 0u : 1u;
    else if (end == EBNN_MODEL_SCORES)
        arrays = arrays == (outputs + 1u) / 2u * 4u + 4u * outputs ? 0u : 1u;
    else
        arrays = arrays == (end == EBNN_MODEL_WIDE ? 4u * outputs : (outputs + 1u) / 2u * 4u) + 4u * outputs +
                               (outputs + 3u) / 4u * 4u
                     ? 0u
                     : 1u;
    if (arrays != 0u)
        return EBNN_MODEL_ERR_CONTENT;
    if ((end == EBNN_MODEL_NARROW && !ebnn_model_shifts_fit(made.layer.shifts, conv->filters.outputs, 16, 47)) ||
        (end == EBNN_MODEL_WIDE && !ebnn_model_shifts_fit(made.layer.shifts, conv->filters.outputs, 16, 62)))
        return EBNN_MODEL_ERR_CONTENT;

    /* Input, scratch and output side by side. */
    if (made.kernel == EBNN_CONV_FLOAT && place->kind == EBNN_FLOAT)
        scratch = 4u * taps;
    else if (made.kernel <= EBNN_CONV_SUMS || made.kernel == EBNN_CONV_FLOAT)
        scratch = place->kind == EBNN_BITS
                      ? (uint32_t)conv->filters.words * (conv->kernel_rows.pad || conv->kernel_columns.pad ? 8u : 4u)
                      : (taps + 3u) / 4u * 4u;
    else if (made.kernel >= EBNN_MULTIPLY)
        scratch = 4u * outputs * (EBNN_PATCHES + (made.flags & EBNN_MODEL_POOLS ? 1u : 0u)) +
                  EBNN_PATCHES * (uint32_t)made.layer.room;
    if (scratch > EBNN_MODEL_MOST_BYTES || place->bytes + made.out_bytes > EBNN_MODEL_MOST_BYTES ||
        place->bytes + made.out_bytes + scratch > model->arena_bytes)
        return EBNN_MODEL_ERR_CONTENT;
    ebnn_model_step(place, &made);
    return EBNN_MODEL_OK;
}

#endif
