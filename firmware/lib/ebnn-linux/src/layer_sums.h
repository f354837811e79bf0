/* layer_sums.h - the sums of a layer, before they are pooled and end. */
#ifndef EBNN_LINUX_LAYER_SUMS_H
#define EBNN_LINUX_LAYER_SUMS_H

#include "opened.h"

/* Sums of `count` patches with `blocks` blocks of weights from `block` on. */
void ebnn_linux_patch_sums(const ebnn_linux_run_t *run, const ebnn_linux_room_t *room, const uint8_t *patches,
                           size_t patch_bytes, const uint8_t *masks, uint32_t count, uint32_t block, uint32_t blocks,
                           int32_t *sums);

/* Patches at places from (y, x) on of a row of the map, as the products take them: bytes of -128 to 127 as 0 to 255,
 * bits as 0 and 2 with 1 for what lies outside; the corrections take the weights' part of that back. */
void ebnn_linux_gather(const ebnn_linux_run_t *run, const ebnn_linux_room_t *room, const uint8_t *image, uint32_t y,
                       uint32_t x, uint32_t count, int is_inner, uint8_t *patches);

/* Sums of map rows `first` to `end` - 1 of a sample. */
void ebnn_linux_map_sums(const ebnn_linux_run_t *run, const ebnn_linux_room_t *room, const uint8_t *image,
                         uint32_t first, uint32_t end);

#endif
