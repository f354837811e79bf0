#include "push.h"

#ifdef EBNN_UPDATABLE

#include <string.h>

#include <ebnn/port.h>

#include "protocol.h"
#include "sha256.h"
#include "store.h"

#ifdef EBNN_KEYED
#include "push_key.h"
static const uint8_t push_key[EBNN_SHA256_BYTES] EBNN_FLASH = {EBNN_PUSH_KEY};
#define TAG_BYTES EBNN_PUSH_TAG_BYTES
#else
#define TAG_BYTES 0u
#endif

/* In an image. */
#define SEAL_BYTES 4u
#define AT_VERSION 4u
#define AT_TARGET 5u
#define AT_BYTES 8u
#define AT_CRC 12u
#define AT_CHECKED 16u
#define AT_ARENA 24u
#define AT_CLASSES 32u
#define AT_LAYERS 34u

#if EBNN_LANES == 1
#define TARGET 1u
#else
#define TARGET 2u
#endif

#ifndef EBNN_MODEL_KERNELS
#define EBNN_MODEL_KERNELS EBNN_MODEL_ALL
#endif

#define NOWHERE UINT32_MAX

struct ebnn_running ebnn_running;
ebnn_model_t ebnn_pushed_model;

static const uint8_t seal[SEAL_BYTES] = {'E', 'B', 'N', 'I'};

static uint32_t *pool;
static uint32_t pool_bytes;
static uint32_t kept_at; /* in the store: the image that counts */

static struct {
    uint8_t under_way;
    uint8_t touched; /* whether a piece has been written */
    uint8_t broken;  /* whether that has cost the image that was kept its seal */
    uint8_t in_ram;  /* whether it goes to the pool, for it is too large for the store */
    uint32_t at;     /* where in pool or store */
    uint32_t bytes;
    uint32_t crc;
    uint32_t need; /* bytes of the pool */
} push;

static uint32_t word_at(const uint8_t *bytes)
{
    uint32_t word;

    memcpy(&word, bytes, sizeof word);
    return word;
}

static uint8_t *pool_at(uint32_t at)
{
    return (uint8_t *)(void *)pool + at;
}

static uint32_t half_of_store(void)
{
    return ebnn_store_bytes() / 2u;
}

static uint32_t rounded(uint32_t bytes)
{
    return (bytes + 3u) & ~(uint32_t)3u;
}

/* What an image takes of the pool with its scores and its arena; NOWHERE where it takes more than there is. */
static uint32_t needed(const uint8_t *head)
{
    uint32_t bytes = word_at(head + AT_BYTES), arena = word_at(head + AT_ARENA);
    uint16_t classes = (uint16_t)(head[AT_CLASSES] | (uint16_t)((uint16_t)head[AT_CLASSES + 1u] << 8));

    if (bytes < EBNN_PUSH_HEAD_BYTES || bytes > pool_bytes || arena > pool_bytes) {
        return NOWHERE;
    }
    bytes = rounded(bytes) + rounded(arena) + EBNN_SCORES_BYTES(classes, head[AT_LAYERS]);
    return bytes > pool_bytes ? NOWHERE : bytes;
}

static void stop(void)
{
    memset(&ebnn_running, 0, sizeof ebnn_running);
}

/* Runs the image at a place of the pool; returns why not as ebnn_model_open does. */
static uint8_t run_image(uint32_t at)
{
    const uint8_t *image = pool_at(at);
    uint8_t status = ebnn_model_open(&ebnn_pushed_model, image, (size_t)(pool_bytes - at));
    const ebnn_model_t *model = &ebnn_pushed_model;
    struct ebnn_running *run = &ebnn_running;
    uint32_t need;

    stop();
    if (status != EBNN_MODEL_OK) {
        return status;
    }
    need = needed(image);
    if (need == NOWHERE || need > pool_bytes - at) {
        return EBNN_MODEL_ERR_SIZE;
    }
    run->source = EBNN_PUSHED;
    run->layers = model->layers;
    run->classes = model->classes;
    run->hash = model->hash32;
    run->input_bytes = model->input_bytes;
    run->raw_bytes = model->raw_bytes;
    run->raw_size = (uint8_t)(run->raw_bytes == 0u ? 0u : model->raw == 0u ? 4u : 2u);
    run->arena_bytes = model->arena_bytes;
    run->at = at;
    run->end = at + need;
    run->scores = (int32_t *)(pool + (at + rounded(word_at(image + AT_BYTES))) / 4u);
    run->arena = pool_at(run->end - rounded(run->arena_bytes));
    return EBNN_MODEL_OK;
}

