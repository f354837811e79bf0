/* nibble_rows.h - for shuffles that count: four taps of a patch choose one of 256 rows of 16 bytes, by their values and
 * by which of them lie inside the image. A row says for each nibble of a weight how many bits differ, so one shuffle
 * counts for as many outputs as it has bytes. */
#ifndef EBNN_LINUX_NIBBLE_ROWS_H
#define EBNN_LINUX_NIBBLE_ROWS_H

#include "paths.h"

#ifdef EBNN_LINUX_X86
extern const uint8_t ebnn_linux_rows[256][16];

/* Writes places of rows to the operands, uint16_t: two for each byte of a patch, in bytes. */
void ebnn_linux_choose_rows(const ebnn_linux_bits_t *job);
#endif

#endif
