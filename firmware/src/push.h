/* Networks that are pushed: an image comes in pieces, is kept in the store where it fits there, and runs from RAM.
 *
 * An image in the store counts from the moment that its first four bytes are there, which are written last. As long as
 * its first byte is another it is none. So whenever the power fails, each place of the store has a whole image or none.
 */
#ifndef EBNN_PUSH_H
#define EBNN_PUSH_H

#include <stdint.h>

#ifdef EBNN_UPDATABLE
#include <ebnn/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of an image, that a push begins with. */
#define EBNN_PUSH_HEAD_BYTES 36u
#define EBNN_PUSH_TAG_BYTES 32u

/* The most bytes of an image that one request carries. */
#ifndef EBNN_PUSH_PIECE
#if defined(__AVR__)
#define EBNN_PUSH_PIECE 64u
#else
#define EBNN_PUSH_PIECE 512u
#endif
#endif

enum ebnn_source { EBNN_NOTHING, EBNN_BUILT_IN, EBNN_PUSHED };

/* The network that runs. All of it is 0 where there is none. */
struct ebnn_running {
    uint8_t source; /* an enum ebnn_source */
    uint8_t kept;   /* whether it is there after a reset */
    uint8_t layers;
    uint8_t raw_size; /* bytes of a value of a raw sample; 0 without an encoder */
    uint16_t classes;
    uint32_t hash; /* the first 32 bits */
    uint32_t input_bytes;
    uint32_t raw_bytes;
    uint32_t arena_bytes;
    int32_t *scores; /* one for each class, and room for as many as there are layers */
    uint8_t *arena;  /* begins with the sample */
    uint32_t at;     /* of the pool, what all of it takes */
    uint32_t end;
};

extern struct ebnn_running ebnn_running;
extern ebnn_model_t ebnn_pushed_model; /* of a pushed one */

/* Bytes for a network's scores, or its layers' times. */
#define EBNN_SCORES_BYTES(classes, layers) (4u * (uint32_t)((classes) > (layers) ? (classes) : (layers)))

/* Gives the memory for images, scores and arenas, and runs the network that is kept. */
void ebnn_push_start(uint32_t *pool, uint32_t pool_bytes);

/* These answer the requests of SPEC 9.12 to 9.16 with an enum of protocol.h's statuses, and its detail. */
uint8_t ebnn_push_begin(const uint8_t *body, uint32_t size, uint32_t *detail);
uint8_t ebnn_push_piece(const uint8_t *body, uint32_t size, uint32_t *detail);
uint8_t ebnn_push_commit(const uint8_t *body, uint32_t size, uint32_t *detail);
uint8_t ebnn_push_forget(const uint8_t *body, uint32_t size, uint32_t *detail);

/* Ends a push that is under way; what ran before it runs on, and is kept if it was. */
void ebnn_push_abort(void);

/* What HELLO says of it, EBNN_PUSH_FACTS bytes. */
#define EBNN_PUSH_FACTS 17u
void ebnn_push_facts(uint8_t *facts);

/* The responder supplies this: it runs the firmware's own network, with the pool for itself. */
void ebnn_push_fall_back(uint32_t *pool);

#ifdef __cplusplus
}
#endif
#endif

#endif
