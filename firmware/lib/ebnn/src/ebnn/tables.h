/*
 * A convolution of bits with few taps by truth tables: the patch of an input, read as a number, is the place of the
 * output bits of all filters. Thresholds are in the tables, which lie behind conv->table, after their plan.
 *
 * A row of input is one stream of bits, a pixel's channels side by side. A patch is numbered from its leftmost such
 * column of bits to the rightmost, within a column from the topmost row down: the first is bit 0. An entry takes
 * ⌈out_c / 8⌉ bytes. Where the kernel overhangs the image, fewer taps make a smaller table. Before each table
 * stands its highest index, 2 bytes. They lie in the order of their first use: rows of the map from the top, in each
 * from the right.
 */
#ifndef EBNN_TABLES_H
#define EBNN_TABLES_H

#include "window.h"

/*
 * Neighbouring positions of a window, with the same part of it inside. Of the kernel along a row of the map, from the
 * right, in bits of a row of input; along a column, from the top, in bytes of input; of the pooling window along a row,
 * from the left, in bytes of entries.
 */
typedef struct {
    uint16_t first; /* how far the window moves from the run before */
    uint16_t step;  /* from one position to the next */
    uint16_t size;  /* bits of a row, rows (+ 256 where other tables begin), or entries inside */
    uint16_t count; /* positions */
} ebnn_run_t;

/*
 * What stands before the tables: this; the runs of the kernel along a row, of the pooling window along a row, of the
 * kernel along a column; and for each row of the map in a pooling window a byte: how many windows begin with it, and,
 * × 16, how many end. Lies in flash.
 */
typedef struct {
    uint16_t tables; /* bytes from here to the tables */
    uint16_t rows;   /* of the map, in a pooling window */
    uint16_t in_row_bytes;
    uint16_t end; /* bytes of a row of input up to the first run of the kernel */
    uint16_t out_row_bytes;
    uint16_t slot_bytes;    /* of a row's entries, whole words; they are from right to left */
    uint16_t slots_bytes;   /* of as many slots as pooling windows overlap */
    uint16_t entries_bytes; /* used of a slot */
    uint8_t entry_bytes;
    uint8_t turn; /* 2 to the power of the bits in the last byte of an entry; 0 where they fill it */
    uint8_t kernel_runs;
    uint8_t pool_runs;
} ebnn_plan_t;

/* A row of the output in the making. */
typedef struct {
    uint8_t *row;         /* its next byte */
    const uint8_t *flips; /* in flash: bits of the outputs that are turned over, or NULL */
    uint8_t entry_bytes;
    uint8_t turn;    /* of the plan */
    uint8_t place;   /* 2 to the power of the next bit's place in its byte */
    uint8_t pending; /* the bits before it */
} ebnn_pooling_t;

/* Copies two bytes; the builtin, as without a C library (-ffreestanding) memcpy is a call, and takes 20
 * instructions. */
#if defined(__GNUC__)
#define EBNN_COPY_PAIR(to, from) __builtin_memcpy((to), (from), 2u)
#else
#define EBNN_COPY_PAIR(to, from) memcpy((to), (from), 2u)
#endif

/* Two bytes at an even address. */
EBNN_INLINE uint16_t ebnn_load_pair(const uint8_t *even)
{
    uint16_t pair;

#if defined(__GNUC__)
    even = (const uint8_t *)__builtin_assume_aligned(even, 2);
#endif
    EBNN_COPY_PAIR(&pair, even);
    return pair;
}

EBNN_INLINE void ebnn_store_pair(uint8_t *even, uint16_t pair)
{
#if defined(__GNUC__)
    even = (uint8_t *)__builtin_assume_aligned(even, 2);
#endif
    EBNN_COPY_PAIR(even, &pair);
}

#if defined(__AVR__)
#include "tables_avr.h"
#else

/* Constants that are kept in registers, where a compiler would rather take each apart into what one instruction
 * holds. */
#if defined(__GNUC__)
#define EBNN_IN_REGISTER(constant) __asm__("" : "+r"(constant))
#else
#define EBNN_IN_REGISTER(constant)
#endif

