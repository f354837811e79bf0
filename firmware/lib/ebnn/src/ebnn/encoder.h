/*
 * Encoders: raw samples, a sensor's numbers, become a network's input. A raw sample is row after row, pixel after
 * pixel, channels side by side; in time that is reading after reading. The same bits come out on every core: subnormal
 * floats, a fused multiplication, or a compiler that takes NaN for impossible change none.
 */
#ifndef EBNN_ENCODER_H
#define EBNN_ENCODER_H

#include "port.h"

/* What raw values are, and where they lie. */
#define EBNN_RAW_FLOAT 0u
#define EBNN_RAW_INT16 1u
#define EBNN_RAW_IN_FLASH 2u /* added to either */

/* Raw value `at` as a float. */
EBNN_INLINE float ebnn_raw_float(const void *raw, size_t at, uint8_t type)
{
    if (type & EBNN_RAW_INT16) {
        const int16_t *value = (const int16_t *)raw + at;

        return (float)(type & EBNN_RAW_IN_FLASH ? (int16_t)EBNN_READ_U16(value) : *value);
    } else {
        const float *value = (const float *)raw + at;

        return type & EBNN_RAW_IN_FLASH ? EBNN_READ_FLOAT(value) : *value;
    }
}

/* A float as an integer of the same order: of two numbers the larger has the larger rank, 0 and -0 have one, NaN has
 * the least. */
EBNN_INLINE int32_t ebnn_rank(float x)
{
    uint32_t bits;
    int32_t magnitude;

    memcpy(&bits, &x, sizeof bits);
    magnitude = (int32_t)(bits & 0x7FFFFFFFul);
    if (magnitude > 0x7F800000l)
        return -0x7FFFFFFFl;
    return (bits & 0x80000000ul) != 0u ? -magnitude : magnitude;
}

/* The rank of raw value `at`: of an int16_t, itself. */
EBNN_INLINE int32_t ebnn_raw_rank(const void *raw, size_t at, uint8_t type)
{
    if (type & EBNN_RAW_INT16) {
        const int16_t *value = (const int16_t *)raw + at;

        return type & EBNN_RAW_IN_FLASH ? (int16_t)EBNN_READ_U16(value) : *value;
    }
    return ebnn_rank(ebnn_raw_float(raw, at, type));
}

/* How many whole steps of its channel a value lies above the offset, 0 to 255. channel: offset and scale, in flash. */
EBNN_INLINE uint8_t ebnn_steps(float x, const float *channel)
{
    volatile float difference; /* rounded before it is multiplied */
    float steps;

    if (ebnn_rank(x) == -0x7FFFFFFFl)
        return 0;
    difference = x - EBNN_READ_FLOAT(channel);
    steps = difference * EBNN_READ_FLOAT(channel + 1);
    if (!(steps >= 1.0f))
        return 0;
    if (steps >= 255.0f)
        return 255;
    return (uint8_t)steps;
}

/*
 * Encodes `pixels` pixels in equal steps for each channel.
 * steps: offset and scale of each channel, in flash; low: what a step of 0 becomes, as a byte; raw: pixels × channels
 * values of `type`, not in `input`; input: as many bytes.
 */
EBNN_INLINE void ebnn_encode_affine(const float *steps, uint16_t channels, uint8_t low, const void *raw, uint8_t type,
                                    size_t pixels, uint8_t *input)
{
    size_t at = 0;
    uint16_t c;

    for (; pixels > 0; pixels--)
        for (c = 0; c < channels; c++, at++)
            input[at] = (uint8_t)(ebnn_steps(ebnn_raw_float(raw, at, type), steps + 2u * c) + low);
}

/* Encodes raw value `at` of a sample to its place in `input`; the rest as above. raw: the one value. */
EBNN_INLINE void ebnn_encode_affine_value(const float *steps, uint16_t channels, uint8_t low, const void *raw,
                                          uint8_t type, size_t at, uint8_t *input)
{
    input[at] = (uint8_t)(ebnn_steps(ebnn_raw_float(raw, 0, type), steps + 2u * (at % channels)) + low);
}

/*
 * Encodes rows of pixels as bits: for each channel one for each of its thresholds, 1 where the value reaches it.
 * thresholds: ranks of channels × levels, in flash; raw: rows × columns × channels values of `type`; input: rows of
 * bits, each of whole bytes.
 */
EBNN_INLINE void ebnn_encode_thermometer(const int32_t *thresholds, uint16_t channels, uint16_t levels, const void *raw,
                                         uint8_t type, uint16_t rows, uint16_t columns, uint8_t *input)
{
    size_t at = 0;
    uint16_t x, c, level;

    for (; rows > 0; rows--) {
        uint8_t byte = 0, bit = 1;

        for (x = 0; x < columns; x++) {
            const int32_t *threshold = thresholds;

            for (c = 0; c < channels; c++, at++) {
                const int32_t rank = ebnn_raw_rank(raw, at, type);

                for (level = 0; level < levels; level++, threshold++) {
                    if (rank >= (int32_t)EBNN_READ_U32(threshold))
                        byte = (uint8_t)(byte | bit);
                    bit = (uint8_t)(bit << 1);
                    if (bit == 0u) {
                        *input++ = byte;
                        byte = 0;
                        bit = 1;
                    }
                }
            }
        }
        if (bit != 1u)
            *input++ = byte;
    }
}

/* Encodes raw value `at` of a sample to its bits in `input`, when those before it are encoded; the rest as above.
 * raw: the one value. */
EBNN_INLINE void ebnn_encode_thermometer_value(const int32_t *thresholds, uint16_t channels, uint16_t levels,
                                               const void *raw, uint8_t type, uint16_t columns, size_t at,
                                               uint8_t *input)
{
    const int32_t rank = ebnn_raw_rank(raw, 0, type);
    const int32_t *threshold = thresholds + at % channels * levels;
    const size_t values = (size_t)columns * channels; /* of a row */
    const size_t first = at % values * levels;        /* of its bits in the row */
    uint8_t bit = (uint8_t)(1u << (first % 8u));
    uint16_t level;

    input += at / values * ((values * levels + 7u) / 8u) + first / 8u;
    for (level = 0; level < levels; level++, threshold++) {
        if (bit == 1u)
            *input = 0;
        if (rank >= (int32_t)EBNN_READ_U32(threshold))
            *input = (uint8_t)(*input | bit);
        bit = (uint8_t)(bit << 1);
        if (bit == 0u) {
            input++;
            bit = 1;
        }
    }
}

#endif
