/*
 * The port: where constants lie, how they are read, what the linker checks. The only file that knows the target.
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

/*
 * EBNN_FLASH marks a constant, EBNN_READ_... read it. A build may set all of them before this file, for memory of
 * another kind; whoever sets EBNN_FLASH sees to it that the reads reach it.
 */
#if defined(__AVR__)
#include <avr/io.h>
#include <avr/pgmspace.h>
#define EBNN_HAS_WORDS 0 /* one instruction moves 32 bits */
#if defined(EBNN_FLASH)
#define EBNN_FLASH_PAGE EBNN_FLASH __attribute__((aligned(256)))
#else
#define EBNN_READ_OWN_U8(address) pgm_read_byte(address)
#define EBNN_READ_OWN_U16(address) pgm_read_word(address)
/* 256 bytes, aligned so, in a section of their own, near the start: no other constants are aligned with them. */
#define EBNN_FLASH_PAGE __attribute__((section(".progmem.gcc_ebnn_page"), aligned(256)))
#if FLASHEND > 0xFFFF
#define EBNN_FLASH __attribute__((section(".progmem.gcc_ebnn")))
#define EBNN_CHECKS_REACH 1
#else
#define EBNN_FLASH PROGMEM
#endif
#endif
#ifndef EBNN_READ_U8
#define EBNN_READ_U8(address) pgm_read_byte(address)
#endif
#ifndef EBNN_READ_U16
#define EBNN_READ_U16(address) pgm_read_word(address)
#endif
#ifndef EBNN_READ_U32
#define EBNN_READ_U32(address) pgm_read_dword(address)
#endif
#ifndef EBNN_READ_FLOAT
#define EBNN_READ_FLOAT(address) pgm_read_float(address)
#endif
#ifndef EBNN_READ_BLOCK
#define EBNN_READ_BLOCK(to, from, size) memcpy_P((to), (from), (size))
#endif
#ifndef EBNN_AVR_READ
#define EBNN_AVR_READ "lpm" /* the instruction that reads a network's constants by Z */
#endif
#else
#define EBNN_HAS_WORDS 1
#ifndef EBNN_FLASH
#define EBNN_FLASH
#define EBNN_FLASH_IS_MEMORY 1 /* a pointer to a constant is a pointer like any */
#endif
#ifndef EBNN_READ_U8
#define EBNN_READ_U8(address) (*(const uint8_t *)(address))
#endif
#ifndef EBNN_READ_U16
#define EBNN_READ_U16(address) (*(const uint16_t *)(address))
#endif
#ifndef EBNN_READ_U32
#define EBNN_READ_U32(address) (*(const uint32_t *)(address))
#endif
#ifndef EBNN_READ_FLOAT
#define EBNN_READ_FLOAT(address) (*(const float *)(address))
#endif
#ifndef EBNN_READ_BLOCK
#define EBNN_READ_BLOCK(to, from, size) memcpy((to), (from), (size))
#endif
#endif

/* Constants of this library itself, which lie in flash wherever a network's lie. */
#ifndef EBNN_READ_OWN_U8
#define EBNN_READ_OWN_U8(address) EBNN_READ_U8(address)
#define EBNN_READ_OWN_U16(address) EBNN_READ_U16(address)
#endif

/* Sums that one addition makes, see columns.h: what decides how constants lie, so headers ask for it too. */
#ifndef EBNN_LANES
#if defined(__AVR__)
#define EBNN_LANES 1
#else
#define EBNN_LANES 2
#endif
#endif

/*
 * On an AVR of more than 64 KB of flash, pgm_read reaches the first 64 KB only. There the constants of a source file
 * lie in one section, `.progmem.gcc_ebnn`: linker scripts put `.progmem.gcc*`, which is for what GCC itself must reach,
 * before a program's own constants. Where they lie further, EBNN_CHECK_REACH makes the link fail. No relocation of
 * AVR's tells that a 16-bit address was cut off, so it asks two that tell when they are out of range, in sections that
 * are not loaded:
 * - `.ebnn_constants_lie_beyond_64_KB` is as long as the constants, file after file as they are. An rjmp from the start
 *   of a file's part to the start of its constants reaches 4 KB: so these are at most 3.5 KB behind their place here.
 * - `.ebnn_sum` has a byte for each 240 of them. The address of a network's last byte there must fit a byte: so there
 *   are at most 61,440, and with 3.5 KB more all are within reach.
 * It stands in the function that reads the constants and refers to both, so that they stay as long as the function.
 * of: a name of its own; bytes: of the constants.
 */