/* Runs the image at a place of the store, from the start of the pool. */
static uint8_t run_stored(uint32_t at)
{
    uint8_t *head = pool_at(0);
    const uint32_t there = ebnn_store_bytes();
    uint32_t bytes;
    uint8_t status;

    if (there == 0u || pool_bytes < EBNN_PUSH_HEAD_BYTES) {
        return EBNN_MODEL_ERR_SIZE;
    }
    stop();
    ebnn_store_read(at, head, EBNN_PUSH_HEAD_BYTES);
    bytes = word_at(head + AT_BYTES);
    if (memcmp(head, seal, sizeof seal) != 0 || bytes > there - at || needed(head) == NOWHERE) {
        return EBNN_MODEL_ERR_SIZE;
    }
    ebnn_store_read(at, head, bytes);
    status = run_image(0);
    if (status == EBNN_MODEL_OK) {
        ebnn_running.kept = 1;
        kept_at = at;
    }
    return status;
}

static void run_kept(void)
{
    kept_at = NOWHERE;
    if (run_stored(0) != EBNN_MODEL_OK && run_stored(half_of_store()) != EBNN_MODEL_OK) {
        stop();
        ebnn_push_fall_back(pool);
    }
}

void ebnn_push_start(uint32_t *memory, uint32_t bytes)
{
    pool = memory;
    pool_bytes = bytes;
    memset(&push, 0, sizeof push);
    run_kept();
}

static void break_seal(uint32_t at)
{
    static const uint8_t none[1] = {0xFF};

    ebnn_store_write(at, none, sizeof none);
}

void ebnn_push_abort(void)
{
    if (!push.under_way) {
        return;
    }
    push.under_way = 0;
    if (!push.touched) {
        return;
    }
    if (push.in_ram) {
        if (ebnn_running.source == EBNN_NOTHING) {
            run_kept();
        }
    } else if (push.broken) {
        if (ebnn_running.kept) { /* it runs from RAM, and is written back */
            const uint8_t *image = pool_at(ebnn_running.at);
            ebnn_store_write(kept_at + SEAL_BYTES, image + SEAL_BYTES, word_at(image + AT_BYTES) - SEAL_BYTES);
            ebnn_store_write(kept_at, seal, sizeof seal);
        } else {
            kept_at = NOWHERE;
        }
    }
}

/* A byte of the image that is pushed. */
static uint8_t image_byte(uint32_t at)
{
    uint8_t byte;

    if (at < SEAL_BYTES) {
        return seal[at];
    }
    if (push.in_ram) {
        return *pool_at(push.at + at);
    }
    ebnn_store_read(push.at + at, &byte, 1);
    return byte;
}

static uint32_t image_word(uint32_t at)
{
    uint8_t bytes[4];
    uint8_t i;

    for (i = 0; i < sizeof bytes; i++) {
        bytes[i] = image_byte(at + i);
    }
    return word_at(bytes);
}

/* Whether all of the image is there: its size and its CRC-32, as zlib has it, are those that the push began with. */
static uint8_t is_whole(void)
{
    uint32_t crc = 0xFFFFFFFFul, at;
    uint8_t bit;

    for (at = AT_CHECKED; at < push.bytes; at++) {
        crc ^= image_byte(at);
        for (bit = 0; bit < 8u; bit++) {
            crc = crc >> 1 ^ ((crc & 1u) != 0u ? 0xEDB88320ul : 0u);
        }
    }
    return (uint8_t)(~crc == push.crc && image_word(AT_CRC) == push.crc && image_word(AT_BYTES) == push.bytes);
}

#ifdef EBNN_KEYED
/* Whether a tag is the HMAC of a command and its message; `message` is NULL for the image that was pushed. Takes the
 * same time wherever a tag is wrong. */
static uint8_t tag_fits(uint8_t command, const uint8_t *message, uint32_t count, const uint8_t *tag)
{
    struct ebnn_sha256 sha;
    uint8_t right[EBNN_SHA256_BYTES];
    uint8_t differ = 0;
    uint32_t i;

    ebnn_hmac_start(&sha, push_key);
    ebnn_sha256_add(&sha, command);
    for (i = 0; i < count; i++) {
        ebnn_sha256_add(&sha, message == NULL ? image_byte(i) : message[i]);
    }
    ebnn_hmac_end(&sha, push_key, right);
    for (i = 0; i < sizeof right; i++) {
        differ = (uint8_t)(differ | (right[i] ^ tag[i]));
    }
    return (uint8_t)(differ == 0u);
}
#endif

