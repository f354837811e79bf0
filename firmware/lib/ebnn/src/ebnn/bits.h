/*
 * Bits in memory: bit i of a stream is bit i % 8 of byte i / 8. A stored 1 means +1, padding is 0.
 */
#ifndef EBNN_BITS_H
#define EBNN_BITS_H

#include "port.h"

#if defined(__AVR__)

/* Ones in each byte, in flash, where the low half of an address is the byte. */
static const uint8_t ebnn_ones[256] EBNN_FLASH __attribute__((aligned(256))) = {
#define EBNN_ONES_4(n) (n), (n) + 1, (n) + 1, (n) + 2
#define EBNN_ONES_16(n) EBNN_ONES_4(n), EBNN_ONES_4((n) + 1), EBNN_ONES_4((n) + 1), EBNN_ONES_4((n) + 2)
#define EBNN_ONES_64(n) EBNN_ONES_16(n), EBNN_ONES_16((n) + 1), EBNN_ONES_16((n) + 1), EBNN_ONES_16((n) + 2)
    EBNN_ONES_64(0), EBNN_ONES_64(1), EBNN_ONES_64(1), EBNN_ONES_64(2)
#undef EBNN_ONES_4
#undef EBNN_ONES_16
#undef EBNN_ONES_64
};

/* Ones in a byte. */
EBNN_INLINE uint8_t ebnn_popcount8(uint8_t x)
{
    return EBNN_READ_U8(ebnn_ones + x);
}

/* Ones in a word. */
EBNN_INLINE uint8_t ebnn_popcount32(uint32_t x)
{
    return (uint8_t)(ebnn_popcount8((uint8_t)x) + ebnn_popcount8((uint8_t)(x >> 8)) +
                     ebnn_popcount8((uint8_t)(x >> 16)) + ebnn_popcount8((uint8_t)(x >> 24)));
}

#else

/* Ones in a byte. */
EBNN_INLINE uint8_t ebnn_popcount8(uint8_t x)
{
    x = (uint8_t)(x - ((x >> 1) & 0x55));
    x = (uint8_t)((x & 0x33) + ((x >> 2) & 0x33));
    return (uint8_t)((x + (x >> 4)) & 0x0F);
}

/* Ones in a word: sums of 2, 4 and 8 bits in place, then all four bytes added by one multiplication. */
EBNN_INLINE uint8_t ebnn_popcount32(uint32_t x)
{
    x = x - ((x >> 1) & 0x55555555ul);
    x = (x & 0x33333333ul) + ((x >> 2) & 0x33333333ul);
    x = (x + (x >> 4)) & 0x0F0F0F0Ful;
    return (uint8_t)((x * 0x01010101ul) >> 24);
}

#endif

/* A word in RAM, word-aligned. */
EBNN_INLINE uint32_t ebnn_load_word(const uint8_t *aligned)
{
    uint32_t word;

    memcpy(&word, EBNN_WORD_ALIGNED(aligned), 4u);
    return word;
}

/* Bit `at` of a stream. */
EBNN_INLINE uint8_t ebnn_get_bit(const uint8_t *bits, uint16_t at)
{
    return (uint8_t)((bits[at / 8u] >> (at % 8u)) & 1);
}

/* Turns bit `at` of a stream over. */
EBNN_INLINE void ebnn_flip_bit(uint8_t *bits, uint16_t at)
{
    bits[at / 8u] = (uint8_t)(bits[at / 8u] ^ (1u << (at % 8u)));
}

/* ORs `count` bits of `from`, starting at bit `from_at`, into `to`, starting at bit `to_at`, whose bits are 0. */
EBNN_INLINE void ebnn_copy_bits(uint8_t *to, uint16_t to_at, const uint8_t *from, uint16_t from_at, uint16_t count)
{
    if ((to_at | from_at | count) % 8u == 0u) { /* channels in whole bytes */
        memcpy(to + to_at / 8u, from + from_at / 8u, count / 8u);
        return;
    }
    while (count > 0) {
        const uint8_t to_bit = (uint8_t)(to_at % 8u);
        const uint8_t from_bit = (uint8_t)(from_at % 8u);
        const uint8_t room = (uint8_t)(8u - (to_bit > from_bit ? to_bit : from_bit)); /* both bytes hold this many */
        const uint8_t take = (uint8_t)(count < room ? count : room);
        const uint8_t ones = (uint8_t)((1u << take) - 1u);
        const uint8_t chunk = (uint8_t)((from[from_at / 8u] >> from_bit) & ones);

        to[to_at / 8u] = (uint8_t)(to[to_at / 8u] | (chunk << to_bit));
        to_at = (uint16_t)(to_at + take);
        from_at = (uint16_t)(from_at + take);
        count = (uint16_t)(count - take);
    }
}

/* Sets `count` bits of `to` from bit `at` on. */
EBNN_INLINE void ebnn_set_bits(uint8_t *to, uint16_t at, uint16_t count)
{
    while (count > 0) {
        const uint8_t bit = (uint8_t)(at % 8u);
        const uint8_t room = (uint8_t)(8u - bit);
        const uint8_t take = (uint8_t)(count < room ? count : room);

        to[at / 8u] = (uint8_t)(to[at / 8u] | (((1u << take) - 1u) << bit));
        at = (uint16_t)(at + take);
        count = (uint16_t)(count - take);
    }
}

#endif
