/* Feeds the responder frame-like byte strings and checks every answer against a decoder of its own.
 *
 *     fuzz_responder COUNT SEED
 *
 * An input is what stands before one 0x00: random bytes, a valid frame, or a valid frame with bytes changed, lost,
 * repeated or cut. For each: an empty one has no answer, any other exactly one; an unreadable one has the right reason;
 * a request is refused for the right reason, or answered with the right scores or times, run once and no more.
 * Sanitizers watch the arena, which ends with its last byte. Prints the number of inputs by what became of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network.h"
#include "protocol.h"
#include "responder.h"

#define LONGEST 700
#ifdef EBNN_RAW_VALUES
#define RAW_BYTES (2 * EBNN_RAW_VALUES)
#define LONGEST_BODY RAW_BYTES
#else
#define LONGEST_BODY EBNN_INPUT_BYTES
#endif
#define KEPT_REQUESTS 8

static uint64_t random_state;
static uint64_t input_number;
static uint8_t input[LONGEST];
static size_t input_size;

static uint8_t output[4096];
static size_t output_size;

void ebnn_port_put(uint8_t byte)
{
    if (output_size < sizeof output) {
        output[output_size] = byte;
    }
    output_size++;
}

/* Moves on by another step each time, so that a network that runs again takes another time. */
static uint32_t micros_calls;

static uint32_t micros_of(uint32_t call)
{
    return call * call * 2654435769u;
}

uint32_t ebnn_port_micros(void)
{
    micros_calls++;
    return micros_of(micros_calls);
}

static uint32_t memory_calls;

void ebnn_port_memory(uint32_t *untouched, uint32_t *deepest_stack)
{
    memory_calls++;
    *untouched = (uint32_t)input_number * 40503u;
    *deepest_stack = EBNN_UNTOLD - (uint32_t)input_number % 3u;
}

static void fail(const char *what)
{
    size_t i;

    fprintf(stderr, "input %llu: %s\ninput ", (unsigned long long)input_number, what);
    for (i = 0; i < input_size; i++) {
        fprintf(stderr, "%02x", input[i]);
    }
    fprintf(stderr, "\noutput ");
    for (i = 0; i < output_size && i < sizeof output; i++) {
        fprintf(stderr, "%02x", output[i]);
    }
    fprintf(stderr, "\n");
    exit(1);
}

/* xorshift64* (Vigna, 2016). */
static uint32_t draw(uint32_t below)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (uint32_t)((random_state * 2685821657736338717ULL) >> 32) % below;
}

static uint16_t crc_of(const uint8_t *bytes, size_t size)
{
    static uint16_t table[256];
    static int ready;
    uint16_t crc = 0xFFFF;
    size_t i;

    if (!ready) {
        unsigned n, bit;
        for (n = 0; n < 256; n++) {
            unsigned value = n << 8;
            for (bit = 0; bit < 8; bit++) {
                value = (value & 0x8000u) ? (value << 1) ^ 0x1021u : value << 1;
            }
            table[n] = (uint16_t)value;
        }
        ready = 1;
    }
    for (i = 0; i < size; i++) {
        crc = (uint16_t)((crc << 8) ^ table[(crc >> 8) ^ bytes[i]]);
    }
    return crc;
}

/* COBS, the whole frame at once. */
static size_t stuff(const uint8_t *content, size_t size, uint8_t *coded)
{
    size_t code = 0, at = 1, i;
    uint8_t run = 1;

    for (i = 0; i < size; i++) {
        if (content[i] != 0) {
            coded[at++] = content[i];
            run++;
        }
        if (content[i] == 0 || run == 255) {
            coded[code] = run;
            code = at++;
            run = 1;
        }
    }
    coded[code] = run;
    return at;
}

/* The size of the content, or -1 where a block is cut. */
static long unstuff(const uint8_t *coded, size_t size, uint8_t *content)
{
    size_t i = 0;
    long count = 0;

    while (i < size) {
        size_t code = coded[i];
        if (i + code > size) {
            return -1;
        }
        memcpy(content + count, coded + i + 1, code - 1);
        count += (long)code - 1;
        i += code;
        if (code < 255 && i < size) {
            content[count++] = 0;
        }
    }
    return count;
}

