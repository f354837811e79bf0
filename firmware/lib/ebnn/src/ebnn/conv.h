/*
 * A convolution of integers, its patch gathered, that ends in one comparison per output. Max-pooling is an OR of the
 * comparisons in the window.
 */
#ifndef EBNN_CONV_H
#define EBNN_CONV_H

#include "compare.h"
#include "window.h"

/*
 * One convolution block. For each output pixel and each position of its pooling window the patch is gathered once and
 * compared under every filter.
 * input: of the filters' kind; output: out_h rows of bits, up to a whole word; scratch: word-aligned room for a patch,
 * bits with their mask where they are padded. None overlap.
 */
EBNN_KERNEL void ebnn_conv(const ebnn_conv_t *in_flash, ebnn_gather_t gather, ebnn_compare_t compare,
                           const uint8_t *input, uint8_t *output, uint8_t *scratch)
{
    struct {
        ebnn_overlap_t at;
        ebnn_range_t rows, columns; /* of the pool */
        ebnn_conv_t conv;
    } now;
    uint8_t *mask;
    uint16_t y, x, my, mx;
    uint16_t row = 0xFFFFu; /* where now.at.rows is */

    EBNN_READ_BLOCK(&now.conv, in_flash, sizeof now.conv);
    mask = scratch + 4u * now.conv.filters.words;
    memset(output, 0, ebnn_whole_words((size_t)now.conv.out_h * now.conv.out_row_bytes));
    if (now.conv.filters.kind == EBNN_BITS)
        memset(scratch, 0, 4u * now.conv.filters.words); /* behind the taps it stays */
    for (y = 0; y != now.conv.out_h; y++, output += now.conv.out_row_bytes) {
        uint16_t bit = 0; /* of the first output of this pixel */

        ebnn_meet(&now.conv.pool_rows, y, &now.rows);
        for (x = 0; x != now.conv.out_w; x++, bit = (uint16_t)(bit + now.conv.filters.outputs)) {
            const ebnn_place_t place = ebnn_place(output, bit);

            ebnn_meet(&now.conv.pool_columns, x, &now.columns);
            for (my = now.rows.begin; my < now.rows.end; my++) {
                if (my != row) {
                    ebnn_meet(&now.conv.kernel_rows, my, &now.at.rows);
                    row = my;
                }
                for (mx = now.columns.begin; mx < now.columns.end; mx++) {
                    uint16_t inside;

                    ebnn_meet(&now.conv.kernel_columns, mx, &now.at.columns);
                    inside = gather(&now.conv, input, &now.at, scratch);
                    compare(&now.conv.filters, scratch, inside == now.conv.filters.taps ? NULL : mask, inside, place);
                }
            }
            ebnn_apply_flips(place, now.conv.flips, now.conv.filters.outputs);
        }
    }
}

#endif
