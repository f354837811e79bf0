/*
 * The functions of model.h. Included by the source file that implements them.
 */
#ifndef EBNN_MODEL_RUN_H
#define EBNN_MODEL_RUN_H

#include "add.h"
#include "class_names.h"
#include "columns.h"
#include "conv.h"
#include "conv_float.h"
#include "dense.h"
#include "dense_float.h"
#include "depthwise.h"
#include "encoder.h"
#include "ends.h"
#include "integer.h"
#include "multiply.h"
#include "output.h"
#include "softmax.h"
#include "tables.h"

#include "model_check.h"
#include "model_layer.h"

#define EBNN_MODEL_HAS(kernel) ((EBNN_MODEL_KERNELS) & (EBNN_MODEL_##kernel))

/* Bytes of the encoder's constants; what is beyond all of them where they are not of the input's channels. */
EBNN_INLINE uint32_t ebnn_model_encoder_bytes(const ebnn_model_t *model)
{
    if (model->encoder == 0u)
        return model->levels == 0u ? 0u : 0xFFFFFFFFul;
    if (model->encoder == 1u)
        return model->levels == 0u && (model->kind == EBNN_UINT8 || model->kind == EBNN_INT8) ? 8ul * model->channels
                                                                                              : 0xFFFFFFFFul;
    return model->levels > 0u && model->kind == EBNN_BITS && model->channels % model->levels == 0u
               ? 4ul * model->channels
               : 0xFFFFFFFFul;
}

/* Whether texts are as many as there must be, and end. */
EBNN_INLINE uint8_t ebnn_model_texts_fit(const ebnn_model_t *model, uint16_t bytes)
{
    const uint8_t *at = model->image + model->texts;
    uint16_t left, ends = 0;

    for (left = bytes; left > 0u; left--)
        if (EBNN_READ_U8(at++) == 0u)
            ends++;
    return bytes > 0u && EBNN_READ_U8(at - 1) == 0u && ends == (model->named ? model->classes + 2u : 1u);
}

/* Reads the head of an image. Returns EBNN_MODEL_OK, or what is wrong with it. */
EBNN_INLINE uint8_t ebnn_model_read_head(ebnn_model_t *model)
{
    const uint8_t *const image = model->image;
    const uint16_t text_bytes = ebnn_model_u16(image + 60);
    uint32_t constants;
    uint16_t classes;

    model->hash32 = (uint32_t)EBNN_READ_U8(image + 16) << 24 | (uint32_t)EBNN_READ_U8(image + 17) << 16 |
                    (uint32_t)EBNN_READ_U8(image + 18) << 8 | EBNN_READ_U8(image + 19);
    model->first = ebnn_model_u16(image + 6);
    model->arena_bytes = ebnn_model_u32(image + 24);
    model->input_bytes = ebnn_model_u32(image + 28);
    classes = ebnn_model_u16(image + 32);
    model->classes = (uint8_t)classes;
    model->layers = EBNN_READ_U8(image + 34);
    model->kind = EBNN_READ_U8(image + 35);
    model->channels = ebnn_model_u16(image + 36);
    model->height = ebnn_model_u16(image + 38);
    model->width = ebnn_model_u16(image + 40);
    model->rejection = ebnn_model_u16(image + 42);
    model->encoder = EBNN_READ_U8(image + 56);
    model->raw = EBNN_READ_U8(image + 57);
    model->levels = ebnn_model_u16(image + 58);
    model->named = EBNN_READ_U8(image + 62);
    model->step = ebnn_model_u16(image + 64);
    if (classes < 1u || classes > 255u || model->layers == 0u || model->kind > EBNN_FLOAT || model->encoder > 2u ||
        model->raw > 1u || model->named > 1u || EBNN_READ_U8(image + 54) > 31u || EBNN_READ_U8(image + 55) > 31u)
        return EBNN_MODEL_ERR_CONTENT;
    if (!ebnn_model_shape_fits(model->kind, model->channels, model->height, model->width) ||
        model->input_bytes != model->height * ebnn_model_row_bytes(model->kind, model->width, model->channels) ||
        model->arena_bytes > EBNN_MODEL_MOST_BYTES || model->arena_bytes % 4u != 0u)
        return EBNN_MODEL_ERR_CONTENT;
    constants = ebnn_model_encoder_bytes(model);
    if (constants > 65535u || EBNN_MODEL_HEAD_BYTES + constants + (text_bytes + 3ul) / 4u * 4u != model->first ||
        model->first > model->image_bytes)
        return EBNN_MODEL_ERR_CONTENT;
    if ((model->encoder == 1u && !EBNN_MODEL_HAS(AFFINE)) || (model->encoder == 2u && !EBNN_MODEL_HAS(THERMOMETER)))
        return EBNN_MODEL_ERR_KERNEL;
    model->texts = (uint16_t)(EBNN_MODEL_HEAD_BYTES + constants);
    if (!ebnn_model_texts_fit(model, text_bytes))
        return EBNN_MODEL_ERR_CONTENT;
    model->raw_values = 0;
    if (model->encoder != 0u)
        model->raw_values =
            (uint32_t)model->height * model->width * model->channels / (model->encoder == 2u ? model->levels : 1u);
    model->raw_bytes = model->raw_values * (model->raw != 0u ? 2u : 4u);
    return EBNN_MODEL_OK;
}

