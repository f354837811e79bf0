/* The numbers of the link. ebnn/frames.py has the same for Python, and says what the wire looks like. */
#ifndef EBNN_PROTOCOL_H
#define EBNN_PROTOCOL_H

#define EBNN_PROTOCOL_VERSION 1

/* Requests; an answer is the request's command with this bit set. */
#define EBNN_REPLY 0x80
#define EBNN_COMMAND_HELLO 0x01
#define EBNN_COMMAND_PREDICT 0x02
#define EBNN_COMMAND_PROFILE 0x03
#define EBNN_COMMAND_PREDICT_RAW 0x04

/* How an answer opens. 0x01 to 0x0F: the frame was unreadable, so it is nobody's answer; from 0x10 on: the request was
 * read and refused. Every status but OK is followed by a detail, u32. */
#define EBNN_STATUS_OK 0x00
#define EBNN_STATUS_BAD_CRC 0x01         /* detail: bytes of body */
#define EBNN_STATUS_BAD_CODING 0x02      /* the frame ended inside a COBS block; detail: bytes of body */
#define EBNN_STATUS_TOO_SHORT 0x03       /* less than sequence, command and checksum; detail: 0 */
#define EBNN_STATUS_TOO_LONG 0x04        /* longer than any request, and damaged; detail: bytes of body */
#define EBNN_STATUS_UNKNOWN_COMMAND 0x10 /* detail: the command */
#define EBNN_STATUS_WRONG_SIZE 0x11      /* detail: the right size of the body in bytes */
#define EBNN_STATUS_NO_SESSION 0x12      /* a sample before a HELLO; detail: 0 */

#endif
