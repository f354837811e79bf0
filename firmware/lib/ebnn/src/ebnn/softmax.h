/*
 * Probabilities of integer scores, in integers: powers of two by eight roots of two, so that they are the same
 * everywhere and take no float.
 */
#ifndef EBNN_SOFTMAX_H
#define EBNN_SOFTMAX_H

#include "port.h"

#define EBNN_SURE 65535u       /* a probability of 1 */
#define EBNN_ROOTS_BYTES 16u   /* of flash */
#define EBNN_OCTAVE_STEPS 4352 /* 17 octaves of 256 steps: what is lower by as much is 0 */

/*
 * How a difference of scores becomes steps of 1/256 octave: (difference >> down) * multiplier >> shift. Beyond `most`
 * there are too many; `most` fits 16 bits when it is moved `down`.
 */
typedef struct {
    uint32_t most;
    uint16_t multiplier;
    uint8_t down;
    uint8_t shift;
} ebnn_octaves_t;

/* 2^16 times 2 to the power of -difference in octaves: 65,536 for no difference, down to 0. */
EBNN_KERNEL uint32_t ebnn_power(const ebnn_octaves_t *octaves, uint32_t difference)
{
    /* 2^16 times 2 to the power of -1/256, -2/256, -4/256 … -128/256 */
    static const uint16_t roots[8] EBNN_FLASH = {65359u, 65182u, 64830u, 64132u, 62757u, 60097u, 55109u, 46341u};
    uint32_t steps, power = 65536ul;
    uint8_t i;

    if (difference > octaves->most)
        return 0;
    steps = ((difference >> octaves->down) * octaves->multiplier) >> octaves->shift;
    if (steps >= EBNN_OCTAVE_STEPS)
        return 0;
    for (i = 0; i < 8u; i++)
        if ((steps >> i) & 1u)
            power = (power * EBNN_READ_OWN_U16(roots + i)) >> 16;
    return power >> (steps >> 8);
}

/* The largest score. */
EBNN_INLINE int32_t ebnn_largest(const int32_t *scores, uint8_t classes)
{
    int32_t largest = scores[0];
    uint8_t k;

    for (k = 1; k < classes; k++)
        if (scores[k] > largest)
            largest = scores[k];
    return largest;
}

/* The powers of all scores' differences from the largest, added up: 65,536 and more. */
EBNN_INLINE uint32_t ebnn_sum_of_powers(const ebnn_octaves_t *octaves, const int32_t *scores, uint8_t classes)
{
    const int32_t largest = ebnn_largest(scores, classes);
    uint32_t sum = 0;
    uint8_t k;

    for (k = 0; k < classes; k++)
        sum += ebnn_power(octaves, (uint32_t)largest - (uint32_t)scores[k]);
    return sum;
}

/* Writes the probability of each class, in 1/EBNN_SURE. */
EBNN_INLINE void ebnn_softmax(const ebnn_octaves_t *octaves, const int32_t *scores, uint8_t classes,
                              uint16_t *probabilities)
{
    const int32_t largest = ebnn_largest(scores, classes);
    const uint32_t sum = ebnn_sum_of_powers(octaves, scores, classes);
    uint8_t k;

    for (k = 0; k < classes; k++)
        probabilities[k] = (uint16_t)(ebnn_power(octaves, (uint32_t)largest - (uint32_t)scores[k]) * EBNN_SURE / sum);
}

/* The class of the largest score, the first of them, or `unknown` where its probability is less than `least`. */
EBNN_INLINE uint8_t ebnn_class_or_unknown(const ebnn_octaves_t *octaves, const int32_t *scores, uint8_t classes,
                                          uint16_t least, uint8_t unknown)
{
    const int32_t largest = ebnn_largest(scores, classes);
    uint8_t k = 0;

    if (65536ul * EBNN_SURE / ebnn_sum_of_powers(octaves, scores, classes) < least)
        return unknown;
    while (scores[k] != largest)
        k++;
    return k;
}

#endif
