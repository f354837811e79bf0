/* SHA-256 (FIPS 180-4) and HMAC with it (RFC 2104), in 104 bytes of RAM. */
#ifndef EBNN_SHA256_H
#define EBNN_SHA256_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EBNN_SHA256_BYTES 32u

struct ebnn_sha256 {
    uint32_t state[8];
    uint32_t words[16]; /* of the block that is being filled */
    uint32_t length;    /* bytes so far: less than 2^29 */
};

void ebnn_sha256_start(struct ebnn_sha256 *sha);
void ebnn_sha256_add(struct ebnn_sha256 *sha, uint8_t byte);
void ebnn_sha256_end(struct ebnn_sha256 *sha, uint8_t digest[EBNN_SHA256_BYTES]);

/* HMAC with a key of 32 bytes, which lies in flash; `ebnn_sha256_add` takes the message in between. */
void ebnn_hmac_start(struct ebnn_sha256 *sha, const uint8_t *key);
void ebnn_hmac_end(struct ebnn_sha256 *sha, const uint8_t *key, uint8_t tag[EBNN_SHA256_BYTES]);

#ifdef __cplusplus
}
#endif

#endif