/* What is wrong with the beginning of an image, up to its size. */
EBNN_KERNEL uint8_t ebnn_model_check_start(const uint8_t *image, size_t bytes)
{
    const uint32_t magic = ebnn_model_u32(image), size = ebnn_model_u32(image + 8);

    if (magic != 0x494E4245ul)
        return EBNN_MODEL_ERR_MAGIC;
    if (EBNN_READ_U8(image + 4) != EBNN_MODEL_VERSION)
        return EBNN_MODEL_ERR_VERSION;
    if (EBNN_READ_U8(image + 5) != EBNN_LANES)
        return EBNN_MODEL_ERR_TARGET;
    if (size < EBNN_MODEL_HEAD_BYTES || size > bytes || size > EBNN_MODEL_MOST_BYTES)
        return EBNN_MODEL_ERR_SIZE;
    return EBNN_MODEL_OK;
}

uint8_t ebnn_model_open(ebnn_model_t *model, const uint8_t *image, size_t bytes)
{
    ebnn_model_place_t place;
    uint32_t left;
    uint8_t status;

    if (EBNN_HAS_WORDS && (uintptr_t)image % 4u != 0u)
        return EBNN_MODEL_ERR_ALIGN;
    if (bytes < EBNN_MODEL_HEAD_BYTES)
        return EBNN_MODEL_ERR_SIZE;
    status = ebnn_model_check_start(image, bytes);
    if (status != EBNN_MODEL_OK)
        return status;
    model->image = image;
    model->image_bytes = ebnn_model_u32(image + 8);
    if (ebnn_model_crc(image + 16, model->image_bytes - 16u) != ebnn_model_u32(image + 12))
        return EBNN_MODEL_ERR_CRC;
    status = ebnn_model_read_head(model);
    left = model->image_bytes - model->first;
    for (ebnn_model_begin(model, &place); status == EBNN_MODEL_OK && place.index < model->layers;) {
        const uint8_t *const at = place.at;

        status = ebnn_model_check_layer(model, &place, left);
        left -= (uint32_t)(place.at - at);
    }
    return status == EBNN_MODEL_OK && left != 0u ? EBNN_MODEL_ERR_CONTENT : status;
}

#if !defined(__AVR__) || !defined(EBNN_MODEL_IN_FLASH)

uint8_t ebnn_model_load(ebnn_model_t *model, ebnn_model_reader_t read, void *context, uint8_t *ram, size_t ram_bytes)
{
    const size_t start = 12; /* up to the size */
    size_t at, end = start;

    if (EBNN_HAS_WORDS && (uintptr_t)ram % 4u != 0u)
        return EBNN_MODEL_ERR_ALIGN;
    if (ram_bytes < EBNN_MODEL_HEAD_BYTES)
        return EBNN_MODEL_ERR_SIZE;
    for (at = 0; at < end; at++) {
        const int byte = read(context);

        if (byte < 0)
            return EBNN_MODEL_ERR_READ;
        ram[at] = (uint8_t)byte;
        if (at + 1u == start) {
            const uint8_t status = ebnn_model_check_start(ram, ram_bytes);

            if (status != EBNN_MODEL_OK)
                return status;
            end = (size_t)ebnn_model_u32(ram + 8);
        }
    }
    return ebnn_model_open(model, ram, ram_bytes);
}

#endif

void ebnn_model_begin(const ebnn_model_t *model, ebnn_model_place_t *place)
{
    place->at = model->image + model->first;
    place->bytes = ebnn_whole_words((size_t)model->input_bytes);
    place->channels = model->channels;
    place->height = model->height;
    place->width = model->width;
    place->kind = model->kind;
    place->index = 0;
}

