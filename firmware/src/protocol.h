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
#define EBNN_COMMAND_PUSH_BEGIN 0x05 /* these five in updatable firmware only */
#define EBNN_COMMAND_PUSH_PIECE 0x06
#define EBNN_COMMAND_PUSH_COMMIT 0x07
#define EBNN_COMMAND_PUSH_ABORT 0x08
#define EBNN_COMMAND_PUSH_FORGET 0x09

/* How an answer opens. 0x01 to 0x0F: the frame was unreadable, so it is nobody's answer; from 0x10 on: the request was
 * read and refused. Every status but OK is followed by a detail, u32. */
#define EBNN_STATUS_OK 0x00
#define EBNN_STATUS_BAD_CRC 0x01         /* detail: bytes of body */
#define EBNN_STATUS_BAD_CODING 0x02      /* the frame ended inside a COBS block; detail: bytes of body */
#define EBNN_STATUS_TOO_SHORT 0x03       /* less than sequence, command and checksum; detail: 0 */
#define EBNN_STATUS_TOO_LONG 0x04        /* longer than any request, and damaged; detail: bytes of body */
#define EBNN_STATUS_UNKNOWN_COMMAND 0x10 /* detail: the command */
#define EBNN_STATUS_WRONG_SIZE 0x11      /* detail: the right size of the body in bytes */
#define EBNN_STATUS_NO_SESSION 0x12      /* a sample or a push before a HELLO; detail: 0 */
#define EBNN_STATUS_NO_NETWORK 0x13      /* a sample, and there is no network; detail: 0 */
#define EBNN_STATUS_NO_PUSH 0x14         /* no push of this image is under way; detail: 0 */
#define EBNN_STATUS_TOO_BIG 0x15         /* the image with its RAM; detail: bytes that there are */
#define EBNN_STATUS_WRONG_TARGET 0x16    /* an image for another kind of processor; detail: the right kind */
#define EBNN_STATUS_WRONG_KEY 0x17       /* the tag is missing or wrong; detail: 0 */
#define EBNN_STATUS_BAD_IMAGE 0x18       /* detail: why, as ebnn_model_open says it */

/* Flags of updatable firmware in the answer to a HELLO. */
#define EBNN_FLAG_PUSHED 0x01 /* the network that answers was pushed */
#define EBNN_FLAG_KEPT 0x02   /* and is there after a reset */
#define EBNN_FLAG_KEY 0x04    /* a push needs a tag */

#endif
