"""Frames: what travels over the wire between this computer and a board, as pure bytes.

::

    content   sequence u16 | command u8 | body ... | crc u16        little-endian
    wire      0x00 | COBS(content) | 0x00

COBS (Cheshire and Baker, "Consistent Overhead Byte Stuffing", SIGCOMM 1997) takes every zero out of the content, so
0x00 can only mean the end of a frame. Both sides also write a 0x00 in front, which ends whatever noise, boot text or
torn frame came before; an empty frame means nothing. The checksum is CRC-16/IBM-3740 (polynomial 0x1021, initial value
0xFFFF) over sequence, command and body: in a frame of up to 4,093 bytes it finds every error of up to three bits, and
every burst of up to sixteen.

A request has a command below 0x80. The answer has the request's sequence number, its command with bit 7 set, and a
body that opens with the request's checksum (u16) and a `Status` (u8). To a frame that could not be read the answer is
sequence 0, command 0x80, checksum 0. ``firmware/src/protocol.h`` holds the same numbers for C.
"""

from __future__ import annotations

import binascii
import enum
import struct
from dataclasses import dataclass

from cobs import cobs

PROTOCOL_VERSION = 1
"""Changes when an old host and a new board, or the other way round, would misunderstand each other."""

REPLY = 0x80
"""The bit that an answer sets in the command it answers."""


PUSH_HEAD_BYTES = 36
"""Of an image, that a push begins with."""


UNTOLD = 0xFFFFFFFF
"""What a board answers to `Command.PROFILE` in place of a size of memory that it can't tell."""


class Command(enum.IntEnum):
    """What a request asks for."""

    HELLO = 0x01
    """Body: protocol version u8, nonce u32. Opens a session and says what board and network answer."""
    PREDICT = 0x02
    """Body: one packed sample, exactly the network's input bytes. Answers class, microseconds and scores."""
    PROFILE = 0x03
    """Body: as of `PREDICT`. Answers class, microseconds, those of each layer, RAM untouched and deepest stack."""
    PREDICT_RAW = 0x04
    """Body: one raw sample, where the network has an encoder, reading after reading. Answers as `PREDICT`."""
    PUSH_BEGIN = 0x05
    """Body: the first `PUSH_HEAD_BYTES` of an image, and a tag where the board has a key. Begins a push."""
    PUSH_PIECE = 0x06
    """Body: where in the image u32, and its bytes from there on."""
    PUSH_COMMIT = 0x07
    """Body: the image's checksum u32, and a tag where the board has a key. From here on the image's network answers."""
    PUSH_ABORT = 0x08
    """No body. Ends the push that is under way."""
    PUSH_FORGET = 0x09
    """Body: the hash u32 of the pushed network that answers, and a tag where the board has a key. Drops it."""


class Flag(enum.IntFlag):
    """What updatable firmware says of itself in the answer to a `Command.HELLO`."""

    PUSHED = 0x01
    """The network that answers was pushed."""
    KEPT = 0x02
    """And is there after a reset."""
    KEY = 0x04
    """A push needs a tag."""


class Status(enum.IntEnum):
    """How an answer opens. From `BAD_CRC` to `TOO_LONG` the frame was unreadable; then the request was refused."""

    OK = 0x00
    BAD_CRC = 0x01
    """The checksum does not match. Detail: bytes of body."""
    BAD_CODING = 0x02
    """The frame ended inside a COBS block. Detail: bytes of body."""
    TOO_SHORT = 0x03
    """Less than sequence, command and checksum. Detail: 0."""
    TOO_LONG = 0x04
    """Longer than any request, and the checksum does not match. Detail: bytes of body."""
    UNKNOWN_COMMAND = 0x10
    """Detail: the command."""
    WRONG_SIZE = 0x11
    """The body has the wrong size. Detail: the right one in bytes."""
    NO_SESSION = 0x12
    """A sample or a push came before a `Command.HELLO`: the board has been reset since. Detail: 0."""
    NO_NETWORK = 0x13
    """A sample came, and the board has no network. Detail: 0."""
    NO_PUSH = 0x14
    """No push of this image is under way. Detail: 0."""
    TOO_BIG = 0x15
    """The image with what it needs of RAM. Detail: the bytes that there are."""
    WRONG_TARGET = 0x16
    """The image is for another kind of processor. Detail: the right kind."""
    WRONG_KEY = 0x17
    """The tag is missing or wrong. Detail: 0."""
    BAD_IMAGE = 0x18
    """The image is damaged or cannot run. Detail: why, as ``ebnn_model_open`` says it."""

    @property
    def unreadable(self) -> bool:
        """Whether the board could not read the frame, so that nobody knows whose answer this is."""
        return Status.OK < self < Status.UNKNOWN_COMMAND


@dataclass(frozen=True)
class Frame:
    """A sequence number (0 to 65,535), a command (0 to 255) and a body of any length."""

    sequence: int
    command: int
    body: bytes = b""

    @property
    def crc(self) -> int:
        """The checksum that the frame carries."""
        return crc16(self._checked())

    def _checked(self) -> bytes:
        return struct.pack("<HB", self.sequence, self.command) + self.body


def crc16(data: bytes) -> int:
    """CRC-16/IBM-3740 of the data: 0x29B1 for ``b"123456789"``."""
    return binascii.crc_hqx(data, 0xFFFF)


def encode(frame: Frame) -> bytes:
    """The frame as it goes over the wire, 0x00 before and after it included.

    Raises `struct.error` if the sequence number or the command is out of range.
    """
    checked = frame._checked()
    coded: bytes = cobs.encode(checked + struct.pack("<H", crc16(checked)))
    return b"\x00" + coded + b"\x00"


def decode(coded: bytes) -> Frame | None:
    """The frame between two zeros, or None if it is damaged. `coded` has neither of the zeros."""
    try:
        content: bytes = cobs.decode(coded)
    except cobs.DecodeError:
        return None
    if len(content) < 5 or crc16(content[:-2]) != int.from_bytes(content[-2:], "little"):
        return None
    sequence, command = struct.unpack_from("<HB", content)
    return Frame(sequence, command, content[3:-2])


class Decoder:
    """Finds the frames in a stream of bytes that comes in pieces of any size.

    It never keeps more than `limit` bytes: a longer frame is dropped and counted as bad.
    """

    def __init__(self, limit: int = 1 << 16) -> None:
        self.limit = limit
        self.bad = 0
        """Frames that were damaged or too long since the start."""
        self._partial = b""
        self._overlong = False

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that these bytes complete, in order."""
        *ended, self._partial = (self._partial + data).split(b"\x00")
        frames = []
        for coded in ended:
            if self._overlong or len(coded) > self.limit:
                self._overlong = False
                self.bad += 1
            elif coded:
                frame = decode(coded)
                if frame is None:
                    self.bad += 1
                else:
                    frames.append(frame)
        if len(self._partial) > self.limit:
            self._overlong = True
        if self._overlong:
            self._partial = b""
        return frames
