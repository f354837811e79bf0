/*
 * Changes images at random, with their checksums made right again, and predicts with those that are still opened: a
 * build with sanitizers stops where one does harm. Arguments: how many changed images, a seed. Standard input: images,
 * the length of each before it (uint32_t). Writes how many were refused with each status, and how many were run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ebnn/model.h"

#define MOST_IMAGES 512u
#define MOST_BYTES 1000000ul /* of an arena, an input: what would take more is opened only */
#define MOST_WORK 20000000ul

static uint64_t state;

static uint32_t any(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 16);
}

static uint32_t below(uint32_t limit)
{
    return any() % limit;
}

static void put(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
    at[2] = (uint8_t)(value >> 16);
    at[3] = (uint8_t)(value >> 24);
}

static uint32_t get(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint32_t crc32(const uint8_t *bytes, size_t count)
{
    static uint32_t table[256];
    uint32_t crc = 0xFFFFFFFFul;
    size_t i;
    int bit;

    if (table[1] == 0)
        for (i = 0; i < 256; i++) {
            crc = (uint32_t)i;
            for (bit = 0; bit < 8; bit++)
                crc = crc & 1u ? crc >> 1 ^ 0xEDB88320ul : crc >> 1;
            table[i] = crc;
        }
    crc = 0xFFFFFFFFul;
    for (i = 0; i < count; i++)
        crc = table[(crc ^ bytes[i]) & 255u] ^ crc >> 8;
    return ~crc;
}

/* Where the numbers of a layer are: most changes of weights change answers only. */
static size_t place_of_a_record(const uint8_t *image, size_t bytes)
{
    size_t at = image[6] | (size_t)image[7] << 8;
    uint32_t layer = below(image[34] ? image[34] : 1u);

    for (; layer > 0 && at + 8 < bytes; layer--)
        at += get(image + at);
    return at + 8 < bytes ? at + below(at + 64 < bytes ? 56 : 8) : 16 + below(52);
}

static void change(uint8_t *image, size_t bytes)
{
    static const uint16_t numbers[] = {0, 1, 2, 3, 5, 7, 8, 9, 16, 31, 32, 33, 127, 128, 255, 256, 32766, 32767, 65535};
    uint32_t changes = 1u + below(4);

    for (; changes > 0; changes--) {
        const uint32_t where = below(8);
        size_t at = where < 4 ? place_of_a_record(image, bytes) : where < 6 ? 16 + below(52) : below((uint32_t)bytes);
        const uint16_t number = numbers[below(sizeof numbers / sizeof *numbers)];

        switch (below(4)) {
        case 0:
            image[at] = (uint8_t)any();
            break;
        case 1:
            image[at] = (uint8_t)(image[at] ^ 1u << below(8));
            break;
        case 2:
            image[at] = (uint8_t)(image[at] + (below(2) ? 1u : 255u));
            break;
        default:
            at &= ~(size_t)1;
            image[at] = (uint8_t)number;
            if (at + 1 < bytes)
                image[at + 1] = (uint8_t)(number >> 8);
        }
    }
}

static uint64_t work_of(const ebnn_model_t *model)
{
    return (uint64_t)model->arena_bytes * model->image_bytes;
}

static void run(const ebnn_model_t *model)
{
    uint8_t *arena = (uint8_t *)malloc(model->arena_bytes ? model->arena_bytes : 1);
    uint8_t *input = (uint8_t *)malloc(model->input_bytes);
    int32_t *scores = (int32_t *)malloc(sizeof *scores * model->classes);
    uint16_t *probabilities = (uint16_t *)malloc(sizeof *probabilities * model->classes);
    void *raw = malloc(model->raw_bytes ? model->raw_bytes : 1);
    char text[8];
    uint32_t i;

    if (arena == NULL || input == NULL || scores == NULL || probabilities == NULL || raw == NULL)
        exit(4);
    for (i = 0; i < model->input_bytes; i++)
        input[i] = (uint8_t)any();
    memset(raw, 0x42, model->raw_bytes ? model->raw_bytes : 1);
    if (model->kind == 3)
        for (i = 0; i + 4 <= model->input_bytes; i += 4) {
            const float value = (float)input[i] - 100.0f;

            memcpy(input + i, &value, 4);
        }
    if (model->encoder != 0)
        ebnn_model_encode(model, raw, input);
    for (i = 0; i < model->raw_values && i < 64; i++)
        ebnn_model_encode_value(model, raw, i, input);
    if (ebnn_model_predict(model, arena, input, scores) >= model->classes)
        exit(5);
    (void)ebnn_model_class_or_unknown(model, scores);
    ebnn_model_probabilities(model, scores, probabilities);
    for (i = 0; i < 256; i++)
        ebnn_model_class_name(model, (uint8_t)i, text, i % 9);
    ebnn_model_title(model, text, sizeof text);
    free(arena);
    free(input);
    free(scores);
    free(probabilities);
    free(raw);
}

int main(int count, char **arguments)
{
    static uint8_t *images[MOST_IMAGES];
    static uint32_t sizes[MOST_IMAGES];
    unsigned long statuses[10] = {0}, ran = 0, number;
    uint32_t known = 0, i;

    if (count != 3)
        return 2;
    state = strtoul(arguments[2], NULL, 10) * 2654435761u + 88172645463325252ull;
    while (known < MOST_IMAGES && fread(sizes + known, 4, 1, stdin) == 1) {
        images[known] = (uint8_t *)malloc(sizes[known]);
        if (images[known] == NULL || fread(images[known], 1, sizes[known], stdin) != sizes[known])
            return 3;
        known++;
    }
    for (number = strtoul(arguments[1], NULL, 10); number > 0; number--) {
        const uint32_t which = below(known);
        uint32_t bytes = sizes[which];
        uint8_t *image = (uint8_t *)malloc(bytes);
        ebnn_model_t model;
        uint8_t status;

        if (image == NULL)
            return 4;
        memcpy(image, images[which], bytes);
        change(image, bytes);
        memcpy(image, images[which], 12); /* what stands before the checksum is changed less often */
        if (below(8) == 0)
            put(image + 8, bytes = below(8) ? bytes - 4u * below(bytes / 4u - 17u) : get(image + 8) + 4u);
        if (below(16) == 0)
            image[4 + below(4)] = (uint8_t)any();
        if (bytes > sizes[which])
            bytes = sizes[which];
        put(image + 12, crc32(image + 16, bytes - 16));
        status = ebnn_model_open(&model, image, bytes);
        statuses[status]++;
        if (status == EBNN_MODEL_OK && model.arena_bytes <= MOST_BYTES && model.input_bytes <= MOST_BYTES &&
            work_of(&model) <= MOST_WORK) {
            run(&model);
            ran++;
        }
        free(image);
    }
    for (i = 0; i < 10; i++)
        printf("%lu ", statuses[i]);
    printf("%lu\n", ran);
    return 0;
}
