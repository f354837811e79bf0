/*
 * Sums of values times weights of ±1.
 */
#ifndef EBNN_ADD_H
#define EBNN_ADD_H

#include "integer.h"

/* Bits, or bytes. */
EBNN_KERNEL void ebnn_add(const ebnn_integer_t *layer, const ebnn_patch_t *patches, uint8_t count, int32_t *sums)
{
    const ebnn_filters_t *filters = &layer->conv.filters;

    for (; count > 0u; count--, patches++) {
        const int32_t total = ebnn_input_total(filters, patches->values);
        const uint32_t *weights = filters->weights;
        uint16_t f;

        for (f = 0; f < filters->outputs; f++, weights += filters->words)
            *sums++ = ebnn_dot(filters, patches->values, patches->mask, patches->inside, total, weights);
    }
}

#endif
