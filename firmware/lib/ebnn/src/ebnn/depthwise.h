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

/* Sums of four channels side by side, under a filter each; the next tap is `step` bytes further. */
EBNN_PART void ebnn_depthwise_four(const uint8_t *values, const uint8_t *weights, uint16_t step, size_t taps,
                                   uint8_t is_signed, int32_t *sums)
{
    int32_t a = 0, b = 0, c = 0, d = 0;

    do {
        a += (is_signed ? (int8_t)values[0] : (int16_t)values[0]) * (int32_t)(int8_t)EBNN_READ_U8(weights);
        b += (is_signed ? (int8_t)values[1] : (int16_t)values[1]) * (int32_t)(int8_t)EBNN_READ_U8(weights + 1);
        c += (is_signed ? (int8_t)values[2] : (int16_t)values[2]) * (int32_t)(int8_t)EBNN_READ_U8(weights + 2);
        d += (is_signed ? (int8_t)values[3] : (int16_t)values[3]) * (int32_t)(int8_t)EBNN_READ_U8(weights + 3);
        values += step;
        weights += step;
    } while (--taps > 0u);
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

/* Of values of 0 to 255. */
EBNN_KERNEL void ebnn_depthwise_four_unsigned(const uint8_t *values, const uint8_t *weights, uint16_t step, size_t taps,
                                              int32_t *sums)
{
    ebnn_depthwise_four(values, weights, step, taps, 0, sums);
}

/* Of values of −128 to 127. */
EBNN_KERNEL void ebnn_depthwise_four_signed(const uint8_t *values, const uint8_t *weights, uint16_t step, size_t taps,
                                            int32_t *sums)
{
    ebnn_depthwise_four(values, weights, step, taps, 1, sums);
}

/* Sums of channels from one on, each under its filters. */
EBNN_INLINE void ebnn_depthwise_any(const ebnn_filters_t *filters, uint16_t in_c, uint16_t from, const uint8_t *values,
                                    int32_t *sums)
{
    const uint16_t each = (uint16_t)(filters->outputs / in_c), rest = (uint16_t)((in_c - from) * each);
    const uint8_t *const end = values + filters->taps;
    const uint8_t *weights = (const uint8_t *)filters->weights;

    memset(sums + filters->outputs - rest, 0, sizeof *sums * rest);
    while (values != end) { /* one place of the kernel */
        int32_t *sum = sums + filters->outputs - rest;
        uint16_t c, i;

        values += from;
        weights += filters->outputs - rest;
        for (c = from; c < in_c; c++) {
            const int16_t value = ebnn_byte_value(filters, *values++);

            for (i = 0; i < each; i++)
                *sum++ += (int32_t)value * (int8_t)EBNN_READ_U8(weights++);
        }
    }
}

/*
 * Weights of 8 bits, tap after tap, the filters of each side by side. Values are bytes; bits are −1, 0 and +1. Where
 * each channel has one filter, four are taken at a time.
 */
EBNN_KERNEL void ebnn_depthwise(const ebnn_integer_t *layer, const ebnn_patch_t *patches, uint8_t count, int32_t *sums)
{
    const ebnn_filters_t *filters = &layer->conv.filters;
    const uint16_t in_c = layer->conv.in_c;
    const size_t taps = filters->taps / in_c;
    void (*const four)(const uint8_t *, const uint8_t *, uint16_t, size_t, int32_t *) =
        filters->kind == EBNN_UINT8 ? ebnn_depthwise_four_unsigned : ebnn_depthwise_four_signed;

    for (; count > 0u; count--, patches++, sums += filters->outputs) {
        const uint8_t *weights = (const uint8_t *)filters->weights;
        uint16_t c = 0;

        if (filters->outputs == in_c)
            for (; in_c - c >= 4; c = (uint16_t)(c + 4u))
                four(patches->values + c, weights + c, in_c, taps, sums + c);
        if (c != in_c)
            ebnn_depthwise_any(filters, in_c, c, patches->values, sums);
    }
}

/* Channels of `each` filters: adds or subtracts their values, place after place of the kernel; sums are 0. */
EBNN_PART void ebnn_depthwise_signs(const ebnn_filters_t *filters, uint16_t each, const uint8_t *values,
                                    uint8_t is_signed, int32_t *sums)
{
    const uint8_t *const end = values + filters->taps;
    const int32_t *const last = sums + filters->outputs;
    const uint8_t *weights = (const uint8_t *)filters->weights;
    uint8_t byte = 0, left = 0;

    while (values != end) { /* one place of the kernel */
        int32_t *sum = sums;

        do {
            const int16_t value = is_signed ? (int16_t)(int8_t)*values : (int16_t)*values;
            uint16_t i = each;

            values++;
            do {
                if (left == 0u) {
                    byte = EBNN_READ_U8(weights++);
                    left = 8;
                }
                if (byte & 1u)
                    *sum += value;
                else
                    *sum -= value;
                sum++;
                left--;
                byte = (uint8_t)(byte >> 1);
            } while (--i != 0u);
        } while (sum != last);
    }
}

#if EBNN_HAS_WORDS

/*
 * One filter for each channel, four channels side by side in a word: a value is turned over where its weight is −1,
 * which makes −1 − v of it, or 255 − v. channels: a multiple of four; places: to 255, so that sums fit 16 bits.
 */
EBNN_PART void ebnn_depthwise_words(const uint8_t *values, const uint8_t *weights, uint16_t channels, uint16_t places,
                                    uint8_t is_signed, int32_t *sums)
{
    uint16_t c;

    for (c = 0; c < channels; c = (uint16_t)(c + 4u), sums += 4) {
        const uint8_t *from = values + c;
        uint32_t bit = c, even = 0, odd = 0, turned = 0;
        uint16_t left = places;
        uint8_t i;

        do {
            const uint32_t four = ~((uint32_t)EBNN_READ_U8(weights + bit / 8u) >> (bit & 4u)) & 15u;
            const uint32_t ones = (four * (uint32_t)0x00204081ul) & (uint32_t)0x01010101ul; /* a bit to each byte */
            uint32_t word = ebnn_load_word(from) ^ ((ones << 8) - ones);

            if (is_signed)
                word ^= (uint32_t)0x80808080ul;
            even += word & (uint32_t)0x00FF00FFul;
            odd += (word >> 8) & (uint32_t)0x00FF00FFul;
            turned += ones;
            from += channels;
            bit += channels;
        } while (--left != 0u);
        for (i = 0; i < 4u; i++) {
            const int32_t sum = (int32_t)((i % 2u ? odd : even) >> (i / 2u * 16u) & 0xFFFFu);
            const int32_t count = (int32_t)(turned >> (8u * i) & 0xFFu);

            sums[i] = is_signed ? sum - 128 * (int32_t)places + count : sum - 255 * count;
        }
    }
}

/* Any number of channels, each alone. */
EBNN_PART void ebnn_depthwise_alone(const uint8_t *values, const uint8_t *weights, uint16_t channels, size_t places,
                                    uint8_t is_signed, int32_t *sums)
{
    uint16_t c;

    for (c = 0; c < channels; c++) {
        const uint8_t *from = values + c;
        size_t bit = c, left = places;
        int32_t sum = 0;

        do {
            const int32_t value = is_signed ? (int32_t)(int8_t)*from : (int32_t)*from;

            if (((uint32_t)EBNN_READ_U8(weights + bit / 8u) >> (bit % 8u)) & 1u)
                sum += value;
            else
                sum -= value;
            from += channels;
            bit += channels;
        } while (--left != 0u);
        *sums++ = sum;
    }
}

/* One filter for each channel. */
EBNN_PART void ebnn_depthwise_one(const ebnn_filters_t *filters, const uint8_t *values, uint8_t is_signed,
                                  int32_t *sums)
{
    const uint16_t channels = filters->outputs;
    const uint8_t *weights = (const uint8_t *)filters->weights;
    const size_t places = filters->taps / channels;

    if (channels % 4u == 0u && places <= 255u)
        ebnn_depthwise_words(values, weights, channels, (uint16_t)places, is_signed, sums);
    else
        ebnn_depthwise_alone(values, weights, channels, places, is_signed, sums);
}

#else

/* One filter for each channel. */
EBNN_PART void ebnn_depthwise_one(const ebnn_filters_t *filters, const uint8_t *values, uint8_t is_signed,
                                  int32_t *sums)
{
    memset(sums, 0, sizeof *sums * filters->outputs);
    ebnn_depthwise_signs(filters, 1, values, is_signed, sums);
}

#endif

/* The same of values of 0 to 255. */
EBNN_KERNEL void ebnn_depthwise_signs_unsigned(const ebnn_filters_t *filters, const uint8_t *values, int32_t *sums)
{
    ebnn_depthwise_one(filters, values, 0, sums);
}

/* Of values of −128 to 127. */
EBNN_KERNEL void ebnn_depthwise_signs_signed(const ebnn_filters_t *filters, const uint8_t *values, int32_t *sums)
{
    ebnn_depthwise_one(filters, values, 1, sums);
}

/* Weights of ±1 in the same order, as one stream of bits. */
EBNN_KERNEL void ebnn_depthwise_bits(const ebnn_integer_t *layer, const ebnn_patch_t *patches, uint8_t count,
                                     int32_t *sums)
{
    const ebnn_filters_t *filters = &layer->conv.filters;
    const uint16_t each = (uint16_t)(filters->outputs / layer->conv.in_c);

    for (; count > 0u; count--, patches++, sums += filters->outputs)
        if (each != 1u) {
            memset(sums, 0, sizeof *sums * filters->outputs);
            ebnn_depthwise_signs(filters, each, patches->values, filters->kind != EBNN_UINT8, sums);
        } else if (filters->kind == EBNN_UINT8) {
            ebnn_depthwise_signs_unsigned(filters, patches->values, sums);
        } else {
            ebnn_depthwise_signs_signed(filters, patches->values, sums);
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