static uint32_t u32_at(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* Fails where the class or, unless NULL, the scores are wrong. */
static void check_scores(const uint8_t *sample, uint8_t winner, const uint8_t *answered)
{
    /* w[i][k] as in network.h, worked out once */
    static int32_t weight[EBNN_INPUT_BYTES][EBNN_CLASSES];
    static int ready;
    int32_t scores[EBNN_CLASSES];
    int i, k, best = 0;

    if (!ready) {
        for (i = 0; i < EBNN_INPUT_BYTES; i++) {
            for (k = 0; k < EBNN_CLASSES; k++) {
                weight[i][k] = ((7 * i + 13 * k) % 31 - 15) * 1000;
            }
        }
        ready = 1;
    }
    for (k = 0; k < EBNN_CLASSES; k++) {
        scores[k] = k;
    }
    for (i = 0; i < EBNN_INPUT_BYTES; i++) {
        for (k = 0; k < EBNN_CLASSES; k++) {
            scores[k] += sample[i] * weight[i][k];
        }
    }
    for (k = 0; k < EBNN_CLASSES; k++) {
        if (scores[k] > scores[best]) {
            best = k;
        }
        if (answered != NULL && u32_at(answered + 4 * k) != (uint32_t)scores[k]) {
            fail("wrong score");
        }
    }
    if (winner != best) {
        fail("wrong class");
    }
}

/* The sample of a request: its body, or what a raw one is encoded to. */
static const uint8_t *sample_of(const uint8_t *content)
{
#ifdef RAW_BYTES
    static uint8_t sample[EBNN_INPUT_BYTES];
    int i;

    if (content[2] == EBNN_COMMAND_PREDICT_RAW) {
        for (i = 0; i < EBNN_INPUT_BYTES; i++) {
            sample[i] = content[3 + 2 * i] ^ content[4 + 2 * i];
        }
        return sample;
    }
#endif
    return content + 3;
}

/* The bytes of a sample that a command takes; 0 where it takes none. */
static long sample_bytes(uint8_t command)
{
#ifdef RAW_BYTES
    if (command == EBNN_COMMAND_PREDICT_RAW) {
        return RAW_BYTES;
    }
#endif
    return command == EBNN_COMMAND_PREDICT || command == EBNN_COMMAND_PROFILE ? EBNN_INPUT_BYTES : 0;
}

/* What the responder must hold. */
static struct {
    int in_session, kept;
    uint8_t nonce[4];
    uint8_t request[5];                   /* sequence u16, command u8, checksum u16 of the kept reply's request */
    uint8_t result[5 + 4 * EBNN_CLASSES]; /* of the kept reply */
    uint32_t inferences;
} held;

static void check_prediction(const uint8_t *content, const uint8_t *answer)
{
    uint32_t runs = micros_calls / 2;

    micros_calls = 0;
    if (held.kept && memcmp(held.request, answer, sizeof held.request) == 0) {
        if (runs != 0 || memcmp(held.result, answer + 6, sizeof held.result) != 0) {
            fail("a repeated request was run again");
        }
        return;
    }
    if (runs != 1) {
        fail("a new request was not run once");
    }
    check_scores(sample_of(content), answer[6], answer + 11);
    held.kept = 1;
    held.inferences++;
    memcpy(held.request, answer, sizeof held.request);
    memcpy(held.result, answer + 6, sizeof held.result);
}

static void check_profile(const uint8_t *content, const uint8_t *answer)
{
    const uint8_t *times = answer + 11;
    uint32_t i;

    if (micros_calls != EBNN_LAYERS + 2 || memory_calls != 1) {
        fail("a profile was not run once");
    }
    for (i = 0; i < EBNN_LAYERS; i++) {
        if (u32_at(times + 4 * i) != micros_of(i + 2) - micros_of(i + 1)) {
            fail("wrong time of a layer");
        }
    }
    if (u32_at(answer + 7) != micros_of(EBNN_LAYERS + 2) - micros_of(1)) {
        fail("wrong total time");
    }
    if (u32_at(times + 4 * EBNN_LAYERS) != (uint32_t)input_number * 40503u ||
        u32_at(times + 4 * EBNN_LAYERS + 4) != 0xFFFFFFFFu - (uint32_t)input_number % 3u) {
        fail("wrong memory");
    }
    check_scores(content + 3, answer[6], NULL);
    micros_calls = memory_calls = 0;
    held.kept = 0;
    held.inferences++;
}

static void check_greeting(const uint8_t *content, const uint8_t *answer)
{
    if (answer[5] != EBNN_STATUS_OK || memcmp(answer + 7, content + 4, 4) != 0 ||
        u32_at(answer + 11) != EBNN_NETWORK_HASH || u32_at(answer + 23) != held.inferences) {
        fail("wrong greeting");
    }
    if (!held.in_session || memcmp(held.nonce, content + 4, 4) != 0) {
        held.kept = 0;
    }
    held.in_session = 1;
    memcpy(held.nonce, content + 4, 4);
}

enum outcome { IGNORED, UNREADABLE, REFUSED, GREETED, PREDICTED, PROFILED, OUTCOMES };

static void expect_detail(const uint8_t *answer, long size, uint8_t status, uint32_t detail)
{
    if (size != 10 || answer[5] != status || u32_at(answer + 6) != detail) {
        fail("wrong reason");
    }
}

static enum outcome check(void)
{
    static uint8_t content[LONGEST], answer[sizeof output];
    long size = unstuff(input, input_size, content);
    long answer_size, body = size - 5;
    uint16_t crc;

    if (input_size == 0) {
        if (output_size != 0) {
            fail("an answer to an empty frame");
        }
        return IGNORED;
    }
    if (output_size < 4 || output_size > sizeof output || output[0] != 0 || output[output_size - 1] != 0) {
        fail("no answer");
    }
    if (memchr(output + 1, 0, output_size - 2) != NULL) {
        fail("more than one answer");
    }
    answer_size = unstuff(output + 1, output_size - 2, answer);
    if (answer_size < 8 ||
        crc_of(answer, (size_t)answer_size - 2) != (answer[answer_size - 2] | answer[answer_size - 1] << 8)) {
        fail("a damaged answer");
    }
    answer_size -= 2;

    crc = size >= 5 ? crc_of(content, (size_t)size - 2) : 0;
    if (size < 5 || crc != (content[size - 2] | content[size - 1] << 8)) {
        static const uint8_t nobody[5] = {0, 0, EBNN_REPLY, 0, 0};
        if (memcmp(answer, nobody, sizeof nobody) != 0) {
            fail("an unreadable frame has somebody's answer");
        }
        if (size < 0) {
            if (answer_size != 10 || answer[5] != EBNN_STATUS_BAD_CODING) {
                fail("wrong reason");
            }
        } else if (size < 5) {
            expect_detail(answer, answer_size, EBNN_STATUS_TOO_SHORT, 0);
        } else {
            uint8_t status = body > LONGEST_BODY ? EBNN_STATUS_TOO_LONG : EBNN_STATUS_BAD_CRC;
            expect_detail(answer, answer_size, status, (uint32_t)body);
        }
        return UNREADABLE;
    }

    if (answer[0] != content[0] || answer[1] != content[1] || answer[2] != (content[2] | EBNN_REPLY) ||
        (answer[3] | answer[4] << 8) != crc) {
        fail("the answer to another request");
    }
    if (content[2] == EBNN_COMMAND_HELLO) {
        if (body != 5) {
            expect_detail(answer, answer_size, EBNN_STATUS_WRONG_SIZE, 5);
            return REFUSED;
        }
        check_greeting(content, answer);
        return GREETED;
    }
    if (sample_bytes(content[2]) != 0) {
        int profiling = content[2] == EBNN_COMMAND_PROFILE;
        if (body != sample_bytes(content[2])) {
            expect_detail(answer, answer_size, EBNN_STATUS_WRONG_SIZE, (uint32_t)sample_bytes(content[2]));
            return REFUSED;
        }
        if (!held.in_session) {
            expect_detail(answer, answer_size, EBNN_STATUS_NO_SESSION, 0);
            return REFUSED;
        }
        if (answer[5] != EBNN_STATUS_OK ||
            answer_size != 6 + 5 + (profiling ? 4 * EBNN_LAYERS + 8 : 4 * EBNN_CLASSES)) {
            fail("no prediction");
        }
        if (profiling) {
            check_profile(content, answer);
            return PROFILED;
        }
        check_prediction(content, answer);
        return PREDICTED;
    }
    expect_detail(answer, answer_size, EBNN_STATUS_UNKNOWN_COMMAND, content[2]);
    return REFUSED;
}

/* A valid frame, without the zeros around it. */
static void make_frame(void)
{
    static uint8_t content[LONGEST];
    static uint16_t number; /* a new one each time, as the host does it */
    uint32_t kind = draw(20), mask = draw(3), i;
    size_t size = 3;

    number++;
    content[0] = (uint8_t)(number & 0xFF);
    content[1] = (uint8_t)(number >> 8);
    if (kind < 9) {
        content[2] = kind < 6 ? EBNN_COMMAND_PREDICT : EBNN_COMMAND_PROFILE;
#ifdef RAW_BYTES
        content[2] = kind < 3 ? EBNN_COMMAND_PREDICT_RAW : content[2];
#endif
        size += (size_t)sample_bytes(content[2]);
    } else if (kind < 13) {
        content[2] = EBNN_COMMAND_HELLO;
        size += 5;
    } else {
        static const uint8_t commands[] = {
            EBNN_COMMAND_PREDICT, EBNN_COMMAND_PROFILE, EBNN_COMMAND_HELLO, 0, 4, EBNN_REPLY, 0xFF};
        content[2] = commands[draw(sizeof commands)];
        size += draw(kind == 19 ? 600 : 80);
    }
    for (i = 3; i < size; i++) {
        content[i] = mask == 0 ? (uint8_t)(draw(4) == 0) : mask == 1 ? (uint8_t)(1 + draw(255)) : (uint8_t)draw(256);
    }
    if (content[2] == EBNN_COMMAND_HELLO && draw(2) && size == 8) {
        memset(content + 3, 1, 5); /* a nonce that comes again */
    }
    content[size] = (uint8_t)(crc_of(content, size) & 0xFF);
    content[size + 1] = (uint8_t)(crc_of(content, size) >> 8);
    input_size = stuff(content, size + 2, input);
}

static void damage(void)
{
    uint32_t times = 1 + draw(3);

    while (times-- != 0 && input_size > 0) {
        size_t i = draw((uint32_t)input_size);
        switch (draw(4)) {
        case 0: /* flip; 0x00 would end the frame */
            input[i] = (uint8_t)(input[i] ^ (1u << draw(8)));
            input[i] = input[i] ? input[i] : 0xFF;
            break;
        case 1: /* lose */
            memmove(input + i, input + i + 1, input_size - i - 1);
            input_size--;
            break;
        case 2: /* repeat */
            if (input_size < LONGEST) {
                memmove(input + i + 1, input + i, input_size - i);
                input_size++;
            }
            break;
        default: /* cut */
            input_size = i;
            break;
        }
    }
}

static void make_input(void)
{
    static uint8_t kept[KEPT_REQUESTS][LONGEST];
    static size_t kept_size[KEPT_REQUESTS];
    uint32_t kind = draw(16), slot = draw(KEPT_REQUESTS), i;

    if (kind < 8) {
        input_size = draw(24);
        for (i = 0; i < input_size; i++) {
            /* small values are plausible code bytes */
            input[i] = (uint8_t)(kind < 4 ? 1 + draw(255) : 1 + draw(6));
        }
        return;
    }
    if (kind == 8) { /* again what came before */
        memcpy(input, kept[slot], kept_size[slot]);
        input_size = kept_size[slot];
        return;
    }
    make_frame();
    memcpy(kept[slot], input, input_size);
    kept_size[slot] = input_size;
    if (kind < 13) {
        damage();
    }
}

int main(int count, char **values)
{
    uint64_t inputs = count > 1 ? strtoull(values[1], NULL, 10) : 100000;
    uint64_t bytes = 0, outcomes[OUTCOMES] = {0};
    static const char *const names[OUTCOMES] = {"ignored", "unreadable", "refused", "greeted", "predicted", "profiled"};
    int i;

    random_state = (count > 2 ? strtoull(values[2], NULL, 10) : 1) * 2 + 1;
    for (input_number = 0; input_number < inputs; input_number++) {
        size_t at;

        if (draw(5000) == 0) {
            ebnn_responder_reset();
            memset(&held, 0, sizeof held);
        }
        make_input();
        output_size = 0;
        for (at = 0; at < input_size; at++) {
            ebnn_responder_take(input[at]);
        }
        if (output_size != 0) {
            fail("an answer before the frame ended");
        }
        ebnn_responder_take(0);
        outcomes[check()]++;
        bytes += input_size + 1;
    }
    printf("inputs %llu\nbytes %llu\n", (unsigned long long)inputs, (unsigned long long)bytes);
    for (i = 0; i < OUTCOMES; i++) {
        printf("%s %llu\n", names[i], (unsigned long long)outcomes[i]);
    }
    return 0;
}
