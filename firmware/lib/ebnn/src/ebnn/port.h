/*
 * The port: where constants lie, and how they are read. The only file that knows the target.
 *
 * On AVR, flash is another address space: constants stay there only when they are marked, and are read by their own
 * instructions. Everywhere else a const array lies in flash and is read like any memory.
 */
#ifndef EBNN_PORT_H
#define EBNN_PORT_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if CHAR_BIT != 8
#error "ebnn needs 8-bit bytes"
#endif

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "ebnn needs a little-endian target: bytes and words are two views of the same bits"
#endif

#if defined(__AVR__)
#include <avr/pgmspace.h>
#define EBNN_FLASH PROGMEM
#define EBNN_READ_U8(address) pgm_read_byte(address)
#define EBNN_READ_U16(address) pgm_read_word(address)
#define EBNN_READ_U32(address) pgm_read_dword(address)
#define EBNN_READ_FLOAT(address) pgm_read_float(address)
#define EBNN_READ_BLOCK(to, from, size) memcpy_P((to), (from), (size))
#else
#define EBNN_FLASH
#define EBNN_READ_U8(address) (*(const uint8_t *)(address))
#define EBNN_READ_U16(address) (*(const uint16_t *)(address))
#define EBNN_READ_U32(address) (*(const uint32_t *)(address))
#define EBNN_READ_FLOAT(address) (*(const float *)(address))
#define EBNN_READ_BLOCK(to, from, size) memcpy((to), (from), (size))
#endif

/* A pointer that is known to be aligned to words: cores that fault on other loads then load whole words. */
#if defined(__GNUC__)
#define EBNN_WORD_ALIGNED(pointer) __builtin_assume_aligned((pointer), 4)
#else
#define EBNN_WORD_ALIGNED(pointer) (pointer)
#endif

/* How small functions are declared; a build may set its own. */
#ifndef EBNN_INLINE
#define EBNN_INLINE static inline
#endif

/* How layers and inner loops are declared: one copy of each, whoever calls it, so that what they take is known. */
#ifndef EBNN_KERNEL
#if defined(__GNUC__)
#define EBNN_KERNEL static __attribute__((noinline, unused))
#else
#define EBNN_KERNEL static inline
#endif
#endif

#endif
