/* The serial responder.
 *
 * Memory: a sample is decoded straight into the arena, where the network takes it from. Beside the arena there are the
 * decoder, and the kept reply: an ATmega328P has 2 KB.
 *
 * Why no answer can be taken for the answer to another request:
 * - An answer repeats the sequence number, the command and the checksum of its request, under a checksum of its own.
 *   The host has one request under way at a time, numbers them one after the other, and drops an answer that isn't to
 *   that one; so an answer that is late or comes twice is dropped. A number comes back after 65,536 requests, and then
 *   the checksum would have to be the same too.
 * - The kept reply answers only a PREDICT with the sequence number and checksum of the last PREDICT that was run, in
 *   the same session. Within a session the host gives the same number to the same bytes.
 * - HELLO carries a nonce, which the host draws when it opens the port. A new one drops the kept reply; the same one
 *   again (the host asks whether the board is still there, or a HELLO came twice) leaves all as it is. The answer
 *   repeats it, so that an answer to an earlier session isn't taken for this one's. The host starts to number at a
 *   random place.
 * - A reset loses the session, and a sample without a session is refused. So the host says HELLO again after a reset in
 *   mid run, and compares the network, before another sample is run.
 * - A request that arrives late, after newer ones, is run again or answered again: the network is a function of the
 *   sample alone, so this costs time and changes no answer.
 * - A PROFILE is run each time it comes, and drops the kept reply: its own answer takes that room.
 * - A request of a push does the same when it comes twice. A straggler of an earlier push can at most damage the image,
 *   which its checksum then shows.
 */
#include "responder.h"

#include <stddef.h>
#include <string.h>

#include "frames.h"
#include "protocol.h"
#include "running.h"

/* The board's name, without quotes, as in -DEBNN_BOARD=uno. */
#ifndef EBNN_BOARD
#define EBNN_BOARD unknown
#endif
#define TEXT_OF(name) #name
#define TEXT(name) TEXT_OF(name)

#if defined(__GNUC__)
#define NOT_INLINED __attribute__((noinline))
#else
#define NOT_INLINED
#endif

#define HEAD_BYTES 3u  /* sequence u16, command u8 */
#define HELLO_BYTES 5u /* protocol version u8, nonce u32 */
/* The longest body that isn't a sample. */
#ifndef EBNN_UPDATABLE
#define ARGUMENT_BYTES 8u
#else
#define BEGIN_BYTES (EBNN_PUSH_HEAD_BYTES + EBNN_PUSH_TAG_BYTES)
#define ARGUMENT_BYTES (BEGIN_BYTES > 4u + EBNN_PUSH_PIECE ? BEGIN_BYTES : 4u + EBNN_PUSH_PIECE)
#endif

#define LONGEST_SAMPLE (INPUT_BYTES > RAW_BYTES ? INPUT_BYTES : (uint32_t)RAW_BYTES)
#define LONGEST_BODY (LONGEST_SAMPLE > ARGUMENT_BYTES ? LONGEST_SAMPLE : (uint32_t)ARGUMENT_BYTES)

static struct {
    struct ebnn_frame_decoder decoder;
    uint16_t sequence;
    uint8_t command;
    uint8_t argument[ARGUMENT_BYTES]; /* the body, unless it is a sample */
#ifdef WITH_RAW
    RAW_TYPE value; /* of a raw sample, that is being read */
#endif

    uint8_t in_session;
    uint8_t nonce[4];    /* of the session */
    uint32_t inferences; /* since reset */

    /* The kept reply. */
    uint8_t kept;
    uint16_t kept_sequence;
    uint16_t kept_crc;
    uint8_t result[5]; /* class u8, microseconds u32 */
#ifndef EBNN_UPDATABLE
    int32_t scores[EBNN_CLASSES];
#endif
} state;

#ifndef EBNN_UPDATABLE
#define LAYERS EBNN_LAYERS
#define SCORES state.scores
#define SCORES_BYTES sizeof state.scores
#else
#define SCORES ebnn_running.scores
#define SCORES_BYTES (4u * CLASSES)
#endif

/* Little-endian, as every target is (ebnn/port.h refuses others). */
static void put_u16(uint8_t *bytes, uint16_t value)
{
    memcpy(bytes, &value, sizeof value);
}

