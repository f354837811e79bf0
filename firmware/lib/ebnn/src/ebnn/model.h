/*
 * Networks at run time: an image, which `ebnn export --format image` writes, is opened, checked and predicted with, by
 * the kernels of this library, without a header of its own. An image is read where it lies: in RAM, in flash, or copied
 * from anywhere else into the caller's RAM.
 *
 * One source file of a program, which includes no other header of ebnn before, defines EBNN_MODEL_IMPLEMENTATION and
 * then includes this one; all others just include it. That file may also define
 * - EBNN_MODEL_IN_FLASH: on AVR, images lie in flash; without it they lie in RAM.
 * - EBNN_MODEL_KERNELS: the kernels that are built, of the names below, added up; without it all are.
 */
#ifndef EBNN_MODEL_H
#define EBNN_MODEL_H

#include <stddef.h>
#include <stdint.h>

#define EBNN_MODEL_VERSION 1u     /* of images */
#define EBNN_MODEL_HEAD_BYTES 68u /* of an image before its encoder, texts and layers */
#define EBNN_MODEL_UNKNOWN 255u   /* in the place of a class */

/* What ebnn_model_open and ebnn_model_load return. */
#define EBNN_MODEL_OK 0u
#define EBNN_MODEL_ERR_SIZE 1u    /* shorter than the image says, or longer than the caller's RAM */
#define EBNN_MODEL_ERR_MAGIC 2u   /* no image */
#define EBNN_MODEL_ERR_VERSION 3u /* an image of another version */
#define EBNN_MODEL_ERR_TARGET 4u  /* made for AVR on another core, or for others on AVR */
#define EBNN_MODEL_ERR_CRC 5u     /* damaged */
#define EBNN_MODEL_ERR_KERNEL 6u  /* of a kernel that this program was built without */
#define EBNN_MODEL_ERR_CONTENT 7u /* shapes, counts or numbers that do not fit each other */
#define EBNN_MODEL_ERR_ALIGN 8u   /* not aligned to words */
#define EBNN_MODEL_ERR_READ 9u    /* the reader has ended */

/* Kernels, by their number in an image: convolutions. */
#define EBNN_MODEL_CONV_EACH (1ul << 1)
#define EBNN_MODEL_CONV_FOURS (1ul << 2)
#define EBNN_MODEL_CONV_SUMS (1ul << 3)
#define EBNN_MODEL_COLUMNS (1ul << 4)
#define EBNN_MODEL_TABLES (1ul << 5)
#define EBNN_MODEL_CONV_FLOAT (1ul << 6)
/* Dense layers, and the last one. */
#define EBNN_MODEL_DENSE_EACH (1ul << 7)
#define EBNN_MODEL_DENSE_FOURS (1ul << 8)
#define EBNN_MODEL_DENSE_SUMS (1ul << 9)
#define EBNN_MODEL_DENSE_FLOAT (1ul << 10)
#define EBNN_MODEL_OUTPUT_BITS (1ul << 11)
#define EBNN_MODEL_OUTPUT_FOURS (1ul << 12)
#define EBNN_MODEL_OUTPUT_BYTES (1ul << 13)
/* Layers of integer.h, and how they end. */
#define EBNN_MODEL_MULTIPLY (1ul << 14)
#define EBNN_MODEL_DEPTHWISE (1ul << 15)
#define EBNN_MODEL_DEPTHWISE_BITS (1ul << 16)
#define EBNN_MODEL_VALUES (1ul << 17)
#define EBNN_MODEL_ADD (1ul << 18)
#define EBNN_MODEL_INTEGERS \
    (EBNN_MODEL_MULTIPLY | EBNN_MODEL_DEPTHWISE | EBNN_MODEL_DEPTHWISE_BITS | EBNN_MODEL_VALUES | EBNN_MODEL_ADD)
#define EBNN_MODEL_END_SIGNS (1ul << 20)
#define EBNN_MODEL_END_NARROW (1ul << 21)
#define EBNN_MODEL_END_WIDE (1ul << 22)
#define EBNN_MODEL_END_SCORES (1ul << 23)
/* Encoders. */
#define EBNN_MODEL_AFFINE (1ul << 25)
#define EBNN_MODEL_THERMOMETER (1ul << 26)
#define EBNN_MODEL_ALL 0x6F7FFFEul

