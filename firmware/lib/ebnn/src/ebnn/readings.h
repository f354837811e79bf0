/*
 * Readings of a sensor as they come: a ring of the last ones, encoded, and when the network is to see them; and means
 * of what it then makes of them. A reading is a pixel of a row; it takes whole bytes in the ring.
 */
#ifndef EBNN_READINGS_H
#define EBNN_READINGS_H

#include "port.h"

/* Where a ring stands; all 0 before the first reading. */
typedef struct {
    uint32_t since; /* readings since the last window, or since the first reading */
    uint16_t next;  /* that the next reading replaces: the oldest, once the ring is full */
    uint8_t full;
} ebnn_ring_t;

/* Moves a ring of `window` readings on by one. Returns 1 where a window is due: when it is full for the first time,
 * then every `step` readings. */
EBNN_INLINE uint8_t ebnn_next_reading(ebnn_ring_t *ring, uint16_t window, uint32_t step)
{
    ring->next = (uint16_t)(ring->next + 1u);
    if (ring->next == window)
        ring->next = 0;
    ring->since++;
    if (ring->since < (ring->full ? step : (uint32_t)window))
        return 0;
    ring->since = 0;
    ring->full = 1;
    return 1;
}

/* Lays the readings of a full ring, the oldest first, into a row of an input. bytes: of the ring; next: its oldest;
 * bits: of a reading, those beyond them are 0. */
EBNN_INLINE void ebnn_lay_readings(const uint8_t *bytes, uint16_t next, uint16_t window, uint16_t bits, uint8_t *input)
{
    const uint16_t size = (uint16_t)((bits + 7u) / 8u);
    uint8_t byte = 0, used = 0;
    uint16_t i;

    for (i = 0; i < window; i++) {
        const uint8_t *from = bytes + (size_t)next * size;
        uint16_t left = bits;

        while (left > 0u) {
            const uint8_t taken = (uint8_t)(left < 8u ? left : 8u);
            const uint8_t value = *from++;

            byte = (uint8_t)(byte | (uint16_t)((uint16_t)value << used));
            used = (uint8_t)(used + taken);
            if (used >= 8u) {
                *input++ = byte;
                used = (uint8_t)(used - 8u);
                byte = (uint8_t)(value >> (taken - used));
            }
            left = (uint16_t)(left - taken);
        }
        next = (uint16_t)(next + 1u);
        if (next == window)
            next = 0;
    }
    if (used > 0u)
        *input = byte;
}

/* Averages scores over windows: each mean moves by a share of `windows` towards its score, which it then replaces. The
 * first scores, where `begun` is 0, are the means. Returns the class of the largest mean. No sum leaves an int32_t. */
EBNN_INLINE uint8_t ebnn_smooth(int32_t *means, uint8_t begun, int32_t *scores, uint8_t classes, uint8_t windows)
{
    uint8_t k, winner = 0;

    for (k = 0; k < classes; k++) {
        if (begun)
            scores[k] = means[k] - means[k] / windows + scores[k] / windows;
        means[k] = scores[k];
        if (scores[k] > scores[winner])
            winner = k;
    }
    return winner;
}

#endif