/* Whether a request has `count` bytes and the tag that this firmware asks for. */
static uint8_t check_size(uint32_t size, uint32_t count, uint32_t *detail)
{
    if (size == count + TAG_BYTES) {
        return EBNN_STATUS_OK;
    }
    *detail = count + TAG_BYTES;
    return EBNN_STATUS_WRONG_SIZE;
}

/* A small image goes to the half of the store that the kept one is not in, if that is small too. */
static void choose_place(void)
{
    const uint32_t half = half_of_store();

    push.in_ram = (uint8_t)(push.bytes > ebnn_store_bytes());
    push.at = 0;
    if (push.in_ram) {
        if (push.need > ebnn_running.at && push.need <= pool_bytes - ebnn_running.end) {
            push.at = ebnn_running.end;
        }
    } else if (push.bytes <= half && kept_at == 0u) {
        uint8_t head[AT_CRC];

        ebnn_store_read(0, head, sizeof head);
        push.at = word_at(head + AT_BYTES) <= half ? half : 0u;
    }
}

uint8_t ebnn_push_begin(const uint8_t *body, uint32_t size, uint32_t *detail)
{
    uint32_t need;
    uint8_t status = check_size(size, EBNN_PUSH_HEAD_BYTES, detail);

    if (status != EBNN_STATUS_OK) {
        return status;
    }
    if (memcmp(body, seal, sizeof seal) != 0 || body[AT_VERSION] != EBNN_MODEL_VERSION) {
        *detail = EBNN_MODEL_ERR_VERSION;
        return EBNN_STATUS_BAD_IMAGE;
    }
    if (body[AT_TARGET] != TARGET) {
        *detail = TARGET;
        return EBNN_STATUS_WRONG_TARGET;
    }
    need = needed(body);
    if (need == NOWHERE) {
        *detail = pool_bytes;
        return EBNN_STATUS_TOO_BIG;
    }
#ifdef EBNN_KEYED
    if (!tag_fits(EBNN_COMMAND_PUSH_BEGIN, body, EBNN_PUSH_HEAD_BYTES, body + EBNN_PUSH_HEAD_BYTES)) {
        return EBNN_STATUS_WRONG_KEY;
    }
#endif
    if (push.under_way && push.bytes == word_at(body + AT_BYTES) && push.crc == word_at(body + AT_CRC) &&
        push.need == need) {
        return EBNN_STATUS_OK; /* it came twice */
    }
    ebnn_push_abort();
    memset(&push, 0, sizeof push);
    push.under_way = 1;
    push.bytes = word_at(body + AT_BYTES);
    push.crc = word_at(body + AT_CRC);
    push.need = need;
    choose_place();
    return EBNN_STATUS_OK;
}

/* Before the first piece: what it is written over counts no more. */
static void touch(void)
{
    push.touched = 1;
    if (push.in_ram) {
        if (push.at < ebnn_running.end && ebnn_running.at < push.at + push.need) {
            stop();
        }
        return;
    }
    break_seal(push.at);
    push.broken = (uint8_t)(push.at == kept_at);
    if (push.bytes > half_of_store()) {
        break_seal(half_of_store());
        push.broken = (uint8_t)(kept_at != NOWHERE);
    }
}

uint8_t ebnn_push_piece(const uint8_t *body, uint32_t size, uint32_t *detail)
{
    uint32_t at, count = size - 4u;

    if (size <= 4u || count > EBNN_PUSH_PIECE) {
        *detail = 4u + EBNN_PUSH_PIECE;
        return EBNN_STATUS_WRONG_SIZE;
    }
    if (!push.under_way) {
        return EBNN_STATUS_NO_PUSH;
    }
    at = word_at(body);
    body += 4;
    if (at > push.bytes || count > push.bytes - at) {
        *detail = push.bytes;
        return EBNN_STATUS_TOO_BIG;
    }
    if (!push.touched) {
        touch();
    }
    while (at < SEAL_BYTES && count > 0u) {
        at++;
        body++;
        count--;
    }
    if (push.in_ram) {
        memcpy(pool_at(push.at + at), body, (size_t)count);
    } else {
        ebnn_store_write(push.at + at, body, count);
    }
    return EBNN_STATUS_OK;
}

