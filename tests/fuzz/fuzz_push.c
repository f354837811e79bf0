/* Pushes to updatable firmware, right and wrong ones: images that are whole, changed, cut, and changed with the right
 * checksum; requests in any order; samples in between; the power fails at any byte that is written.
 *
 *     fuzz_push COUNT SEED IMAGE ...
 *
 * For each request there is one answer. A network that answers is the firmware's own, one of the images, or one that
 * was made of them with the right checksum. Sanitizers watch the rest. Prints how often each kind of network answered.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frames.h"
#include "protocol.h"
#include "responder.h"
#include "store.h"

#define STORE 1024
#define LARGEST 4096
#define IMAGES 8

static uint64_t random_state;
static uint8_t request[8192], answer_bytes[8192];
static size_t request_size, answer_size;
static unsigned frames_out;
static uint8_t images[IMAGES][LARGEST];
static uint32_t sizes[IMAGES];
static int image_count;
static uint8_t store[STORE];
static uint32_t until_failure;
static jmp_buf power;

static uint32_t draw(uint32_t below)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (uint32_t)((random_state * 2685821657736338717ULL) >> 32) % below;
}

uint32_t ebnn_store_bytes(void)
{
    return STORE;
}

void ebnn_store_read(uint32_t at, uint8_t *bytes, uint32_t count)
{
    if (at > STORE || count > STORE - at) {
        abort();
    }
    memcpy(bytes, store + at, count);
}

void ebnn_store_write(uint32_t at, const uint8_t *bytes, uint32_t count)
{
    uint32_t i;

    if (at > STORE || count > STORE - at) {
        abort();
    }
    for (i = 0; i < count; i++) {
        if (until_failure != 0 && --until_failure == 0) {
            store[at + i] = (uint8_t)draw(256);
            longjmp(power, 1);
        }
        store[at + i] = bytes[i];
    }
}

void ebnn_port_put(uint8_t byte)
{
    if (answer_size < sizeof answer_bytes) {
        answer_bytes[answer_size++] = byte;
    }
    frames_out += byte == 0;
}

uint32_t ebnn_port_micros(void)
{
    return 0;
}

void ebnn_port_memory(uint32_t *untouched, uint32_t *deepest_stack)
{
    *untouched = *deepest_stack = EBNN_UNTOLD;
}

static void collect(uint8_t byte)
{
    request[request_size++] = byte;
}

static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static void ask(uint8_t command, const uint8_t *body, uint32_t size)
{
    static uint16_t number;
    struct ebnn_span spans[3];
    uint8_t head[3];
    size_t i;

    number++;
    head[0] = (uint8_t)(number & 0xFF);
    head[1] = (uint8_t)(number >> 8);
    head[2] = command;
    spans[0].bytes = head;
    spans[0].count = 3;
    spans[1].bytes = body;
    spans[1].count = (uint16_t)size;
    request_size = answer_size = 0;
    frames_out = 0;
    ebnn_frame_send(spans, 2, collect);
    for (i = 0; i < request_size; i++) {
        ebnn_responder_take(request[i]);
    }
    if (frames_out != 2) {
        fail("not one answer");
    }
}

static void put_word(uint8_t *bytes, uint32_t word)
{
    memcpy(bytes, &word, 4);
}

static uint32_t crc32_of(const uint8_t *bytes, uint32_t count)
{
    uint32_t crc = 0xFFFFFFFFu, i, bit;

    for (i = 0; i < count; i++) {
        crc ^= bytes[i];
        for (bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1u ? 0xEDB88320u : 0u);
        }
    }
    return ~crc;
}

/* The hash and the classes in the answer to a HELLO, after COBS. */
static void greet(uint8_t nonce, uint32_t *hash, uint32_t *classes, uint32_t *input_bytes)
{
    static uint8_t body[5] = {EBNN_PROTOCOL_VERSION};
    struct ebnn_frame_decoder decoder;
    uint8_t content[256];
    size_t i, count = 0;

    body[1] = nonce;
    ask(EBNN_COMMAND_HELLO, body, sizeof body);
    memset(&decoder, 0, sizeof decoder);
    for (i = 0; i < answer_size; i++) {
        if (ebnn_frame_take(&decoder, answer_bytes[i]) == EBNN_FRAME_CONTENT && count < sizeof content) {
            content[count++] = decoder.value;
        }
    }
    memcpy(hash, content + 11, 4);
    memcpy(input_bytes, content + 15, 4);
    *classes = content[27];
}