/* How patches of a layer of integer.h are found. */
EBNN_INLINE ebnn_find_t ebnn_model_find(const ebnn_model_layer_t *made)
{
    const ebnn_conv_t *const conv = &made->layer.conv;

#if EBNN_MODEL_HAS(MULTIPLY)
    if (made->kernel == EBNN_MULTIPLY)
        return made->here                        ? ebnn_find_factors_here
               : conv->filters.kind == EBNN_BITS ? ebnn_find_signs_as_factors
                                                 : ebnn_find_factors;
#endif
    if (made->here)
        return ebnn_find_all;
    if (conv->filters.kind != EBNN_BITS)
        return ebnn_find_bytes;
#if EBNN_MODEL_HAS(ADD)
    if (made->kernel == EBNN_ADD)
        return conv->in_c % 8u == 0u ? ebnn_find_octets : ebnn_find_bits;
#endif
    return ebnn_find_signs;
}

/* How the sums of a layer of integer.h are taken. */
EBNN_INLINE ebnn_take_t ebnn_model_take(const ebnn_model_layer_t *made)
{
    switch (made->kernel) {
#if EBNN_MODEL_HAS(MULTIPLY)
    case EBNN_MULTIPLY:
        return made->layer.conv.filters.kind == EBNN_UINT8 ? ebnn_multiply : ebnn_multiply_signed;
#endif
#if EBNN_MODEL_HAS(DEPTHWISE)
    case EBNN_DEPTHWISE:
        return ebnn_depthwise;
#endif
#if EBNN_MODEL_HAS(DEPTHWISE_BITS)
    case EBNN_DEPTHWISE_BITS:
        return ebnn_depthwise_bits;
#endif
#if EBNN_MODEL_HAS(ADD)
    case EBNN_ADD:
        return made->layer.conv.filters.kind == EBNN_BITS ? ebnn_add_bits : ebnn_add_bytes;
#endif
    default:
        return ebnn_values;
    }
}

/* What ends a layer of integer.h. */
EBNN_INLINE ebnn_end_t ebnn_model_end(const ebnn_model_layer_t *made)
{
    switch (EBNN_MODEL_END(made->flags)) {
#if EBNN_MODEL_HAS(END_NARROW)
    case EBNN_MODEL_NARROW:
        return ebnn_end_narrow;
#endif
#if EBNN_MODEL_HAS(END_WIDE)
    case EBNN_MODEL_WIDE:
        return ebnn_end_wide;
#endif
#if EBNN_MODEL_HAS(END_SCORES)
    case EBNN_MODEL_SCORES:
        return ebnn_end_scores;
#endif
    default:
        return ebnn_end_signs;
    }
}

/* Runs the last layer, a dense one. Returns the class. */
EBNN_KERNEL uint8_t ebnn_model_output(const ebnn_model_layer_t *made, const uint8_t *input, int32_t *scores)
{
    ebnn_output_t output;

    output.filters = made->layer.conv.filters;
    output.multipliers = (const int16_t *)made->layer.multipliers;
    output.offsets = made->layer.biases;
    switch (made->kernel) {
#if EBNN_MODEL_HAS(OUTPUT_BITS)
    case EBNN_OUTPUT_BITS:
        return ebnn_output_bits(&output, input, scores);
#endif
#if EBNN_MODEL_HAS(OUTPUT_FOURS)
    case EBNN_OUTPUT_FOURS:
        return ebnn_output_bits_4(&output, input, scores);
#endif
#if EBNN_MODEL_HAS(OUTPUT_BYTES)
    case EBNN_OUTPUT_BYTES:
        return ebnn_output_bytes(&output, input, scores);
#endif
    default: /* none that the program was built with */
        (void)output;
        (void)input;
        (void)scores;
        return 0;
    }
}

/* Runs a dense layer that gives bits. */
EBNN_KERNEL void ebnn_model_dense(const ebnn_model_layer_t *made, const uint8_t *input, uint8_t *output)
{
    ebnn_dense_t dense;

    dense.filters = made->layer.conv.filters;
    dense.flips = made->layer.conv.flips;
    dense.normalization = made->layer.conv.normalization;
    switch (made->kernel) {
#if EBNN_MODEL_HAS(DENSE_EACH)
    case EBNN_DENSE_EACH:
        ebnn_dense(&dense, ebnn_compare_each, input, output);
        break;
#endif
#if EBNN_MODEL_HAS(DENSE_FOURS)
    case EBNN_DENSE_FOURS:
        ebnn_dense(&dense, ebnn_compare_fours, input, output);
        break;
#endif
#if EBNN_MODEL_HAS(DENSE_SUMS)
    case EBNN_DENSE_SUMS:
        ebnn_dense(&dense, ebnn_compare_sums, input, output);
        break;
#endif
#if EBNN_MODEL_HAS(DENSE_FLOAT)
    case EBNN_DENSE_FLOAT:
        ebnn_dense_float(&dense, input, output);
        break;
#endif
    default: /* none that the program was built with */
        (void)dense;
        (void)input;
        (void)output;
        break;
    }
}

