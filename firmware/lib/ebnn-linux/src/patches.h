/* patches.h - what lies under a kernel, copied out of an activation. */
#ifndef EBNN_LINUX_PATCHES_H
#define EBNN_LINUX_PATCHES_H

#include "ebnn_linux.h"

#define EBNN_LINUX_SLACK 64 /* bytes behind an activation or a patch that may be read, or written and lost */

/* Bytes from row to row of an activation of bits or bytes. */
size_t ebnn_linux_row_bytes(const ebnn_linux_layer_t *layer);

/* Copies `count` bits; those at `to` are 0. Eight bytes behind either may be touched, and stay what they were. */
void ebnn_linux_put_bits(uint8_t *to, size_t to_bit, const uint8_t *from, size_t from_bit, size_t count);

/* The patch at place (y, x) of the map, with what lies outside the image 0. Returns the taps inside the image.
 * `mask` gets its 1s where a tap lies inside; it is written only where some lie outside. */
int32_t ebnn_linux_bit_patch(const ebnn_linux_layer_t *layer, const uint8_t *image, uint32_t y, uint32_t x,
                             uint8_t *patch, uint8_t *mask);
void ebnn_linux_byte_patch(const ebnn_linux_layer_t *layer, const uint8_t *image, uint32_t y, uint32_t x,
                           uint8_t *patch);
void ebnn_linux_float_patch(const ebnn_linux_layer_t *layer, const float *image, uint32_t y, uint32_t x, float *patch);

#endif