#if defined(EBNN_CHECKS_REACH)
#define EBNN_CHECK_REACH(of, bytes)                                                                               \
    __asm__ __volatile__(".ifndef .Lebnn_near\n\t"                                                                \
                         ".pushsection .progmem.gcc_ebnn,\"a\",@progbits\n\t"                                     \
                         ".popsection\n\t" /* of a file that has none, too */                                     \
                         EBNN_NEAR_SECTION ".Lebnn_near: rjmp .progmem.gcc_ebnn + 512\n\t"                        \
                         ".skip 512\n\t" /* the table of ones, aligned */                                         \
                         ".set .Lebnn_bytes, 512\n\t"                                                             \
                         ".popsection\n\t"                                                                        \
                         ".pushsection .ebnn_sum,\"\",@progbits\n\t"                                              \
                         ".skip 3\n\t"                                                                            \
                         ".popsection\n\t"                                                                        \
                         ".endif\n\t"                                                                             \
                         ".ifndef .Lebnn_sum_" of "\n\t"                                                          \
                         ".pushsection .ebnn_sum,\"\",@progbits\n"                                                \
                         ".Lebnn_sum_" of ": .skip (%0 + 239) / 240\n\t"                                          \
                         ".popsection\n\t" EBNN_NEAR_SECTION ".byte .Lebnn_sum_" of " + (%0 + 239) / 240 - 1\n\t" \
                         ".skip %0 - 1\n\t"                                                                       \
                         ".set .Lebnn_bytes, .Lebnn_bytes + %0\n\t"                                               \
                         ".if .Lebnn_bytes > 61440\n\t"                                                           \
                         ".error \"ebnn: constants beyond 60 KB in one source file\"\n\t"                         \
                         ".endif\n\t"                                                                             \
                         ".popsection\n\t"                                                                        \
                         ".endif\n\t"                                                                             \
                         ".reloc ., R_AVR_NONE, .Lebnn_near\n\t"                                                  \
                         ".reloc ., R_AVR_NONE, .Lebnn_sum_" of                                                   \
                         :                                                                                        \
                         : "n"((uint32_t)(bytes)))
#define EBNN_NEAR_SECTION ".pushsection .ebnn_constants_lie_beyond_64_KB,\"\",@progbits\n\t"
#else
#define EBNN_CHECK_REACH(of, bytes) ((void)0)
#endif

/*
 * How a network's arena and functions are defined: in each source file that includes its header, for the linker to keep
 * one of each (not defined where linkers cannot), or, with EBNN_STATIC, in one source file for itself.
 */
#if !defined(EBNN_SHARED) && defined(__GNUC__) && (defined(__ELF__) || defined(__APPLE__))
#define EBNN_SHARED __attribute__((weak))
#endif
#if defined(__GNUC__)
#define EBNN_PRIVATE static __attribute__((unused))
#else
#define EBNN_PRIVATE static
#endif

/*
 * Makes the link fail where two source files include different headers of one name, or one of them with EBNN_STATIC.
 * The section is a group that the linker keeps once for each `header`; a symbol outside, or in two groups, is defined
 * twice.
 */
#if defined(__GNUC__) && defined(__ELF__)
#if defined(EBNN_STATIC)
#define EBNN_HEADERS(header) ".pushsection .ebnn_header,\"\",%progbits\n\t"
#else
#define EBNN_HEADERS(header) ".pushsection .ebnn_headers,\"G\",%progbits," header ",comdat\n\t"
#endif
#define EBNN_ONE_HEADER(name, header)                                                                        \
    __asm__(".ifndef .Lebnn_" header "\n\t"                                                                  \
            ".set .Lebnn_" header                                                                            \
            ", 1\n\t" EBNN_HEADERS(header) ".globl source_files_include_different_headers_of_" name "\n"     \
                                           "source_files_include_different_headers_of_" name ": .byte 0\n\t" \
                                           ".popsection\n\t"                                                 \
                                           ".endif")
#else
#define EBNN_ONE_HEADER(name, header) struct ebnn_unchecked_header
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