/* Runs a convolution that gives bits. */
EBNN_KERNEL void ebnn_model_conv(const ebnn_model_layer_t *made, const uint8_t *input, uint8_t *output,
                                 uint8_t *scratch)
{
    const ebnn_conv_t *const conv = &made->layer.conv;

    switch (made->kernel) {
#if EBNN_MODEL_HAS(CONV_EACH)
    case EBNN_CONV_EACH:
        ebnn_conv(conv, conv->in_c % 8u == 0u ? ebnn_gather_octets : ebnn_gather_bits, ebnn_compare_each, input, output,
                  scratch);
        break;
#endif
#if EBNN_MODEL_HAS(CONV_FOURS)
    case EBNN_CONV_FOURS:
        ebnn_conv(conv, conv->in_c % 8u == 0u ? ebnn_gather_octets : ebnn_gather_bits, ebnn_compare_fours, input,
                  output, scratch);
        break;
#endif
#if EBNN_MODEL_HAS(CONV_SUMS)
    case EBNN_CONV_SUMS:
        ebnn_conv(conv, conv->filters.kind == EBNN_BITS ? ebnn_gather_bits : ebnn_gather_bytes, ebnn_compare_sums,
                  input, output, scratch);
        break;
#endif
#if EBNN_MODEL_HAS(COLUMNS)
    case EBNN_CONV_COLUMNS:
        ebnn_conv_columns(conv, input, output, scratch);
        break;
#endif
#if EBNN_MODEL_HAS(TABLES)
    case EBNN_CONV_TABLE:
        ebnn_conv_table(conv, input, output, scratch);
        break;
#endif
#if EBNN_MODEL_HAS(CONV_FLOAT)
    case EBNN_CONV_FLOAT:
        ebnn_conv_float(conv, input, output, scratch);
        break;
#endif
    default: /* none that the program was built with */
        (void)conv;
        (void)input;
        (void)output;
        (void)scratch;
        break;
    }
}

/* Runs a layer of integer.h. output: in the arena, or scores. Returns the class, of scores. */
EBNN_KERNEL uint8_t ebnn_model_integer(const ebnn_model_layer_t *made, const uint8_t *input, void *output,
                                       uint8_t *scratch)
{
#if EBNN_MODEL_HAS(INTEGERS)
    return ebnn_integer(&made->layer, ebnn_model_find(made), ebnn_model_take(made), ebnn_model_end(made), input, output,
                        scratch);
#else
    (void)made;
    (void)input;
    (void)output;
    (void)scratch;
    return 0;
#endif
}

uint8_t ebnn_model_next(const ebnn_model_t *model, ebnn_model_place_t *place, uint8_t *arena, const void *input,
                        int32_t *scores)
{
    ebnn_model_layer_t made;
    const uint8_t odd = place->index % 2u;
    uint8_t *const high = arena + (size_t)model->arena_bytes;
    const uint8_t *from;
    uint8_t *to, *scratch;
    uint8_t winner = 0;

    ebnn_model_decode(place, &made);
    from = place->index == 0u ? (const uint8_t *)input : odd ? high - place->bytes : arena;
    to = odd ? arena : high - made.out_bytes;
    scratch = arena + (odd ? made.out_bytes : place->bytes);
    if (made.kernel >= EBNN_MULTIPLY) {
        const uint8_t last = EBNN_MODEL_END(made.flags) == EBNN_MODEL_SCORES;

        winner = ebnn_model_integer(&made, from, last ? (void *)scores : (void *)to, scratch);
    } else if (made.kernel < EBNN_DENSE_EACH) {
        ebnn_model_conv(&made, from, to, scratch);
    } else {
        if (place->index == 0u && place->kind == EBNN_BITS)
            from = ebnn_take_bits(arena, from, (size_t)model->input_bytes);
        if (made.kernel >= EBNN_OUTPUT_BITS)
            winner = ebnn_model_output(&made, from, scores);
        else
            ebnn_model_dense(&made, from, to);
    }
    ebnn_model_step(place, &made);
    return winner;
}