/* A run of the kernel along a row of the map: columns of input as one stream of bits, read from right to left. */
typedef struct {
    const uint8_t *rows; /* of input, the topmost under the kernel */
    const uint8_t *table;
    uint8_t *to;     /* entries */
    uint32_t window; /* columns, the rightmost under the kernel highest */
    int have;        /* bits of it; below 0: so many of the next are right of the kernel */
    int height;      /* rows */
    int taps;
    int step;       /* bits of columns from one position to the next */
    unsigned count; /* positions */
    unsigned entry_bytes;
    uint16_t row_bytes;
    uint16_t at; /* bits of a row that were not read */
} ebnn_stream_t;

/*
 * Reads columns until `taps` bits are there: 8 of them at once where there are 3 rows or 1, else one after the other.
 * The bits of a byte are spread to every third in three steps, 2 or 3 operations each.
 */
EBNN_KERNEL void ebnn_read_columns(ebnn_stream_t *stream)
{
    const int height = stream->height;
    const int row_bytes = stream->row_bytes;

    if (stream->have <= 0)
        stream->window = 0;
    do {
        const int bits = height == 3 || height == 1 ? 8 * height : height;
        const unsigned at = (unsigned)stream->at - (bits == height ? 1u : 8u);

        stream->at = (uint16_t)at;
        if (stream->have > -bits) {
            const uint8_t *from = stream->rows + at / 8u;
            uint32_t columns;

            if (height == 3) {
                uint32_t fours = 0x00F00Ful, twos = 0x0C30C3ul, ones = 0x249249ul;
                uint32_t top = from[0], middle = from[row_bytes], bottom = from[2 * row_bytes];

                EBNN_IN_REGISTER(fours);
                EBNN_IN_REGISTER(twos);
                EBNN_IN_REGISTER(ones);
                top = (top | top << 8) & fours;
                middle = (middle | middle << 8) & fours;
                bottom = (bottom | bottom << 8) & fours;
                top = (top | top << 4) & twos;
                middle = (middle | middle << 4) & twos;
                bottom = (bottom | bottom << 4) & twos;
                top = (top | top << 2) & ones;
                middle = (middle | middle << 2) & ones;
                bottom = (bottom | bottom << 2) & ones;
                columns = top | middle << 1 | bottom << 2;
            } else if (height == 1) {
                columns = from[0];
            } else {
                int r;

                for (columns = 0, r = 0; r < height; r++, from += row_bytes)
                    columns |= (((uint32_t)*from >> (at % 8u)) & 1u) << r;
            }
            stream->window |= columns << (32 - bits - stream->have);
        }
        stream->have += bits;
    } while (stream->have < stream->taps);
}

/* ORs the entries of a run into those at `to`. */
EBNN_KERNEL void ebnn_look_up(ebnn_stream_t *stream)
{
    const uint8_t *table = stream->table;
    const int taps = stream->taps;
    const int step = stream->step;
    const int down = 31 - taps;
    uint8_t *to = stream->to;
    unsigned count = stream->count;
    int have = stream->have;
    uint32_t window = stream->window;

    for (;;) {
        uint32_t index;

        if (have < taps) {
            stream->window = window;
            stream->have = have;
            ebnn_read_columns(stream);
            window = stream->window;
            have = stream->have;
        }
        index = (window >> 1) >> down;
        if (stream->entry_bytes == 2u) {
            ebnn_store_pair(to, (uint16_t)(ebnn_load_pair(to) | EBNN_READ_U16((const void *)(table + 2u * index))));
            to += 2;
        } else {
            unsigned left = stream->entry_bytes;
            const uint8_t *from = table + index * left;

            do {
                *to = (uint8_t)(*to | EBNN_READ_U8(from++));
                to++;
            } while (--left > 0);
        }
        if (--count == 0)
            break;
        window <<= step;
        have -= step;
    }
    stream->to = to;
    stream->window = window;
    stream->have = have;
}

/*
 * ORs the entries of a row of the map into those at `to`, from the right end to the left.
 * rows: `height` rows of input under the kernel; table: the first. Returns where the tables for such rows end.
 */
