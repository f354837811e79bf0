/* patches.h - what lies under a kernel, copied out of an activation. */
#ifndef EBNN_LINUX_PATCHES_H
#define EBNN_LINUX_PATCHES_H

#include "ebnn_linux.h"

#define EBNN_LINUX_SLACK 64 /* bytes behind an activation or a patch that may be read, or written and lost */

/* Bytes from row to row of an activation of bits or bytes. */
size_t ebnn_linux_row_bytes(const ebnn_linux_layer_t *layer);

/* Copies `count` bits; those at `to` are 0. Eight bytes behind either may be touched, and stay what they were. */
void ebnn_linux_put_bits(uint8_t *to, size_t to_bit, const uint8_t *from, size_t from_bit, size_t count);

/* Patches of bits at places (y, x) to (y, x + count - 1) of the map, `stride` bytes apart; all lie inside the image. */
void ebnn_linux_bit_patches(const ebnn_linux_layer_t *layer, const uint8_t *image, uint32_t y, uint32_t x,
                            uint32_t count, uint8_t *patches, size_t stride);

/* The patch of bits at place (y, x), with what lies outside the image 0, and 1s in `mask` where a tap lies inside.
 * Returns the taps inside. */
int32_t ebnn_linux_bit_patch(const ebnn_linux_layer_t *layer, const uint8_t *image, uint32_t y, uint32_t x,
                             uint8_t *patch, uint8_t *mask);

/* Likewise of bytes, and of floats with channels last; what lies outside is 0. */
void ebnn_linux_byte_patches(const ebnn_linux_layer_t *layer, const uint8_t *image, uint32_t y, uint32_t x,
                             uint32_t count, uint8_t *patches, size_t stride);
void ebnn_linux_byte_patch(const ebnn_linux_layer_t *layer, const uint8_t *image, uint32_t y, uint32_t x,
                           uint8_t *patch);
void ebnn_linux_float_patch(const ebnn_linux_layer_t *layer, const float *image, uint32_t y, uint32_t x, float *patch);

/* A sample of floats, channel after channel, with its channels last. */
void ebnn_linux_channels_last(const ebnn_linux_layer_t *layer, const float *from, float *to);

/* Bits as bytes of 0 and 2, or 1 where `mask` has no bit; NULL has all. Up to seven more bytes are written. */
void ebnn_linux_spread(const uint8_t *bits, const uint8_t *mask, size_t count, uint8_t *bytes);

#endif