/* A network that was opened. Programs read the fields, and leave them as they are. */
typedef struct {
    const uint8_t *image;
    uint32_t image_bytes;
    uint32_t arena_bytes; /* of RAM that a prediction takes, beside image and scores */
    uint32_t input_bytes;
    uint32_t hash32;                  /* the first 32 bits of the network's hash, as a header's NAME_HASH */
    uint32_t raw_values;              /* of a raw sample; 0 without an encoder */
    uint32_t raw_bytes;               /* of a raw sample */
    uint16_t channels, height, width; /* of the input */
    uint16_t first;                   /* where the first layer lies in the image */
    uint16_t texts;                   /* where the title and the names lie */
    uint16_t levels;                  /* bits of a raw value under a thermometer */
    uint16_t rejection;               /* what is less probable is unknown, in 1/65,535; 0: nothing is */
    uint16_t step;                    /* readings from one window to the next; 0 where samples are no series */
    uint8_t classes;
    uint8_t layers;
    uint8_t kind;    /* of the input: 0 bits, 1 uint8_t, 2 int8_t, 3 float */
    uint8_t encoder; /* 0 none, 1 affine, 2 thermometer */
    uint8_t raw;     /* what raw values are: 0 float, 1 int16_t */
    uint8_t named;   /* 1 where classes have names */
} ebnn_model_t;

/* The layer that is run next, and its input. */
typedef struct {
    const uint8_t *at;
    size_t bytes; /* of the input, whole words */
    uint16_t channels, height, width;
    uint8_t kind;
    uint8_t index;
} ebnn_model_place_t;

/* Gives the next byte of an image, 0 to 255, or a number below 0 where there is none. */
typedef int (*ebnn_model_reader_t)(void *context);

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Opens an image: checks all of it, so that whatever the bytes are no prediction touches what is not its own. image:
 * aligned to words (on AVR, anywhere), and left there as long as the model is used; bytes: that may be read there.
 * Returns EBNN_MODEL_OK, or what is wrong; then the model is not to be used.
 */
uint8_t ebnn_model_open(ebnn_model_t *model, const uint8_t *image, size_t bytes);

/*
 * Copies an image, byte after byte, from a reader into the caller's RAM, aligned to words, and opens it there. Reads no
 * byte beyond the image. On AVR not with EBNN_MODEL_IN_FLASH.
 */
uint8_t ebnn_model_load(ebnn_model_t *model, ebnn_model_reader_t read, void *context, uint8_t *ram, size_t ram_bytes);

/*
 * A prediction. Returns the class. arena: aligned to words, model->arena_bytes; input: as NAME_predict takes it,
 * model->input_bytes, floats aligned to words; it may begin where the arena does, and is then overwritten. scores: of
 * all classes, or NULL.
 */
uint8_t ebnn_model_predict(const ebnn_model_t *model, uint8_t *arena, const void *input, int32_t *scores);

/* The same layer by layer: from ebnn_model_begin on, ebnn_model_next runs one; the last returns the class, others 0. */
void ebnn_model_begin(const ebnn_model_t *model, ebnn_model_place_t *place);
uint8_t ebnn_model_next(const ebnn_model_t *model, ebnn_model_place_t *place, uint8_t *arena, const void *input,
                        int32_t *scores);

/* Encodes a raw sample, model->raw_values values, elsewhere than the input; or value `at` of one, each in turn. */
void ebnn_model_encode(const ebnn_model_t *model, const void *raw, void *input);
void ebnn_model_encode_value(const ebnn_model_t *model, const void *value, size_t at, void *input);

/* The class of scores, or EBNN_MODEL_UNKNOWN where it is less probable than model->rejection. */
uint8_t ebnn_model_class_or_unknown(const ebnn_model_t *model, const int32_t *scores);

/* Writes the probability of each class, in 1/65,535. */
void ebnn_model_probabilities(const ebnn_model_t *model, const int32_t *scores, uint16_t *probabilities);

/*
 * Copies the network's title, or the name of class k, in UTF-8, and cuts off what `bytes` cannot hold with a 0. A class
 * without a name gives ""; where there is no class k, "unknown". Returns text.
 */
char *ebnn_model_title(const ebnn_model_t *model, char *text, size_t bytes);
char *ebnn_model_class_name(const ebnn_model_t *model, uint8_t k, char *text, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif

#if defined(EBNN_MODEL_IMPLEMENTATION) && !defined(EBNN_MODEL_IMPLEMENTED)
#define EBNN_MODEL_IMPLEMENTED

#if defined(__AVR__)
#if defined(EBNN_PORT_H)
#error "ebnn: define EBNN_MODEL_IMPLEMENTATION in a source file that includes no other header of ebnn before"
#endif
/* Layers are put together in RAM, and point to arrays wherever the image lies. */
#define EBNN_READ_BLOCK(to, from, size) memcpy((to), (from), (size))
#if !defined(EBNN_MODEL_IN_FLASH)
#define EBNN_READ_U8(address) (*(const uint8_t *)(address))
#define EBNN_READ_U16(address) (*(const uint16_t *)(address))
#define EBNN_READ_U32(address) (*(const uint32_t *)(address))
#define EBNN_READ_FLOAT(address) (*(const float *)(address))
#define EBNN_AVR_READ "ld"
#endif
#endif

#include "model_run.h"

#endif