EBNN_KERNEL const uint8_t *ebnn_table_row(const ebnn_plan_t *plan, const uint8_t *rows, uint8_t height,
                                          const uint8_t *table, uint8_t *to)
{
    const ebnn_run_t *run = (const ebnn_run_t *)(const void *)(plan + 1);
    const uint16_t row_bytes = EBNN_READ_U16(&plan->in_row_bytes);
    const uint16_t end = EBNN_READ_U16(&plan->end);
    const uint8_t entry_bytes = EBNN_READ_U8(&plan->entry_bytes);
    uint8_t runs = EBNN_READ_U8(&plan->kernel_runs);
    ebnn_stream_t stream;
    int size = 0;

    stream.rows = rows;
    stream.row_bytes = row_bytes;
    stream.at = (uint16_t)(end * 8u);
    stream.height = height;
    stream.entry_bytes = entry_bytes;
    stream.table = table;
    stream.to = to;
    stream.have = 0;
    stream.window = 0;

    for (; runs > 0; runs--, run++) {
        const uint16_t next_size = EBNN_READ_U16(&run->size);
        const int moved = (EBNN_READ_U16(&run->first) + size - next_size) * height; /* of the kernel's right end */

        size = next_size;
        stream.window <<= moved < 31 ? moved : 31;
        stream.have -= moved;
        stream.taps = size * height;
        stream.step = EBNN_READ_U16(&run->step) * height;
        stream.count = EBNN_READ_U16(&run->count);
        stream.table += 2;
        ebnn_look_up(&stream);
        stream.table += (size_t)entry_bytes << stream.taps;
    }
    return stream.table;
}

/* Pools entries of a run of windows into bits of a row. */
EBNN_INLINE const uint8_t *ebnn_pool_run(const uint8_t *from, const ebnn_run_t *run, ebnn_pooling_t *pooling)
{
    const uint16_t step = EBNN_READ_U16(&run->step);
    const uint8_t size = EBNN_READ_U8(&run->size);
    const uint8_t entry_bytes = pooling->entry_bytes, turn = pooling->turn;
    const uint8_t *flips = pooling->flips;
    unsigned count = EBNN_READ_U16(&run->count);
    unsigned now = pooling->place, before = pooling->pending, flip = 0;
    uint8_t *to = pooling->row;

    if (flips != NULL && entry_bytes == 2u)
        flip = EBNN_READ_U8(flips) | (unsigned)EBNN_READ_U8(flips + 1) << 8;
    for (;; from -= step) {
        const uint8_t *next = from;
        unsigned left = size, bits = 0;

        if (entry_bytes == 2u) {
            do {
                bits |= ebnn_load_pair(next);
                next += 2;
            } while (--left > 0);
            bits = (bits ^ flip) * now | before;
            *to++ = (uint8_t)bits;
            bits >>= 8;
            *to++ = (uint8_t)bits;
        } else {
            unsigned i;

            bits = before << 8;
            for (i = 0; i < entry_bytes; i++) {
                unsigned byte = 0;

                next = from + i;
                left = size;
                do {
                    byte |= *next;
                    next += entry_bytes;
                } while (--left > 0);
                if (flips != NULL)
                    byte ^= EBNN_READ_U8(flips + i);
                bits = byte * now | bits >> 8;
                *to++ = (uint8_t)bits;
            }
        }
        before = bits >> 8;
        if (turn != 0) { /* an entry ends within a byte */
            now *= turn;
            if (now > 0xFFu) {
                now >>= 8;
            } else {
                before = bits & 0xFFu;
                to--;
            }
        }
        if (--count == 0)
            break;
    }
    pooling->place = (uint8_t)now;
    pooling->pending = (uint8_t)before;
    pooling->row = to;
    return from;
}

#endif