static void put_u32(uint8_t *bytes, uint32_t value)
{
    memcpy(bytes, &value, sizeof value);
}

/* spans[0] is left free for the head of the answer, and one after `count` for the checksum. */
static void answer(uint16_t sequence, uint8_t command, uint16_t crc, uint8_t status, struct ebnn_span *spans,
                   uint8_t count)
{
    uint8_t head[6];

    put_u16(head, sequence);
    head[2] = (uint8_t)(command | EBNN_REPLY);
    put_u16(head + 3, crc);
    head[5] = status;
    spans[0].bytes = head;
    spans[0].count = sizeof head;
    ebnn_frame_send(spans, count, ebnn_port_put);
}

static void answer_detail(uint16_t sequence, uint8_t command, uint16_t crc, uint8_t status, uint32_t detail)
{
    struct ebnn_span spans[3];
    uint8_t bytes[4];

    put_u32(bytes, detail);
    spans[1].bytes = bytes;
    spans[1].count = sizeof bytes;
    answer(sequence, command, crc, status, spans, 2);
}

static void refuse(uint8_t status, uint32_t detail)
{
    answer_detail(state.sequence, state.command, state.decoder.crc, status, detail);
}

/* Nobody knows whose frame it was: its sequence number is not to be trusted. */
static void complain(uint8_t status, uint32_t detail)
{
    answer_detail(0, 0, 0, status, detail);
}

static void hello(void)
{
    static const char board[] = TEXT(EBNN_BOARD);
#ifndef EBNN_UPDATABLE
    static const char network[] = EBNN_NETWORK_NAME;
    struct ebnn_span spans[5];
#else
    char network[TITLE_BYTES];
    uint8_t push_facts[EBNN_PUSH_FACTS];
    struct ebnn_span spans[6];
#endif
    uint8_t facts[23];
    uint8_t same = state.in_session;
    uint8_t i;

    for (i = 0; i < 4u; i++) {
        uint8_t byte = state.argument[1u + i];
        same = (uint8_t)(same && state.nonce[i] == byte);
        state.nonce[i] = byte;
        facts[1u + i] = byte;
    }
    if (!same) {
        state.kept = 0;
        state.in_session = 1;
#ifdef EBNN_UPDATABLE
        ebnn_push_abort();
#endif
    }
    facts[0] = EBNN_PROTOCOL_VERSION;
    put_u32(facts + 5, HASH);
    put_u32(facts + 9, INPUT_BYTES);
    put_u32(facts + 13, ARENA_BYTES);
    put_u32(facts + 17, state.inferences);
    put_u16(facts + 21, CLASSES);
    spans[1].bytes = facts;
    spans[1].count = sizeof facts;
    spans[2].bytes = (const uint8_t *)board; /* both with the zero at their end */
    spans[2].count = sizeof board;
    spans[3].bytes = (const uint8_t *)network;
#ifndef EBNN_UPDATABLE
    spans[3].count = sizeof network;
    answer(state.sequence, state.command, state.decoder.crc, EBNN_STATUS_OK, spans, 4);
#else
    name_network(network);
    spans[3].count = (uint16_t)(strlen(network) + 1u);
    ebnn_push_facts(push_facts);
    spans[4].bytes = push_facts;
    spans[4].count = sizeof push_facts;
    answer(state.sequence, state.command, state.decoder.crc, EBNN_STATUS_OK, spans, 5);
#endif
}

/* Runs the network on the sample in the arena: its class and time go to state.result. `times` is NULL, or receives the
 * microseconds of each layer; then there are no scores. A function of its own, so that simulators find it by name. */
NOT_INLINED static void run_network(uint32_t *times)
{
    uint32_t start = ebnn_port_micros();
#if defined(WITH_PROFILE) || defined(EBNN_UPDATABLE)
    uint32_t before = start;
    uint8_t i;

    for (i = 0; i < LAYERS; i++) {
        state.result[0] = RUN_LAYER(i, times == NULL ? SCORES : NULL);
        if (times != NULL) {
            uint32_t now = ebnn_port_micros();
            times[i] = (uint32_t)(now - before);
            before = now;
        }
    }
#else
    (void)times;
    state.result[0] = ebnn_network_scores(ebnn_network_input(), state.scores);
#endif
    put_u32(state.result + 1, (uint32_t)(ebnn_port_micros() - start));
    state.inferences++;
    state.kept = (uint8_t)(times == NULL);
    state.kept_sequence = state.sequence;
    state.kept_crc = state.decoder.crc;
}

