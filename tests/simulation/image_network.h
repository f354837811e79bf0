/*
 * A network with the interface of an emitted header whose input is an image and a sample for it: two bytes of the
 * image's length, what is to be done (0: open it, 1: and predict), a byte 0, the image, the sample. The class is what
 * ebnn_model_open returned, or 100 plus the class of the image's network. The scores are that network's.
 */
#ifndef IMAGE_NETWORK_H
#define IMAGE_NETWORK_H

#define EBNN_MODEL_IMPLEMENTATION
#include "ebnn/model.h"

#define EBNN_NETWORK_NAME "images"
#define EBNN_NETWORK_HASH 0x1311A6E5ul
#define EBNN_INPUT_BYTES IMAGE_INPUT_BYTES
#define EBNN_INPUT_TYPE uint8_t
#define EBNN_CLASSES 200
#define EBNN_LAYERS 1
#define EBNN_ARENA_BYTES IMAGE_INPUT_BYTES

static union {
    uint8_t bytes[IMAGE_INPUT_BYTES];
    uint32_t words[IMAGE_INPUT_BYTES / 4];
} image_input;

static union {
    uint8_t bytes[IMAGE_ARENA_BYTES];
    uint32_t words[IMAGE_ARENA_BYTES / 4];
} image_arena;

static inline uint8_t *ebnn_network_input(void)
{
    return image_input.bytes;
}

static inline uint8_t ebnn_network_scores(const EBNN_INPUT_TYPE *input, int32_t *scores)
{
    const size_t bytes = input[0] | (size_t)input[1] << 8;
    ebnn_model_t model;
    const uint8_t status = ebnn_model_open(&model, input + 4, bytes);

    if (status != EBNN_MODEL_OK)
        return status;
    if (model.arena_bytes > sizeof image_arena || model.classes > EBNN_CLASSES)
        return 99;
    if (input[2] == 0u)
        return 0;
    return (uint8_t)(100u + ebnn_model_predict(&model, image_arena.bytes, input + 4 + bytes, scores));
}

static inline uint8_t ebnn_network_layer(uint8_t index, const EBNN_INPUT_TYPE *input, int32_t *scores)
{
    (void)index;
    return ebnn_network_scores(input, scores);
}

#endif
