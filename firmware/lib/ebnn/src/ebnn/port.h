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
#define EBNN_HAS_WORDS 0 /* one instruction moves 32 bits */
#else
#define EBNN_FLASH
#define EBNN_READ_U8(address) (*(const uint8_t *)(address))
#define EBNN_READ_U16(address) (*(const uint16_t *)(address))
#define EBNN_READ_U32(address) (*(const uint32_t *)(address))
#define EBNN_READ_FLOAT(address) (*(const float *)(address))
#define EBNN_READ_BLOCK(to, from, size) memcpy((to), (from), (size))
#define EBNN_HAS_WORDS 1
#endif

/* Copies a word from or to an address that is aligned to words: one instruction, also where there is no C library. */
#if defined(__GNUC__)
#define EBNN_COPY_WORD(to, aligned) __builtin_memcpy((to), __builtin_assume_aligned((aligned), 4), 4u)
#define EBNN_COPY_WORD_TO(aligned, from) __builtin_memcpy(__builtin_assume_aligned((aligned), 4), (from), 4u)
#else
#define EBNN_COPY_WORD(to, aligned) memcpy((to), (aligned), 4u)
#define EBNN_COPY_WORD_TO(aligned, from) memcpy((aligned), (from), 4u)
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
