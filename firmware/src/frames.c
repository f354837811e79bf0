#include "frames.h"

uint16_t ebnn_crc_add(uint16_t crc, uint8_t byte)
{
    /* Eight steps of the shift register at once, without a table: 512 bytes of flash less. */
    crc = (uint16_t)((uint16_t)(crc >> 8) | (uint16_t)(crc << 8));
    crc = (uint16_t)(crc ^ byte);
    crc = (uint16_t)(crc ^ ((crc & 0xFFu) >> 4));
    crc = (uint16_t)(crc ^ (uint16_t)(crc << 12));
    crc = (uint16_t)(crc ^ (uint16_t)((crc & 0xFFu) << 5));
    return crc;
}

/* One byte of content. Two are held back, because the last two of a frame are its checksum. */
static uint8_t take_content(struct ebnn_frame_decoder *decoder, uint8_t byte)
{
    if (decoder->held_count < 2u) {
        decoder->held[decoder->held_count] = byte;
        decoder->held_count = (uint8_t)(decoder->held_count + 1u);
        return EBNN_FRAME_NOTHING;
    }
    decoder->value = decoder->held[0];
    decoder->held[0] = decoder->held[1];
    decoder->held[1] = byte;
    decoder->crc = ebnn_crc_add(decoder->crc, decoder->value);
    if (decoder->length != UINT32_MAX) {
        decoder->length++;
    }
    return EBNN_FRAME_CONTENT;
}

static uint8_t end_frame(struct ebnn_frame_decoder *decoder)
{
    uint16_t crc = (uint16_t)(decoder->held[0] | (uint16_t)((uint16_t)decoder->held[1] << 8));

    decoder->started = 0;
    if (decoder->remaining != 0u) {
        return EBNN_FRAME_BAD_CODING;
    }
    if (decoder->length < 3u) {
        return EBNN_FRAME_TOO_SHORT;
    }
    return crc == decoder->crc ? EBNN_FRAME_INTACT : EBNN_FRAME_BAD_CRC;
}

uint8_t ebnn_frame_take(struct ebnn_frame_decoder *decoder, uint8_t byte)
{
    uint8_t event = EBNN_FRAME_NOTHING;

    if (byte == 0u) {
        return decoder->started ? end_frame(decoder) : (uint8_t)EBNN_FRAME_NOTHING;
    }
    if (!decoder->started) {
        decoder->length = 0;
        decoder->crc = EBNN_CRC_START;
        decoder->held_count = 0;
        decoder->remaining = 0;
        decoder->zero_due = 0;
        decoder->started = 1;
    }
    if (decoder->remaining != 0u) {
        decoder->remaining--;
        return take_content(decoder, byte);
    }
    /* A code byte. Only now is it known that the frame goes on, and so that the block before stood for a zero. */
    if (decoder->zero_due) {
        event = take_content(decoder, 0);
    }
    decoder->remaining = (uint8_t)(byte - 1u);
    decoder->zero_due = (uint8_t)(byte != 0xFFu);
    return event;
}

/* A place in the spans. */
struct place {
    const struct ebnn_span *span;
    const struct ebnn_span *end;
    uint16_t offset;
};

/* Steps over empty spans; 0 at the end of the last. */
static uint8_t more(struct place *place)
{
    while (place->span != place->end && place->offset == place->span->count) {
        place->span++;
        place->offset = 0;
    }
    return (uint8_t)(place->span != place->end);
}

static uint8_t next(struct place *place)
{
    uint8_t byte = place->span->bytes[place->offset];
    place->offset++;
    return byte;
}

void ebnn_frame_send(struct ebnn_span *spans, uint8_t count, void (*put)(uint8_t byte))
{
    struct place place;
    uint16_t crc = EBNN_CRC_START;
    uint8_t checksum[2];
    uint8_t again;

    place.span = spans;
    place.end = spans + count;
    place.offset = 0;
    while (more(&place)) {
        crc = ebnn_crc_add(crc, next(&place));
    }
    checksum[0] = (uint8_t)(crc & 0xFFu);
    checksum[1] = (uint8_t)(crc >> 8);
    spans[count].bytes = checksum;
    spans[count].count = 2;

    place.span = spans;
    place.end = spans + count + 1;
    place.offset = 0;
    put(0);
    do {
        /* A block: up to 254 bytes that are not zero, and the zero after them if there are fewer. Its length goes out
         * first, so the spans are walked twice instead of being gathered in a buffer. */
        struct place ahead = place;
        uint8_t run = 0;
        uint8_t at_zero = 0;

        while (run < 254u && more(&ahead)) {
            at_zero = (uint8_t)(next(&ahead) == 0u);
            if (at_zero) {
                break;
            }
            run++;
        }
        put((uint8_t)(run + 1u));
        while (run != 0u) {
            (void)more(&place);
            put(next(&place));
            run--;
        }
        place = ahead;
        again = (uint8_t)(at_zero || more(&place));
    } while (again);
    put(0);
    spans[count].bytes = 0;
    spans[count].count = 0;
}
