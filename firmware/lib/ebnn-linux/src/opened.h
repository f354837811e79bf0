/* opened.h - an opened network: what was chosen for its layers, what its threads work in, and a layer under way. */
#ifndef EBNN_LINUX_OPENED_H
#define EBNN_LINUX_OPENED_H

#include "ebnn_linux.h"

#include <pthread.h>

#include "paths.h"
#include "thread_pool.h"
#include "weights_file.h"

#define EBNN_LINUX_CHUNK_TAPS 512 /* of a panel: it lies in the first cache, floats too */

/* What a thread works in. */
typedef struct {
    uint8_t *patches, *masks, *operands;
    int32_t *taps, *sums, *most;
    uint32_t *rows;
    int8_t *panel;
    float *float_panel;
    uint8_t *bits, *row, *bit_patch, *bit_mask;
} ebnn_linux_room_t;

/* How a layer is run. */
typedef struct {
    size_t patch_bytes; /* from patch to patch */
    uint32_t positions; /* in a tile */
    uint32_t lanes;     /* outputs, rounded up to blocks */
    uint32_t band;      /* pooled rows whose sums lie in memory together */
    uint32_t bands;
    uint32_t inner[2], inner_end[2]; /* rows and columns of the map whose kernels lie inside the image */
    int out_bits;                    /* whether outputs are bits; else bytes */
    size_t out_row_bytes;
} ebnn_linux_step_t;

struct ebnn_linux {
    const ebnn_linux_network_t *network;
    const ebnn_linux_path_t *path;
    const uint8_t *constants;
    ebnn_linux_file_t file;
    ebnn_linux_threads_t *pool;
    pthread_mutex_t lock;
    uint32_t threads, group;
    size_t activation_bytes; /* from sample to sample */
    ebnn_linux_step_t *steps;
    ebnn_linux_room_t *rooms;
    uint8_t *activations[2];
    int32_t *scores; /* of a group */
    void *memory;
};

/* A layer under way, for `samples` samples. */
typedef struct {
    ebnn_linux_t *net;
    const ebnn_linux_layer_t *layer;
    const ebnn_linux_step_t *step;
    const uint8_t *in;
    uint8_t *out;
    int32_t *scores;
    uint32_t samples, parts;
} ebnn_linux_run_t;

static inline size_t ebnn_linux_round_up(size_t size, size_t unit)
{
    return (size + unit - 1) / unit * unit;
}

static inline uint32_t ebnn_linux_at_most(size_t wanted, uint32_t limit)
{
    return wanted < 1 ? 1 : wanted < limit ? (uint32_t)wanted : limit;
}

static inline int ebnn_linux_is_bit_by_bit(const ebnn_linux_layer_t *layer)
{
    return layer->product == EBNN_LINUX_BITS;
}

static inline int ebnn_linux_is_by_channel(const ebnn_linux_layer_t *layer)
{
    return layer->product == EBNN_LINUX_CHANNELS || layer->product == EBNN_LINUX_FLOAT_CHANNELS;
}

/* Values of a patch, all channels of them. */
static inline size_t ebnn_linux_patch_values(const ebnn_linux_layer_t *layer)
{
    return layer->taps * (ebnn_linux_is_by_channel(layer) ? (size_t)layer->channels : 1);
}

static inline size_t ebnn_linux_value_bytes(const ebnn_linux_layer_t *layer)
{
    return layer->input == EBNN_LINUX_IN_FLOAT ? sizeof(float) : 1;
}

#endif