static uint8_t commit_ram(void)
{
    const uint32_t before = ebnn_running.at;
    const uint8_t source = ebnn_running.source, kept = ebnn_running.kept;
    uint8_t status;

    memcpy(pool_at(push.at), seal, sizeof seal);
    status = run_image(push.at);
    if (status != EBNN_MODEL_OK) {
        if (source == EBNN_PUSHED && run_image(before) == EBNN_MODEL_OK) {
            ebnn_running.kept = kept;
        } else {
            run_kept();
        }
    }
    return status;
}

static uint8_t commit_store(void)
{
    const uint32_t old = push.broken ? NOWHERE : kept_at;
    uint8_t status;

    ebnn_store_write(push.at, seal, sizeof seal);
    status = run_stored(push.at);
    if (status != EBNN_MODEL_OK) {
        break_seal(push.at);
        run_kept();
    } else if (old != NOWHERE && old != push.at) {
        break_seal(old);
    }
    return status;
}

uint8_t ebnn_push_commit(const uint8_t *body, uint32_t size, uint32_t *detail)
{
    uint8_t status = check_size(size, 4, detail);

    if (status != EBNN_STATUS_OK) {
        return status;
    }
    if (!push.under_way || push.crc != word_at(body)) {
        if (ebnn_running.source == EBNN_PUSHED && word_at(ebnn_pushed_model.image + AT_CRC) == word_at(body)) {
            return EBNN_STATUS_OK; /* it came twice */
        }
        return EBNN_STATUS_NO_PUSH;
    }
    status = push.touched && is_whole() ? EBNN_STATUS_OK : EBNN_STATUS_BAD_IMAGE;
    *detail = EBNN_MODEL_ERR_CRC;
#ifdef EBNN_KEYED
    if (status == EBNN_STATUS_OK && !tag_fits(EBNN_COMMAND_PUSH_COMMIT, NULL, push.bytes, body + 4)) {
        status = EBNN_STATUS_WRONG_KEY;
    }
#endif
    if (status != EBNN_STATUS_OK) {
        ebnn_push_abort();
        return status;
    }
    push.under_way = 0;
    *detail = push.in_ram ? commit_ram() : commit_store();
    return *detail == EBNN_MODEL_OK ? EBNN_STATUS_OK : EBNN_STATUS_BAD_IMAGE;
}

uint8_t ebnn_push_forget(const uint8_t *body, uint32_t size, uint32_t *detail)
{
    uint8_t status = check_size(size, 4, detail);

    if (status != EBNN_STATUS_OK) {
        return status;
    }
    if (ebnn_running.source != EBNN_PUSHED) {
        return EBNN_STATUS_OK;
    }
    if (ebnn_running.hash != word_at(body)) {
        return EBNN_STATUS_NO_PUSH;
    }
#ifdef EBNN_KEYED
    if (!tag_fits(EBNN_COMMAND_PUSH_FORGET, body, 4, body + 4)) {
        return EBNN_STATUS_WRONG_KEY;
    }
#endif
    push.under_way = 0;
    if (ebnn_store_bytes() != 0u) {
        break_seal(0);
        break_seal(half_of_store());
    }
    run_kept();
    return EBNN_STATUS_OK;
}

void ebnn_push_facts(uint8_t *facts)
{
    const uint32_t room = pool_bytes, kept = ebnn_store_bytes(), kernels = EBNN_MODEL_KERNELS;
    const uint16_t piece = EBNN_PUSH_PIECE;

    facts[0] = (uint8_t)((ebnn_running.source == EBNN_PUSHED ? EBNN_FLAG_PUSHED : 0u) |
                         (ebnn_running.kept ? EBNN_FLAG_KEPT : 0u) | (TAG_BYTES != 0u ? EBNN_FLAG_KEY : 0u));
    facts[1] = EBNN_MODEL_VERSION;
    facts[2] = TARGET;
    memcpy(facts + 3, &piece, sizeof piece);
    memcpy(facts + 5, &room, sizeof room);
    memcpy(facts + 9, &kept, sizeof kept);
    memcpy(facts + 13, &kernels, sizeof kernels);
}

#endif