/* Answers a PREDICT, whose sample is in the arena. */
static void predict(void)
{
    struct ebnn_span spans[4];

    if (!state.kept || state.kept_sequence != state.sequence || state.kept_crc != state.decoder.crc) {
        run_network(NULL);
    }
    spans[1].bytes = state.result;
    spans[1].count = sizeof state.result;
    spans[2].bytes = (const uint8_t *)SCORES;
    spans[2].count = SCORES_BYTES;
    answer(state.sequence, state.command, state.decoder.crc, EBNN_STATUS_OK, spans, 3);
}

#ifdef WITH_PROFILE
/* Answers a PROFILE, whose sample is in the arena. Not inlined: what it needs of the stack, a prediction does
 * without. */
NOT_INLINED static void profile(void)
{
    struct ebnn_span spans[5];
    uint32_t memory[2];
#if !defined(EBNN_UPDATABLE) && EBNN_LAYERS > EBNN_CLASSES
    uint32_t times[EBNN_LAYERS];
#else
    uint32_t *times = (uint32_t *)SCORES;
#endif

    run_network(times);
    ebnn_port_memory(&memory[0], &memory[1]);
    spans[1].bytes = state.result;
    spans[1].count = sizeof state.result;
    spans[2].bytes = (const uint8_t *)times;
    spans[2].count = LAYERS * sizeof *times;
    spans[3].bytes = (const uint8_t *)memory;
    spans[3].count = sizeof memory;
    answer(state.sequence, state.command, state.decoder.crc, EBNN_STATUS_OK, spans, 4);
}
#endif

/* Whether a command's body is a sample. */
static uint8_t takes_sample(uint8_t command)
{
#ifdef WITH_PROFILE
    return (uint8_t)(command == EBNN_COMMAND_PREDICT || command == EBNN_COMMAND_PROFILE);
#else
    return (uint8_t)(command == EBNN_COMMAND_PREDICT);
#endif
}

#ifdef EBNN_UPDATABLE
/* Obeys a request that is about a push; 0 where it is about something else. */
static uint8_t obey_push(uint32_t size)
{
    struct ebnn_span spans[2];
    uint32_t detail = 0;
    uint8_t status;

    if (state.command < EBNN_COMMAND_PUSH_BEGIN || state.command > EBNN_COMMAND_PUSH_FORGET) {
        return 0;
    }
    if (!state.in_session) {
        refuse(EBNN_STATUS_NO_SESSION, 0);
        return 1;
    }
    switch (state.command) {
    case EBNN_COMMAND_PUSH_BEGIN:
        status = ebnn_push_begin(state.argument, size, &detail);
        break;
    case EBNN_COMMAND_PUSH_PIECE:
        status = ebnn_push_piece(state.argument, size, &detail);
        break;
    case EBNN_COMMAND_PUSH_COMMIT:
        status = ebnn_push_commit(state.argument, size, &detail);
        break;
    case EBNN_COMMAND_PUSH_ABORT:
        ebnn_push_abort();
        status = EBNN_STATUS_OK;
        break;
    default:
        status = ebnn_push_forget(state.argument, size, &detail);
        break;
    }
    state.kept = 0; /* the scores may be another network's */
    if (status == EBNN_STATUS_OK) {
        answer(state.sequence, state.command, state.decoder.crc, status, spans, 1);
    } else {
        refuse(status, detail);
    }
    return 1;
}
#endif