uint8_t ebnn_model_predict(const ebnn_model_t *model, uint8_t *arena, const void *input, int32_t *scores)
{
    ebnn_model_place_t place;
    uint8_t winner = 0;

    for (ebnn_model_begin(model, &place); place.index < model->layers;)
        winner = ebnn_model_next(model, &place, arena, input, scores);
    return winner;
}

void ebnn_model_encode(const ebnn_model_t *model, const void *raw, void *input)
{
    const void *const constants = model->image + EBNN_MODEL_HEAD_BYTES;
    uint8_t *const to = (uint8_t *)input;

#if EBNN_MODEL_HAS(AFFINE)
    if (model->encoder == 1u)
        ebnn_encode_affine((const float *)constants, model->channels, model->kind == EBNN_INT8 ? 0x80u : 0u, raw,
                           model->raw, (size_t)model->height * model->width, to);
#endif
#if EBNN_MODEL_HAS(THERMOMETER)
    if (model->encoder == 2u)
        ebnn_encode_thermometer((const int32_t *)constants, model->channels / model->levels, model->levels, raw,
                                model->raw, model->height, model->width, to);
#endif
    (void)constants;
    (void)raw;
    (void)to;
}

void ebnn_model_encode_value(const ebnn_model_t *model, const void *value, size_t at, void *input)
{
    const void *const constants = model->image + EBNN_MODEL_HEAD_BYTES;
    uint8_t *const to = (uint8_t *)input;

#if EBNN_MODEL_HAS(AFFINE)
    if (model->encoder == 1u)
        ebnn_encode_affine_value((const float *)constants, model->channels, model->kind == EBNN_INT8 ? 0x80u : 0u,
                                 value, model->raw, at, to);
#endif
#if EBNN_MODEL_HAS(THERMOMETER)
    if (model->encoder == 2u)
        ebnn_encode_thermometer_value((const int32_t *)constants, model->channels / model->levels, model->levels, value,
                                      model->raw, model->width, at, to);
#endif
    (void)constants;
    (void)value;
    (void)at;
    (void)to;
}

/* How differences of scores become steps. */
EBNN_INLINE void ebnn_model_octaves(const ebnn_model_t *model, ebnn_octaves_t *octaves)
{
    octaves->most = ebnn_model_u32(model->image + 48);
    octaves->multiplier = ebnn_model_u16(model->image + 52);
    octaves->down = EBNN_READ_U8(model->image + 54);
    octaves->shift = EBNN_READ_U8(model->image + 55);
}

uint8_t ebnn_model_class_or_unknown(const ebnn_model_t *model, const int32_t *scores)
{
    ebnn_octaves_t octaves;

    ebnn_model_octaves(model, &octaves);
    return ebnn_class_or_unknown(&octaves, scores, model->classes, model->rejection, EBNN_MODEL_UNKNOWN);
}

void ebnn_model_probabilities(const ebnn_model_t *model, const int32_t *scores, uint16_t *probabilities)
{
    ebnn_octaves_t octaves;

    ebnn_model_octaves(model, &octaves);
    ebnn_softmax(&octaves, scores, model->classes, probabilities);
}

/* Copies text number k of an image, as many characters of UTF-8 as fit. */
EBNN_KERNEL char *ebnn_model_copy_text(const ebnn_model_t *model, uint16_t k, char *text, size_t bytes)
{
    const uint8_t *from = model->image + model->texts;
    size_t at = 0;

    for (; k > 0u; from++)
        if (EBNN_READ_U8(from) == 0u)
            k--;
    while (at + 1u < bytes && EBNN_READ_U8(from + at) != 0u) {
        text[at] = (char)EBNN_READ_U8(from + at);
        at++;
    }
    while (at > 0u && (EBNN_READ_U8(from + at) & 0xC0u) == 0x80u)
        at--;
    if (bytes > 0u)
        text[at] = 0;
    return text;
}

char *ebnn_model_title(const ebnn_model_t *model, char *text, size_t bytes)
{
    return ebnn_model_copy_text(model, 0, text, bytes);
}

char *ebnn_model_class_name(const ebnn_model_t *model, uint8_t k, char *text, size_t bytes)
{
    if (model->named)
        return ebnn_model_copy_text(model, (uint16_t)((k < model->classes ? k : model->classes) + 1u), text, bytes);
    if (bytes > 0u)
        text[0] = 0;
    return text;
}

#endif
