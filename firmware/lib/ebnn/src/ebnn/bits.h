/*
 * Bits in memory: bit i of a stream is bit i % 8 of byte i / 8. A stored 1 means +1, padding is 0. Activations of
 * bits begin on a word and end in zeros up to a whole one.
 */
#ifndef EBNN_BITS_H
#define EBNN_BITS_H

#include "port.h"

#if defined(__AVR__)

#if defined(EBNN_ONES_IN_RAM)
#include <avr/io.h>

/*
 * Ones in each byte, where the low half of an address is the byte, read in 2 cycles: the last whole 256 bytes of RAM,
 * above the stack, so that nothing is lost to alignment. They are not in the sizes of .data and .bss.
 */
#define EBNN_RAM_OF_ONES 256
#define ebnn_ones ((const uint8_t *)((RAMEND + 1ul) / 256u * 256u - 256u))

/*
 * Before main, lets the stack begin below the table and fills it: ones of i = ones of i / 2 + its lowest bit. 2,562
 * cycles. Where a program's variables reach the table it stops here: it would count wrongly.
 */
__attribute__((naked, used, section(".init3"))) static void ebnn_fill_ones(void)
{
    __asm__ __volatile__("ldi r31, hi8(%0)\n\t"
                         "clr r30\n\t"
                         "ldi r24, 0xFF\n\t"
                         "ldi r25, hi8(%0 - 1)\n\t"
                         "out __SP_H__, r25\n\t"
                         "out __SP_L__, r24\n\t"
                         "ldi r26, lo8(__heap_start)\n\t"
                         "ldi r27, hi8(__heap_start)\n\t"
                         "cp r30, r26\n\t"
                         "cpc r31, r27\n"
                         "1:\n\t"
                         "brlo 1b\n\t"
                         "movw r26, r30\n\t"
                         "st Z+, __zero_reg__\n"
                         "1:\n\t"
                         "mov r26, r30\n\t"
                         "lsr r26\n\t"
                         "ld r24, X\n\t"
                         "adc r24, __zero_reg__\n\t"
                         "st Z, r24\n\t"
                         "inc r30\n\t"
                         "brne 1b"
                         :
                         : "i"(ebnn_ones));
}

#else

#define EBNN_RAM_OF_ONES 0

/* Ones in each byte, in flash, where the low half of an address is the byte. */
static const uint8_t ebnn_ones[256] EBNN_FLASH_PAGE = {
#define EBNN_ONES_4(n) (n), (n) + 1, (n) + 1, (n) + 2
#define EBNN_ONES_16(n) EBNN_ONES_4(n), EBNN_ONES_4((n) + 1), EBNN_ONES_4((n) + 1), EBNN_ONES_4((n) + 2)
#define EBNN_ONES_64(n) EBNN_ONES_16(n), EBNN_ONES_16((n) + 1), EBNN_ONES_16((n) + 1), EBNN_ONES_16((n) + 2)
    EBNN_ONES_64(0), EBNN_ONES_64(1), EBNN_ONES_64(1), EBNN_ONES_64(2)
#undef EBNN_ONES_4
#undef EBNN_ONES_16
#undef EBNN_ONES_64
};

#endif

/* Ones in a byte. */
EBNN_INLINE uint8_t ebnn_popcount8(uint8_t x)
{
#if defined(EBNN_ONES_IN_RAM)
    return ebnn_ones[x];
#else
    return EBNN_READ_OWN_U8(ebnn_ones + x);
#endif
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

/* `bytes` rounded up to whole words. */
EBNN_INLINE size_t ebnn_whole_words(size_t bytes)
{
    return (bytes + 3u) / 4u * 4u;
}

/* A word in RAM, word-aligned. */
EBNN_INLINE uint32_t ebnn_load_word(const uint8_t *aligned)
{
    uint32_t word;

    EBNN_COPY_WORD(&word, aligned);
    return word;
}

/* Stores a word in RAM, word-aligned. */
EBNN_INLINE void ebnn_store_word(uint8_t *aligned, uint32_t word)
{
    EBNN_COPY_WORD_TO(aligned, &word);
}

/* Zeros from `end` up to a whole word since `begin`. */
EBNN_INLINE void ebnn_fill_word(const uint8_t *begin, uint8_t *end)
{
    while ((size_t)(end - begin) % 4u != 0u)
        *end++ = 0;
}

/* Turns bit `at` of a stream over. */
EBNN_INLINE void ebnn_flip_bit(uint8_t *bits, uint16_t at)
{
    bits[at / 8u] = (uint8_t)(bits[at / 8u] ^ (1u << (at % 8u)));
}

/*
 * ORs `count` bits of `from`, starting at bit `from_at`, into `to`, starting at bit `to_at`, whose bits are 0. Each
 * byte is moved to its place by one multiplication: 8-bit cores shift by one place at a time.
 */
EBNN_INLINE void ebnn_copy_bits(uint8_t *to, uint16_t to_at, const uint8_t *from, uint16_t from_at, uint16_t count)
{
    const uint8_t to_bit = (uint8_t)(to_at % 8u);
    const uint8_t from_bit = (uint8_t)(from_at % 8u);
    const uint8_t scale = (uint8_t)(1u << ((uint8_t)(to_bit - from_bit) % 8u));
    uint16_t left = (uint16_t)(count + from_bit); /* bits of `from`, from its first byte's lowest on */
    uint8_t byte, carry = 0;
    uint8_t nothing = to_bit < from_bit; /* in the low half of the first product */

    if (count == 0u)
        return;
    from += from_at / 8u;
    to += to_at / 8u;
    byte = (uint8_t)(*from & (0xFFu << from_bit));
    for (;;) {
        uint16_t moved;

        if (left < 8u)
            byte = (uint8_t)(byte & ((1u << left) - 1u));
        moved = (uint16_t)((uint16_t)((uint16_t)byte * scale) | carry);
        if (!nothing) {
            *to = (uint8_t)(*to | moved);
            to++;
        }
        nothing = 0;
        carry = (uint8_t)(moved >> 8);
        if (left <= 8u)
            break;
        left = (uint16_t)(left - 8u);
        byte = *++from;
    }
    if (carry != 0u)
        *to = (uint8_t)(*to | carry);
}

/* Sets `count` bits of `to` from bit `at` on. */
EBNN_INLINE void ebnn_set_bits(uint8_t *to, uint16_t at, uint16_t count)
{
    uint8_t ones = (uint8_t)(0xFFu << (at % 8u));
    uint16_t left = (uint16_t)(at % 8u + count); /* from the first byte's lowest bit on */

    if (count == 0u)
        return;
    for (to += at / 8u; left > 8u; left = (uint16_t)(left - 8u), ones = 0xFF, to++)
        *to = (uint8_t)(*to | ones);
    *to = (uint8_t)(*to | (ones & (0xFFu >> (8u - left))));
}

/*
 * A sample of bits, held anywhere, as an activation: at `place`, its last word filled with zeros. Returns the place.
 * bytes: of the sample.
 */
EBNN_KERNEL const uint8_t *ebnn_take_bits(uint8_t *place, const uint8_t *sample, size_t bytes)
{
    if (sample != place)
        memcpy(place, sample, bytes);
    memset(place + bytes, 0, ebnn_whole_words(bytes) - bytes);
    return place;
}

#endif
