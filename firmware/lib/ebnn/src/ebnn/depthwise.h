/*
 * Sums of each channel alone: of a depthwise convolution, or of no weights.
 */
#ifndef EBNN_DEPTHWISE_H
#define EBNN_DEPTHWISE_H

#include "integer.h"

EBNN_INLINE int16_t ebnn_byte_value(const ebnn_filters_t *filters, uint8_t byte)
{
    return filters->kind == EBNN_UINT8 ? (int16_t)byte : (int16_t)(int8_t)byte;
}

/* Weights of 8 bits, tap after tap, the filters of each side by side. Values are bytes; bits are −1, 0 and +1. */
EBNN_KERNEL void ebnn_depthwise(const ebnn_integer_t *layer, const ebnn_patch_t *patches, uint8_t count, int32_t *sums)
{
    const ebnn_filters_t *filters = &layer->conv.filters;
    const uint16_t in_c = layer->conv.in_c;
    const uint16_t each = (uint16_t)(filters->outputs / in_c);

    for (; count > 0u; count--, patches++, sums += filters->outputs) {
        const uint8_t *values = patches->values, *end = values + filters->taps;
        const uint8_t *weights = (const uint8_t *)filters->weights;

        memset(sums, 0, sizeof *sums * filters->outputs);
        while (values != end) { /* one place of the kernel */
            int32_t *sum = sums;
            uint16_t c, i;

            for (c = 0; c < in_c; c++) {
                const int16_t value = ebnn_byte_value(filters, *values++);

                for (i = 0; i < each; i++)
                    *sum++ += (int32_t)value * (int8_t)EBNN_READ_U8(weights++);
            }
        }
    }
}

/* Weights of ±1 in the same order, as one stream of bits. */
EBNN_KERNEL void ebnn_depthwise_bits(const ebnn_integer_t *layer, const ebnn_patch_t *patches, uint8_t count,
                                     int32_t *sums)
{
    const ebnn_filters_t *filters = &layer->conv.filters;
    const uint16_t in_c = layer->conv.in_c;
    const uint16_t each = (uint16_t)(filters->outputs / in_c);

    for (; count > 0u; count--, patches++, sums += filters->outputs) {
        const uint8_t *values = patches->values, *end = values + filters->taps;
        const uint8_t *weights = (const uint8_t *)filters->weights;
        uint8_t byte = 0, left = 0;

        memset(sums, 0, sizeof *sums * filters->outputs);
        while (values != end) { /* one place of the kernel */
            int32_t *sum = sums;
            uint16_t c, i;

            for (c = 0; c < in_c; c++) {
                const int16_t value = ebnn_byte_value(filters, *values++);

                for (i = 0; i < each; i++, sum++, left--, byte = (uint8_t)(byte >> 1)) {
                    if (left == 0u) {
                        byte = EBNN_READ_U8(weights++);
                        left = 8;
                    }
                    *sum += byte & 1u ? value : -value;
                }
            }
        }
    }
}

/* No weights: a patch is one place of the input. */
EBNN_KERNEL void ebnn_values(const ebnn_integer_t *layer, const ebnn_patch_t *patches, uint8_t count, int32_t *sums)
{
    const ebnn_filters_t *filters = &layer->conv.filters;
    uint16_t c;

    for (; count > 0u; count--, patches++)
        for (c = 0; c < filters->outputs; c++)
            *sums++ = ebnn_byte_value(filters, patches->values[c]);
}

#endif
