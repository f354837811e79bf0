/* ebnn_linux.h - runs a binarized network on Linux: gcc or clang, any core; AVX2, AVX-512 and NEON are used where they
 * are. A network is a table of layers and one block of constants, as `ebnn export --target linux` writes them. */
#ifndef EBNN_LINUX_H
#define EBNN_LINUX_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EBNN_LINUX_VERSION 1

/* What is multiplied in a layer: bits, bytes or floats with weights of +1 and -1, bytes with bytes; or each channel
 * with weights of its own, whole numbers or floats. Bits are made bytes where they meet bytes. */
enum {
    EBNN_LINUX_BITS,
    EBNN_LINUX_BYTES,
    EBNN_LINUX_FLOATS,
    EBNN_LINUX_BYTES_BYTES,
    EBNN_LINUX_CHANNELS,
    EBNN_LINUX_FLOAT_CHANNELS
};

/* What a layer's values are. */
enum { EBNN_LINUX_IN_BITS, EBNN_LINUX_IN_UINT8, EBNN_LINUX_IN_INT8, EBNN_LINUX_IN_FLOAT };

/* What ends a layer. */
enum { EBNN_LINUX_SIGN, EBNN_LINUX_NORMALIZE, EBNN_LINUX_SCORES, EBNN_LINUX_REQUANTIZE };

/* A layer. Pairs are (height, width); a dense layer has a kernel as large as its input. */
typedef struct {
    uint32_t product, input, transform, dense;
    uint32_t channels, height, width;
    uint32_t outputs;
    uint32_t taps; /* values of a filter in memory, padding included */
    uint32_t kernel[2], stride[2], pad[2], map[2];
    uint32_t pool[2], pool_stride[2], pool_pad[2], pooled[2];
    uint32_t average;                         /* the pool adds up; else it takes the largest */
    int32_t low, high;                        /* ends of requantized values */
    uint64_t weights, corrections, constants; /* places in the block of constants */
} ebnn_linux_layer_t;

/* A network as its source file has it. */
typedef struct {
    const char *hash; /* 64 hexadecimal digits */
    const ebnn_linux_layer_t *layers;
    uint32_t layer_count;
    uint32_t classes;
    uint64_t sample_bytes;
    uint64_t constant_bytes;
    const void *constants; /* NULL: they lie in a file of weights */
} ebnn_linux_network_t;

/* A network that is ready to run: its constants, memory and threads. */
typedef struct ebnn_linux ebnn_linux_t;

/* What can go wrong; 0 is success. ebnn_linux_error says each in words. */
enum {
    EBNN_LINUX_NO_MEMORY = 1,
    EBNN_LINUX_NO_FILE,
    EBNN_LINUX_NO_WEIGHTS,
    EBNN_LINUX_OTHER_VERSION,
    EBNN_LINUX_OTHER_NETWORK,
    EBNN_LINUX_DAMAGED,
    EBNN_LINUX_NO_THREAD,
    EBNN_LINUX_NO_PATH
};

/* Makes a network ready to run on `threads` threads, the caller's among them: 1 makes none, 0 is taken as 1.
 * `weights_file` is the file of weights, or NULL where they lie in the source. `path` is "portable", "avx2",
 * "avx512bw", "avx512" or "neon", or NULL for the fastest that runs here. Returns 0 and sets *opened, or one of the
 * errors above. */
int ebnn_linux_open(ebnn_linux_t **opened, const ebnn_linux_network_t *network, const char *weights_file,
                    uint32_t threads, const char *path);

/* Scores of `count` samples, each of sample_bytes bytes as they lie on a board, floats at the places of floats:
 * scores[sample * classes + class]. Calls with one ebnn_linux_t wait for each other; different ones run side by
 * side. */
void ebnn_linux_scores(ebnn_linux_t *opened, const void *samples, size_t count, int32_t *scores);

/* Classes of `count` samples: each the first of the largest scores. */
void ebnn_linux_predict(ebnn_linux_t *opened, const void *samples, size_t count, uint32_t *classes);

/* Ends the threads and frees the memory; NULL is let pass. */
void ebnn_linux_close(ebnn_linux_t *opened);

/* The path that runs, as ebnn_linux_open takes it. */
const char *ebnn_linux_path(const ebnn_linux_t *opened);

/* Path number `index` of this build, whether or not this core runs it; NULL behind the last. */
const char *ebnn_linux_path_name(uint32_t index);

/* Whether this core runs a path. */
int ebnn_linux_path_runs(const char *path);

/* An error in words. */
const char *ebnn_linux_error(int error);

#ifdef __cplusplus
}
#endif

#endif