static unsigned long own, pushed, made, none, cuts;
static uint8_t image[LARGEST], body[LARGEST + 64]; /* what is pushed, and a request's body */
static uint32_t size, at;
static int forged;
static uint32_t own_hash;

static void step(void)
{
    uint32_t hash, classes, input_bytes, kind = draw(40), i;

    if (kind == 0) { /* a new image to push, and a moment for the power to fail */
        uint32_t which = draw((uint32_t)image_count);
        memcpy(image, images[which], LARGEST);
        size = sizes[which];
        if (draw(3) == 0) {
            for (i = 1 + draw(4); i > 0; i--) {
                image[16 + draw(size - 16)] ^= (uint8_t)(1u << draw(8));
            }
            if (draw(2) == 0) {
                put_word(image + 12, crc32_of(image + 16, size - 16));
                forged = 1;
            }
        }
        until_failure = draw(2) == 0 ? 1 + draw(2 * size) : 0;
        greet(1, &hash, &classes, &input_bytes);
        ask(EBNN_COMMAND_PUSH_BEGIN, image, draw(20) == 0 ? draw(80) : 36);
        at = 0;
    } else if (kind < 30 && size != 0) {
        uint32_t piece = 1 + draw(64), from = draw(30) == 0 ? draw(size + 10) : at;
        from = from > LARGEST - 64 ? 0 : from;
        if (from + piece > size && draw(20) != 0) {
            piece = from < size ? size - from : 1;
        }
        put_word(body, from);
        memcpy(body + 4, image + from, piece);
        ask(EBNN_COMMAND_PUSH_PIECE, body, 4 + piece);
        at = from + piece;
        if (at >= size) {
            ask(EBNN_COMMAND_PUSH_COMMIT, image + 12, 4);
            at = 0;
        }
    } else if (kind < 32) {
        ask(draw(2) ? EBNN_COMMAND_PUSH_ABORT : EBNN_COMMAND_PUSH_COMMIT, image + 12, draw(2) ? 4 : draw(40));
    } else if (kind == 32 && draw(10) == 0) {
        greet(1, &hash, &classes, &input_bytes);
        put_word(body, hash);
        ask(EBNN_COMMAND_PUSH_FORGET, body, 4);
    } else if (kind == 33 && draw(10) == 0) {
        ebnn_responder_reset();
    } else if (kind == 34 && draw(10) == 0) {
        greet((uint8_t)(2 + draw(4)), &hash, &classes, &input_bytes);
    } else {
        greet(1, &hash, &classes, &input_bytes);
        for (i = 0; i < (uint32_t)image_count; i++) {
            uint32_t known = (uint32_t)images[i][16] << 24 | (uint32_t)images[i][17] << 16 |
                             (uint32_t)images[i][18] << 8 | images[i][19];
            if (known == hash) {
                break;
            }
        }
        if (classes == 0) {
            none++;
        } else if (i < (uint32_t)image_count) {
            pushed++;
        } else if (hash == own_hash) {
            own++;
        } else if (forged) {
            made++;
        } else {
            fail("a network that never was");
        }
        if (input_bytes < LARGEST) {
            memset(body, (int)draw(256), input_bytes);
            ask(draw(2) ? EBNN_COMMAND_PREDICT : EBNN_COMMAND_PROFILE, body, input_bytes);
        }
        ask((uint8_t)draw(16), body, draw(100));
    }
}

int main(int count, char **values)
{
    static uint64_t inputs, number;

    inputs = strtoull(values[1], NULL, 10);
    random_state = strtoull(values[2], NULL, 10) * 2 + 1;
    for (; image_count < count - 3 && image_count < IMAGES; image_count++) {
        FILE *file = fopen(values[3 + image_count], "rb");
        if (file == NULL) {
            fail("no image");
        }
        sizes[image_count] = (uint32_t)fread(images[image_count], 1, LARGEST, file);
        fclose(file);
    }
    memset(store, 0xFF, sizeof store);
    ebnn_responder_reset();
    {
        uint32_t classes, input_bytes;
        greet(0, &own_hash, &classes, &input_bytes);
    }
    for (number = 0; number < inputs; number++) {
        if (setjmp(power) == 0) {
            step();
        } else {
            cuts++;
            until_failure = 0;
            ebnn_responder_reset();
        }
    }
    printf("own %lu\npushed %lu\nmade %lu\nnone %lu\ncuts %lu\n", own, pushed, made, none, cuts);
    return 0;
}
