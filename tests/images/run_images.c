/*
 * Runs images on standard input and writes what becomes of them. An image comes as its length and that of its samples
 * together (uint32_t each), its bytes, the samples. The answer is what ebnn_model_open returns and, where that is 0,
 * for each sample the class and the scores.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ebnn/model.h"

typedef struct {
    const uint8_t *bytes;
    size_t left;
} source_t;

static int read_byte(void *context)
{
    source_t *source = (source_t *)context;

    if (source->left == 0)
        return -1;
    source->left--;
    return *source->bytes++;
}

/* A block of exactly so many bytes of standard input: the address sanitizer sees what is read beyond it. */
static uint8_t *take(size_t bytes)
{
    uint8_t *block = (uint8_t *)malloc(bytes ? bytes : 1);

    if (block == NULL || fread(block, 1, bytes, stdin) != bytes)
        exit(3);
    return block;
}

static void answer(const ebnn_model_t *model, const uint8_t *sample)
{
    uint8_t *arena = (uint8_t *)malloc(model->arena_bytes ? model->arena_bytes : 1);
    int32_t *scores = (int32_t *)malloc(4u * model->classes);
    uint8_t *input = (uint8_t *)malloc(model->input_bytes);
    uint8_t winner;

    if (arena == NULL || scores == NULL || input == NULL)
        exit(4);
    memset(arena, 0xA5, model->arena_bytes);
    memcpy(input, sample, model->input_bytes);
    winner = ebnn_model_predict(model, arena, input, scores);
    if (ebnn_model_predict(model, arena, input, NULL) != winner)
        exit(5);
    memcpy(arena, sample, model->input_bytes); /* where a sample may lie, too */
    if (ebnn_model_predict(model, arena, arena, scores) != winner)
        exit(6);
    fwrite(&winner, 1, 1, stdout);
    fwrite(scores, 4, model->classes, stdout);
    free(arena);
    free(scores);
    free(input);
}

int main(void)
{
    uint32_t lengths[2];

    while (fread(lengths, 4, 2, stdin) == 2) {
        uint8_t *image = take(lengths[0]), *samples = take(lengths[1]), *ram = (uint8_t *)malloc(lengths[0] + 1);
        source_t source;
        ebnn_model_t model, loaded;
        uint8_t status = ebnn_model_open(&model, image, lengths[0]), again;
        uint32_t at;

        source.bytes = image;
        source.left = lengths[0];
        again = ebnn_model_load(&loaded, read_byte, &source, ram, lengths[0]);
        if ((again == EBNN_MODEL_OK) != (status == EBNN_MODEL_OK))
            return 7;
        fwrite(&status, 1, 1, stdout);
        if (status == EBNN_MODEL_OK)
            for (at = 0; at + model.input_bytes <= lengths[1]; at += model.input_bytes)
                answer(at / model.input_bytes % 2 ? &loaded : &model, samples + at);
        free(image);
        free(samples);
        free(ram);
    }
    return 0;
}