/* Pools a row of entries, which hold the OR of a window's rows, and writes a row of output bits. */
EBNN_INLINE void ebnn_pool_entries(const ebnn_plan_t *plan, const ebnn_run_t *run, const uint8_t *flips,
                                   const uint8_t *from, uint8_t *row)
{
    uint8_t runs = EBNN_READ_U8(&plan->pool_runs);
    ebnn_pooling_t pooling;

    pooling.row = row;
    pooling.flips = flips;
    pooling.entry_bytes = EBNN_READ_U8(&plan->entry_bytes);
    pooling.turn = EBNN_READ_U8(&plan->turn);
    pooling.place = 1;
    pooling.pending = 0;
    from += EBNN_READ_U16(&plan->entries_bytes);
    for (; runs > 0; runs--, run++) {
        from -= EBNN_READ_U16(&run->first);
        from = ebnn_pool_run(from, run, &pooling);
    }
    if (pooling.place != 1u)
        *pooling.row = pooling.pending;
}

/*
 * One convolution block of bits by truth tables. Every position of the map is looked up once: a row's entries are ORed
 * into the slot of the last pooling window that has begun, and at its end a window takes the slots of those after it.
 * input: rows of bits; output: rows of bits; scratch: word-aligned, plan->slots_bytes. None overlap.
 */
EBNN_KERNEL void ebnn_conv_table(const ebnn_conv_t *in_flash, const uint8_t *input, uint8_t *output, uint8_t *scratch)
{
    const uint8_t *const first = output;
    const ebnn_plan_t *plan;
    const ebnn_run_t *pool, *run; /* of the pooling window along a row, of the kernel along a column */
    const uint8_t *flips, *windows;
    const uint8_t *base, *after; /* tables of this run of rows, of the next */
    uint8_t *slot = scratch;     /* of the first window that has not ended */
    uint8_t *last, *end;         /* slot of the last window that has begun; end of all */
    uint16_t slot_bytes, rows;
    uint16_t left = 0, step = 0; /* rows of the run, bytes from row to row */
    uint8_t height = 0;          /* rows of input under the kernel */

    EBNN_READ_BLOCK(&plan, &in_flash->table, sizeof plan);
    EBNN_READ_BLOCK(&flips, &in_flash->flips, sizeof flips);
    pool = (const ebnn_run_t *)(const void *)(plan + 1) + EBNN_READ_U8(&plan->kernel_runs);
    run = pool + EBNN_READ_U8(&plan->pool_runs);
    base = after = (const uint8_t *)plan + EBNN_READ_U16(&plan->tables);
    rows = EBNN_READ_U16(&plan->rows);
    windows = base - rows;
    slot_bytes = EBNN_READ_U16(&plan->slot_bytes);
    end = scratch + EBNN_READ_U16(&plan->slots_bytes);
    last = end - slot_bytes;
    for (; rows > 0; rows--, windows++) {
        uint16_t at;
        uint8_t i;

        for (i = (uint8_t)(EBNN_READ_U8(windows) & 15u); i > 0; i--) {
            last += slot_bytes;
            if (last == end)
                last = scratch;
            for (at = 0; at < slot_bytes; at = (uint16_t)(at + 4u))
                ebnn_store_word(last + at, 0);
        }
        if (left == 0) {
            const uint16_t size = EBNN_READ_U16(&run->size);

            input += EBNN_READ_U16(&run->first);
            step = EBNN_READ_U16(&run->step);
            left = EBNN_READ_U16(&run->count);
            run++;
            height = (uint8_t)size;
            if (size > 0xFFu)
                base = after;
        } else {
            input += step;
        }
        left--;
        after = ebnn_table_row(plan, input, height, base, last);
        for (i = (uint8_t)(EBNN_READ_U8(windows) >> 4); i > 0; i--) {
            uint8_t *other = slot;

            while (other != last) {
                other += slot_bytes;
                if (other == end)
                    other = scratch;
                for (at = 0; at < slot_bytes; at = (uint16_t)(at + 4u)) {
                    const uint32_t both = ebnn_load_word(slot + at) | ebnn_load_word(other + at);

                    ebnn_store_word(slot + at, both);
                }
            }
            ebnn_pool_entries(plan, pool, flips, slot, output);
            output += EBNN_READ_U16(&plan->out_row_bytes);
            slot += slot_bytes;
            if (slot == end)
                slot = scratch;
        }
    }
    ebnn_fill_word(first, output);
}

#endif
