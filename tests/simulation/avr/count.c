/*
 * Counts mismatching bits with the kernels of count_avr.h and with plain loops. Sends how many comparisons it has made
 * and how many of them have failed, 16 bits each. WEIGHTS is a list of WEIGHT_WORDS random words, LONGEST the words of
 * the longest filter.
 */
#include <avr/io.h>

#include "ebnn/count_avr.h"
#include "weights.h"

#define RANDOM_WORDS 70u

static const uint32_t weights[WEIGHT_WORDS] EBNN_FLASH = {WEIGHTS};
static const uint32_t zeros[4u * LONGEST] EBNN_FLASH = {0};

static uint8_t room[4u * LONGEST];
static uint32_t seed = 1;
static uint16_t comparisons, failures;

uint16_t one(const uint8_t *bits, const uint32_t *filter, uint16_t words);
uint16_t masked(const uint8_t *bits, const uint8_t *mask, const uint32_t *filter, uint16_t words);
void four(const uint8_t *bits, const uint32_t *filters, uint16_t words, uint16_t counts[4]);

/* Functions of their own, to be timed. */
#define ALONE __attribute__((noinline, noclone))

ALONE uint16_t one(const uint8_t *bits, const uint32_t *filter, uint16_t words)
{
    return ebnn_mismatches(bits, filter, words);
}

ALONE uint16_t masked(const uint8_t *bits, const uint8_t *mask, const uint32_t *filter, uint16_t words)
{
    return ebnn_masked_mismatches(bits, mask, filter, words);
}

ALONE void four(const uint8_t *bits, const uint32_t *filters, uint16_t words, uint16_t counts[4])
{
    ebnn_mismatches_4(bits, filters, words, counts);
}

static void compare(uint16_t found, uint16_t expected)
{
    comparisons++;
    if (found != expected)
        failures++;
}

/* Random bytes, a few of them all 0 or all 1. */
static void fill(void)
{
    uint16_t i;

    for (i = 0; i < 8u * RANDOM_WORDS + 2u; i++) {
        seed = seed * 1664525ul + 1013904223ul;
        room[i] = (uint8_t)((seed >> 29) == 0 ? 0x00 : (seed >> 29) == 1 ? 0xFF : seed >> 16);
    }
}

/* Mismatches by plain loops; `filter` words apart by `stride`, `mask` NULL if there is none. */
static uint16_t count_plainly(const uint8_t *bits, const uint8_t *mask, const uint32_t *filter, uint8_t stride,
                              uint16_t words)
{
    uint16_t i, count = 0;

    for (i = 0; i < 4u * words; i++) {
        uint8_t x = (uint8_t)(bits[i] ^ EBNN_READ_U8((const uint8_t *)(filter + i / 4u * stride) + i % 4u));

        for (x = (uint8_t)(mask == NULL ? x : x & mask[i]); x != 0; x = (uint8_t)(x & (x - 1u)))
            count++;
    }
    return count;
}

/* All kernels. The frame has no fixed size, so that the compiler needs a frame pointer at every level. */
static void check(const uint8_t *bits, const uint8_t *mask, uint16_t words)
{
    const uint32_t *const filter = weights + words % 3u;
    volatile uint8_t *const frame = (volatile uint8_t *)__builtin_alloca(words % 8u + 1u);
    uint16_t counts[4];
    uint8_t j;

    frame[0] = (uint8_t)words;
    compare(ebnn_mismatches(bits, filter, words), count_plainly(bits, NULL, filter, 1, words));
    compare(ebnn_masked_mismatches(bits, mask, filter, words), count_plainly(bits, mask, filter, 1, words));
    /* A mask that begins where the bits end: to the compiler, one value for two operands. */
    compare(ebnn_masked_mismatches(bits, bits + 4u * words, filter, words),
            count_plainly(bits, bits + 4u * words, filter, 1, words));
    ebnn_mismatches_4(bits, filter, words, counts);
    for (j = 0; j < 4u; j++)
        compare(counts[j], count_plainly(bits, NULL, filter + j, 4, words));
    compare(frame[0], (uint8_t)words);
}

/* The table, byte by byte. */
static void check_table(void)
{
    uint8_t byte[4] = {0, 0, 0, 0};

    do
        compare(ebnn_popcount8(byte[0]), count_plainly(byte, NULL, zeros, 1, 1));
    while (++byte[0] != 0);
}

/* All bits of the longest filters mismatch. */
static void check_longest(void)
{
    uint16_t counts[4];
    uint8_t j;

    memset(room, 0xFF, sizeof room);
    compare(ebnn_mismatches(room, zeros, LONGEST), (uint16_t)(32u * LONGEST));
    compare(ebnn_masked_mismatches(room, room, zeros, LONGEST), (uint16_t)(32u * LONGEST));
    ebnn_mismatches_4(room, zeros, LONGEST, counts);
    for (j = 0; j < 4u; j++)
        compare(counts[j], (uint16_t)(32u * LONGEST));
}

static void transmit(uint16_t number)
{
    uint8_t i;

    for (i = 0; i < 2u; i++, number = (uint16_t)(number >> 8)) {
        while ((UCSR0A & _BV(UDRE0)) == 0) {
        }
        UDR0 = (uint8_t)number;
    }
}

int main(void)
{
    uint16_t counts[4];
    uint16_t words;

    UCSR0A = _BV(U2X0);
    UBRR0 = 0;
    UCSR0B = _BV(TXEN0);
    fill();
    for (words = 2; words <= 12u; words = (uint16_t)(words + 10u)) { /* timed */
        one(room, weights, words);
        masked(room, room, weights, words);
        four(room, weights, words, counts);
    }
    for (words = 1; words <= RANDOM_WORDS; words++) {
        fill();
        check(room + words % 2u, room + 4u * RANDOM_WORDS + words / 2u % 2u, words);
    }
    check_table();
    check_longest();
    transmit(comparisons);
    transmit(failures);
    __asm__ __volatile__("sei");
    for (;;) {
    }
}
