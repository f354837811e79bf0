/* paths.h - what a path is: the inner loops of the products, for one kind of core. */
#ifndef EBNN_LINUX_PATHS_H
#define EBNN_LINUX_PATHS_H

#include <stddef.h>
#include <stdint.h>

#define EBNN_LINUX_LANES 32                        /* outputs of a block of weights, side by side */
#define EBNN_LINUX_PANEL 16                        /* outputs of a panel: weights as bytes or floats */
#define EBNN_LINUX_COUNTED 31                      /* bytes whose differing bits a byte can count */
#define EBNN_LINUX_WIDE (EBNN_LINUX_COUNTED * 264) /* bytes whose differing bits 16 bits can count */
#define EBNN_LINUX_INLINE static inline __attribute__((always_inline))

/* Sums of bits. Weights are blocks of [byte of the filter][lane]; bit 1 is +1. */
typedef struct {
    const uint8_t *patches; /* [position][patch_stride], `bytes` of each count */
    const uint8_t *masks;   /* likewise: 0 where a tap lies outside the image; or NULL */
    size_t patch_stride, bytes;
    const int32_t *taps;  /* [position]: taps inside the image */
    const uint32_t *rows; /* [position]: its place in `sums` */
    uint32_t count;       /* positions */
    const uint8_t *weights;
    uint32_t blocks;
    void *operands; /* room for count * bytes * operand_bytes */
    int32_t *sums;  /* [row][sum_stride] */
    size_t sum_stride;
} ebnn_linux_bits_t;

/* Sums of bytes from 0 to 255, times weights from -128 to 127. A panel is [four taps][lane][tap]. The loops add to
 * `sums`. */
typedef struct {
    const uint8_t *patches; /* [position][patch_stride]; `quads` times four bytes of each count */
    size_t patch_stride, quads;
    uint32_t count;
    const int8_t *panel;
    int32_t *sums; /* [position][sum_stride], PANEL of each */
    size_t sum_stride;
} ebnn_linux_bytes_t;

/* Sums of each channel alone: output j is of channel j / each. Weights are [tap][lanes]. The loops add to `sums`. */
typedef struct {
    const uint8_t *patch; /* [tap][channel] */
    const int8_t *weights;
    uint32_t taps, channels, each, lanes;
    int32_t *sums;
} ebnn_linux_channels_t;

/* A window of sums: `count` of each place, a multiple of PANEL; strides are in sums. */
typedef struct {
    const int32_t *sums;
    size_t row_stride, column_stride;
    uint32_t rows, columns, count;
} ebnn_linux_window_t;

/* Sums as small integers: ((sum + bias) * multiplier + half) >> shift, within low to high. */
typedef struct {
    const int32_t *bias, *multiplier, *shift;
    int32_t low, high;
} ebnn_linux_requantize_t;

/* Sums of floats, tap after tap. A panel is [tap][lane]. The loops add to `sums`. */
typedef struct {
    const float *patches; /* [position][patch_stride] */
    size_t patch_stride, taps;
    uint32_t count;
    const float *panel;
    float *sums; /* [position][sum_stride], PANEL of each */
    size_t sum_stride;
} ebnn_linux_floats_t;

typedef struct {
    const char *name;
    size_t operand_bytes; /* that a byte of a patch becomes */
    int (*runs)(void);
    void (*bits)(const ebnn_linux_bits_t *job);
    void (*bytes)(const ebnn_linux_bytes_t *job); /* weights +1 and -1 */
    void (*bytes_bytes)(const ebnn_linux_bytes_t *job);
    void (*floats)(const ebnn_linux_floats_t *job);
    /* bit j of `bits` is sums[j] >= thresholds[j]; `count` is a multiple of 8. */
    void (*signs)(const int32_t *sums, const int32_t *thresholds, uint32_t count, uint8_t *bits);
    void (*largest)(const ebnn_linux_window_t *window, int32_t *most);
    void (*channels)(const ebnn_linux_channels_t *job);
    void (*requantize)(const ebnn_linux_requantize_t *job, const int32_t *sums, uint32_t count, uint8_t *out);
    void (*unpack)(const uint8_t *weights, size_t taps, int8_t *panel);
    void (*unpack_floats)(const uint8_t *weights, size_t taps, float *panel);
} ebnn_linux_path_t;

extern const ebnn_linux_path_t ebnn_linux_portable;
#if defined(__x86_64__) || defined(__i386__)
#define EBNN_LINUX_X86 1
extern const ebnn_linux_path_t ebnn_linux_avx2;
extern const ebnn_linux_path_t ebnn_linux_avx512bw;
extern const ebnn_linux_path_t ebnn_linux_avx512;
#endif
#if defined(__ARM_NEON) && defined(__aarch64__)
#define EBNN_LINUX_NEON 1
extern const ebnn_linux_path_t ebnn_linux_neon;
#endif

#endif
