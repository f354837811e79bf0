"""What is said of a push before and after it: whether a board takes an image, and why it did not."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ..compile.image import read_image
from ..errors import DeviceError, FileFormatError, RefusedError
from ..frames import PUSH_HEAD_BYTES, Status
from .answers import DeviceInfo, PushFacts

_TARGETS = {1: "an AVR", 2: "a 32-bit processor"}
_HEAD = struct.Struct("<4sBBHLL4s4sLLHB")
_DAMAGED = 5  # EBNN_MODEL_ERR_CRC


@dataclass(frozen=True)
class ImageHead:
    """What a board must know of an image before it comes."""

    version: int
    target: int
    size: int
    crc: int
    hash32: int
    room_bytes: int
    """RAM that a board needs for it, its scores and its arena."""

    @staticmethod
    def of(image: bytes) -> ImageHead:
        """Reads the start of an image. Raises `ebnn.errors.DeviceError` where it is none."""
        if len(image) < PUSH_HEAD_BYTES or image[:4] != b"EBNI":
            raise DeviceError("what is to be pushed is no image of a network: make one with ebnn.compile.image")
        _, version, target, _, size, crc, hash32, _, arena, _, classes, layers = _HEAD.unpack_from(image)
        room = _words(size) + _words(arena) + 4 * max(classes, layers)
        return ImageHead(version, target, size, crc, int.from_bytes(hash32, "big"), room)


def _words(size: int) -> int:
    return (size + 3) // 4 * 4


def push_facts(info: DeviceInfo, port: str) -> PushFacts:
    """What a board says of pushed networks. Raises `ebnn.errors.DeviceError` where it takes none."""
    if info.push is None:
        way_out = f"flash it once with ebnn flash MODEL --board {info.board} --updatable"
        if port.startswith("sim://"):
            way_out = f"{port}?updatable=1 is one that does"
        raise DeviceError(f"{port}: the firmware of board {info.board!r} takes no networks: {way_out}")
    return info.push


def check_push(image: ImageHead, facts: PushFacts, port: str, keyed: bool) -> None:
    """Raises `ebnn.errors.DeviceError` where a board does not take an image; `keyed`: whether a key is shown."""
    if image.target != facts.target:
        raise DeviceError(
            f"{port}: the image is for {_processor(image.target)}, the board has {_processor(facts.target)}: make it "
            "for the board"
        )
    if image.version != facts.version:
        raise DeviceError(
            f"{port}: the board takes images of version {facts.version}, this ebnn makes version {image.version}: "
            "flash the firmware of this version of ebnn"
        )
    check_key(facts, port, keyed)
    if image.room_bytes > facts.room_bytes:
        raise DeviceError(
            f"{port}: the network needs {image.room_bytes:,} B of RAM, {image.size:,} B of them for its image; the "
            f"board has {facts.room_bytes:,} B: use fewer filters or a larger board, or flash it with the network in it"
        )


def check_kernels(image: bytes, facts: PushFacts, port: str) -> None:
    """Raises `ebnn.errors.DeviceError` where an image is damaged, or the board lacks the code for one of its layers."""
    try:
        needed = read_image(image).kernels
    except FileFormatError as error:
        raise DeviceError(f"what is to be pushed {error}") from None
    if needed & ~facts.kernels:
        raise DeviceError(
            f"{port}: the board's firmware has no code for a layer of this image: it needs EBNN_MODEL_KERNELS "
            f"0x{needed:X}ul, the board has 0x{facts.kernels:X}ul; flash it once with this network, ebnn flash MODEL "
            "--board BOARD --updatable"
        )


def check_key(facts: PushFacts, port: str, keyed: bool) -> None:
    """Raises `ebnn.errors.DeviceError` where a key is shown and none asked for, or the other way round."""
    if facts.keyed and not keyed:
        raise DeviceError(
            f"{port}: the board takes networks from those who have its key only: name the key file that it was flashed "
            "with, --key-file FILE"
        )
    if keyed and not facts.keyed:
        raise DeviceError(
            f"{port}: the board has no key, it takes every network: leave --key-file out, or flash it with --updatable "
            "--key-file FILE"
        )


def is_worth_another_try(status: int, detail: int, attempt: int) -> bool:
    """Whether a refused push may go well when it begins anew: the board was reset, or what came was damaged."""
    if status == Status.BAD_IMAGE:
        return detail == _DAMAGED
    return status in (Status.NO_SESSION, Status.NO_PUSH, Status.TOO_BIG, Status.WRONG_SIZE) or attempt == 0


def refused_push(port: str, status: int, detail: int) -> RefusedError:
    """The error for a push that a board has refused for good."""
    if status == Status.WRONG_KEY:
        reason = "the key is not the one that it was flashed with: name that key file"
    elif status == Status.BAD_IMAGE:
        reason = (
            f"it cannot run the image (reason {detail} of ebnn/model.h): flash the firmware of this version of ebnn"
        )
    elif status == Status.UNKNOWN_COMMAND:
        reason = "its firmware takes no networks: flash it with --updatable"
    else:
        reason = f"status 0x{status:02x}, {detail}: flash the firmware of this version of ebnn"
    return RefusedError(f"{port}: the board refused the network: {reason}")


def _processor(target: int) -> str:
    return _TARGETS.get(target, f"a processor of kind {target}")
