/* Frames, byte by byte: COBS and CRC-16 without a buffer, so that a body can be decoded straight to where it is used.
 *
 * content   sequence u16 | command u8 | body ... | crc u16     little-endian
 * wire      0x00 | COBS(content) | 0x00
 */
#ifndef EBNN_FRAMES_H
#define EBNN_FRAMES_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a byte from the wire brought about. The values from EBNN_FRAME_INTACT on end a frame. */
enum ebnn_frame_event {
    EBNN_FRAME_NOTHING,    /* a code byte, a byte that may yet be the checksum's, or an empty frame */
    EBNN_FRAME_CONTENT,    /* `value` is byte `length - 1` of sequence, command and body */
    EBNN_FRAME_INTACT,     /* the checksum matches; `length` bytes of sequence, command and body */
    EBNN_FRAME_BAD_CRC,    /* it doesn't */
    EBNN_FRAME_BAD_CODING, /* 0x00 inside a COBS block */
    EBNN_FRAME_TOO_SHORT   /* less than sequence, command and checksum */
};

/* All zero is the start. */
struct ebnn_frame_decoder {
    uint32_t length; /* bytes of sequence, command and body so far; stays at its maximum */
    uint16_t crc;    /* of those bytes */
    uint8_t value;   /* the last of them */
    uint8_t held[2]; /* the two newest bytes of content: the checksum, if the frame ends here */
    uint8_t held_count;
    uint8_t remaining; /* bytes that the COBS block still lacks */
    uint8_t zero_due;  /* the block stands for a zero at its end, unless the frame ends there */
    uint8_t started;   /* 0 until the first byte of a frame */
};

/* A piece of memory to send. */
struct ebnn_span {
    const uint8_t *bytes;
    uint16_t count;
};

/* CRC-16/IBM-3740: polynomial 0x1021, most significant bit first. */
#define EBNN_CRC_START 0xFFFFu
uint16_t ebnn_crc_add(uint16_t crc, uint8_t byte);

/* Takes one byte from the wire and returns an enum ebnn_frame_event. After the end of a frame `length`, `crc` and
 * `held` stay until the next byte that is not 0x00. */
uint8_t ebnn_frame_take(struct ebnn_frame_decoder *decoder, uint8_t byte);

/* Writes the frame whose sequence, command and body are the spans, one after the other; `spans` has room for one more
 * after `count`, which becomes the checksum. `put` writes one byte to the wire. */
void ebnn_frame_send(struct ebnn_span *spans, uint8_t count, void (*put)(uint8_t byte));

#ifdef __cplusplus
}
#endif

#endif