/* A request that has been read, with a body of `size` bytes. */
static void obey(uint32_t size)
{
#ifdef EBNN_UPDATABLE
    if (obey_push(size)) {
        return;
    }
    if (ebnn_running.source == EBNN_NOTHING && state.in_session && state.command != EBNN_COMMAND_HELLO &&
        state.command <= EBNN_COMMAND_PREDICT_RAW) {
        refuse(EBNN_STATUS_NO_NETWORK, 0);
        return;
    }
    if (state.command == EBNN_COMMAND_PREDICT_RAW && RAW_BYTES == 0u) {
        refuse(EBNN_STATUS_UNKNOWN_COMMAND, state.command);
        return;
    }
#endif
#ifdef WITH_RAW
    if (state.command == EBNN_COMMAND_PREDICT_RAW) {
        if (size != RAW_BYTES) {
            refuse(EBNN_STATUS_WRONG_SIZE, RAW_BYTES);
        } else if (!state.in_session) {
            refuse(EBNN_STATUS_NO_SESSION, 0);
        } else {
            predict();
        }
        return;
    }
#endif
    if (takes_sample(state.command)) {
        if (size != INPUT_BYTES) {
            refuse(EBNN_STATUS_WRONG_SIZE, INPUT_BYTES);
        } else if (!state.in_session) {
            refuse(EBNN_STATUS_NO_SESSION, 0);
#ifdef WITH_PROFILE
        } else if (state.command == EBNN_COMMAND_PROFILE) {
            profile();
#endif
        } else {
            predict();
        }
    } else if (state.command == EBNN_COMMAND_HELLO) {
        if (size != HELLO_BYTES) {
            refuse(EBNN_STATUS_WRONG_SIZE, HELLO_BYTES);
        } else {
            hello();
        }
    } else {
        refuse(EBNN_STATUS_UNKNOWN_COMMAND, state.command);
    }
}

#ifdef WITH_RAW
/* Byte `index` of a raw sample: with the last of a value, the value is encoded into the arena. */
static void store_raw(uint32_t index, uint8_t byte)
{
    const size_t within = (size_t)(index % RAW_SIZE);

    ((uint8_t *)(void *)&state.value)[within] = byte;
    if (within == RAW_SIZE - 1u) {
        ENCODE_VALUE(&state.value, (size_t)(index / RAW_SIZE));
    }
}
#endif

/* Byte `index` of sequence, command and body. What doesn't fit is dropped; its size tells in the end. */
static void store(uint32_t index, uint8_t byte)
{
    if (index == 0u) {
        state.sequence = byte;
    } else if (index == 1u) {
        state.sequence = (uint16_t)(state.sequence | (uint16_t)((uint16_t)byte << 8));
    } else if (index == 2u) {
        state.command = byte;
    } else {
        index -= HEAD_BYTES;
#ifdef WITH_RAW
        if (state.command == EBNN_COMMAND_PREDICT_RAW) {
            if (index < RAW_BYTES) {
                store_raw(index, byte);
            }
            return;
        }
#endif
        if (takes_sample(state.command)) {
            if (index < INPUT_BYTES) { /* byte by byte, whatever the input's type */
                ((uint8_t *)(void *)INPUT)[(size_t)index] = byte;
            }
        } else if (index < ARGUMENT_BYTES) {
            state.argument[index] = byte;
        }
    }
}

void ebnn_responder_take(uint8_t byte)
{
    uint8_t event = ebnn_frame_take(&state.decoder, byte);
    uint32_t length = state.decoder.length;
    uint32_t size = length > HEAD_BYTES ? length - HEAD_BYTES : 0u;

    switch (event) {
    case EBNN_FRAME_CONTENT:
        store(length - 1u, state.decoder.value);
        break;
    case EBNN_FRAME_INTACT:
        obey(size);
        break;
    case EBNN_FRAME_BAD_CRC:
        complain(size > LONGEST_BODY ? EBNN_STATUS_TOO_LONG : EBNN_STATUS_BAD_CRC, size);
        break;
    case EBNN_FRAME_BAD_CODING:
        complain(EBNN_STATUS_BAD_CODING, size);
        break;
    case EBNN_FRAME_TOO_SHORT:
        complain(EBNN_STATUS_TOO_SHORT, 0);
        break;
    default:
        break;
    }
}

void ebnn_responder_reset(void)
{
#ifdef EBNN_UPDATABLE
    ebnn_push_start(pool, sizeof pool);
#endif
    state.decoder.started = 0;
    state.in_session = 0;
    state.kept = 0;
    state.inferences = 0;
}
