#include "sha256.h"

#include <ebnn/port.h>

#ifdef EBNN_UPDATABLE

#define BLOCK_BYTES 64u

/* The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t round_constants[64] EBNN_FLASH = {
    0x428A2F98ul, 0x71374491ul, 0xB5C0FBCFul, 0xE9B5DBA5ul, 0x3956C25Bul, 0x59F111F1ul, 0x923F82A4ul, 0xAB1C5ED5ul,
    0xD807AA98ul, 0x12835B01ul, 0x243185BEul, 0x550C7DC3ul, 0x72BE5D74ul, 0x80DEB1FEul, 0x9BDC06A7ul, 0xC19BF174ul,
    0xE49B69C1ul, 0xEFBE4786ul, 0x0FC19DC6ul, 0x240CA1CCul, 0x2DE92C6Ful, 0x4A7484AAul, 0x5CB0A9DCul, 0x76F988DAul,
    0x983E5152ul, 0xA831C66Dul, 0xB00327C8ul, 0xBF597FC7ul, 0xC6E00BF3ul, 0xD5A79147ul, 0x06CA6351ul, 0x14292967ul,
    0x27B70A85ul, 0x2E1B2138ul, 0x4D2C6DFCul, 0x53380D13ul, 0x650A7354ul, 0x766A0ABBul, 0x81C2C92Eul, 0x92722C85ul,
    0xA2BFE8A1ul, 0xA81A664Bul, 0xC24B8B70ul, 0xC76C51A3ul, 0xD192E819ul, 0xD6990624ul, 0xF40E3585ul, 0x106AA070ul,
    0x19A4C116ul, 0x1E376C08ul, 0x2748774Cul, 0x34B0BCB5ul, 0x391C0CB3ul, 0x4ED8AA4Aul, 0x5B9CCA4Ful, 0x682E6FF3ul,
    0x748F82EEul, 0x78A5636Ful, 0x84C87814ul, 0x8CC70208ul, 0x90BEFFFAul, 0xA4506CEBul, 0xBEF9A3F7ul, 0xC67178F2ul};

/* The same of the square roots of the first 8 primes. */
static const uint32_t first_state[8] EBNN_FLASH = {0x6A09E667ul, 0xBB67AE85ul, 0x3C6EF372ul, 0xA54FF53Aul,
                                                   0x510E527Ful, 0x9B05688Cul, 0x1F83D9ABul, 0x5BE0CD19ul};

static uint32_t rotate(uint32_t value, uint8_t by)
{
    return (uint32_t)(value >> by | value << (32u - by));
}

/* Takes the 16 words of a block into the state; they become the last 16 of the schedule. */
static void compress(struct ebnn_sha256 *sha)
{
    uint32_t v[8];
    uint8_t i, k;

    for (i = 0; i < 8u; i++) {
        v[i] = sha->state[i];
    }
    for (i = 0; i < 64u; i++) {
        uint32_t *word = &sha->words[i & 15u];
        uint32_t first, second;

        if (i >= 16u) {
            uint32_t a = sha->words[(i + 1u) & 15u], b = sha->words[(i + 14u) & 15u];
            *word += (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) + sha->words[(i + 9u) & 15u] +
                     (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
        }
        first = v[7] + (rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25)) + ((v[4] & v[5]) ^ (~v[4] & v[6])) +
                EBNN_READ_U32(&round_constants[i]) + *word;
        second =
            (rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22)) + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
        for (k = 7; k > 0u; k--) {
            v[k] = v[k - 1u];
        }
        v[4] += first;
        v[0] = first + second;
    }
    for (i = 0; i < 8u; i++) {
        sha->state[i] += v[i];
    }
}

void ebnn_sha256_start(struct ebnn_sha256 *sha)
{
    uint8_t i;

    for (i = 0; i < 8u; i++) {
        sha->state[i] = EBNN_READ_U32(&first_state[i]);
    }
    sha->length = 0;
}

void ebnn_sha256_add(struct ebnn_sha256 *sha, uint8_t byte)
{
    uint32_t *word = &sha->words[sha->length / 4u % 16u];

    *word = *word << 8 | byte; /* what was in the word before is shifted out by its four bytes */
    sha->length++;
    if (sha->length % BLOCK_BYTES == 0u) {
        compress(sha);
    }
}

void ebnn_sha256_end(struct ebnn_sha256 *sha, uint8_t digest[EBNN_SHA256_BYTES])
{
    const uint32_t bits = sha->length * 8u;
    uint8_t i;

    ebnn_sha256_add(sha, 0x80);
    while (sha->length % BLOCK_BYTES != BLOCK_BYTES - 8u) {
        ebnn_sha256_add(sha, 0);
    }
    for (i = 0; i < 4u; i++) { /* the length has 64 bits */
        ebnn_sha256_add(sha, 0);
    }
    for (i = 32; i > 0u; i = (uint8_t)(i - 8u)) {
        ebnn_sha256_add(sha, (uint8_t)(bits >> (i - 8u)));
    }
    for (i = 0; i < EBNN_SHA256_BYTES; i++) {
        digest[i] = (uint8_t)(sha->state[i / 4u] >> (24u - i % 4u * 8u));
    }
}

static void add_key(struct ebnn_sha256 *sha, const uint8_t *key, uint8_t pad)
{
    uint8_t i;

    ebnn_sha256_start(sha);
    for (i = 0; i < BLOCK_BYTES; i++) {
        ebnn_sha256_add(sha, (uint8_t)((i < EBNN_SHA256_BYTES ? EBNN_READ_U8(&key[i]) : 0u) ^ pad));
    }
}

void ebnn_hmac_start(struct ebnn_sha256 *sha, const uint8_t *key)
{
    add_key(sha, key, 0x36);
}

void ebnn_hmac_end(struct ebnn_sha256 *sha, const uint8_t *key, uint8_t tag[EBNN_SHA256_BYTES])
{
    uint8_t i;

    ebnn_sha256_end(sha, tag);
    add_key(sha, key, 0x5C);
    for (i = 0; i < EBNN_SHA256_BYTES; i++) {
        ebnn_sha256_add(sha, tag[i]);
    }
    ebnn_sha256_end(sha, tag);
}

#endif
