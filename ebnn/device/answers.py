"""What a board says about itself, a sample and its time, and how that lies in an answer."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..frames import UNTOLD, Flag
from ..printable import printable


@dataclass(frozen=True)
class PushFacts:
    """What updatable firmware says about pushed networks."""

    pushed: bool
    """Whether the network that answers was pushed; otherwise it is the firmware's own, or there is none."""
    kept: bool
    """Whether it was pushed and is there after a reset."""
    keyed: bool
    """Whether a push must show a key."""
    version: int
    """Of the images that the board takes."""
    target: int
    """The kind of processor that they are for."""
    piece_bytes: int
    """The most that one request carries."""
    room_bytes: int
    """RAM that there is for image, scores and arena."""
    store_bytes: int
    """The largest image that is there after a reset; 0 where none is."""
    kernels: int
    """Those that the firmware has, as ``EBNN_MODEL_KERNELS`` of ``ebnn/model.h`` has them."""


@dataclass(frozen=True)
class DeviceInfo:
    """What a board says about itself. Updatable firmware without a network has the hash 0 and no classes."""

    board: str
    network: str
    network_hash: int
    """uint32, the emitted header's."""
    input_bytes: int
    classes: int
    arena_bytes: int
    inferences: int
    """How many samples the board has run since its reset."""
    push: PushFacts | None = None
    """Of updatable firmware."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """A board's answer to one sample."""

    class_index: int
    scores: NDArray[np.int32]
    """(classes,) int32."""
    device_us: int
    """Microseconds that the network took on the board, by the board's own clock."""


@dataclass(frozen=True)
class Profile:
    """Where a board spends its time on one sample, and what it has used of its memory."""

    class_index: int
    total_us: int
    """Microseconds that the network took, by the board's own clock."""
    layer_us: tuple[int, ...]
    """The same for each layer, the output the last."""
    untouched_bytes: int | None
    """RAM that nothing has touched since the board's reset; None where the board can't tell."""
    deepest_stack_bytes: int | None
    """The most stack in use at any time since the reset; None where the board can't tell."""


def read_info(payload: bytes, nonce: bytes) -> DeviceInfo | None:
    """What a HELLO in this version of the protocol was answered; None if it is no answer to one with this nonce.

    A newer firmware may add to the end.
    """
    if len(payload) < 25:
        return None
    echoed, network_hash, input_bytes, arena_bytes, inferences, classes = struct.unpack_from("<4sIIIIH", payload, 1)
    board, network, rest = [*payload[23:].split(b"\x00", 2), b"", b""][:3]
    if echoed != nonce:
        return None
    return DeviceInfo(
        board=_name(board),
        network=_name(network),
        network_hash=network_hash,
        input_bytes=input_bytes,
        classes=classes,
        arena_bytes=arena_bytes,
        inferences=inferences,
        push=_read_push_facts(rest),
    )


_PUSH_FACTS = struct.Struct("<BBBHIII")


def _read_push_facts(rest: bytes) -> PushFacts | None:
    if len(rest) < _PUSH_FACTS.size:
        return None
    flags, *numbers = _PUSH_FACTS.unpack_from(rest)
    pushed, kept, keyed = (bool(flags & flag) for flag in Flag)
    facts = PushFacts(pushed, kept, keyed, *numbers)
    return facts if facts.piece_bytes else None


def sample_bytes(packed: Any, info: DeviceInfo) -> bytes:
    """A packed sample as bytes. Raises `InputError` if it is none, or not one for this board."""
    if isinstance(packed, np.ndarray) and (packed.dtype != np.uint8 or packed.ndim != 1):
        raise InputError(
            f"a packed sample is ({info.input_bytes},) uint8, not {packed.shape} {packed.dtype}: "
            "use net.pack_input(x)[i]"
        )
    if not isinstance(packed, bytes | bytearray | np.ndarray):
        raise InputError(f"a packed sample is bytes or uint8, not {type(packed).__name__}: use net.pack_input(x)[i]")
    sample = packed.tobytes() if isinstance(packed, np.ndarray) else bytes(packed)
    if len(sample) != info.input_bytes:
        raise InputError(
            f"a sample of {len(sample):,} bytes: network {info.network!r} on the board takes {info.input_bytes:,}; "
            "use net.pack_input(x)[i] of the same network"
        )
    return sample


def read_prediction(payload: bytes, classes: int) -> Prediction | None:
    """What a PREDICT was answered; None if it is no answer to one."""
    if len(payload) != 5 + 4 * classes:
        return None
    class_index, device_us = struct.unpack_from("<BI", payload)
    scores = np.frombuffer(payload, "<i4", offset=5).astype(np.int32)  # (classes,)
    return Prediction(class_index, scores, device_us)


def read_profile(payload: bytes) -> Profile | None:
    """What a PROFILE was answered; None if it is no answer to one."""
    words, rest = divmod(len(payload) - 1, 4)
    if words < 4 or rest:
        return None
    class_index, total, *layers, untouched, deepest = struct.unpack(f"<B{words}I", payload)
    return Profile(class_index, total, tuple(layers), _told(untouched), _told(deepest))


def _told(value: int) -> int | None:
    return None if value == UNTOLD else value


def _name(text: bytes) -> str:
    """A name as the board says it, without what a terminal would obey."""
    return printable(text.decode("utf-8", "replace"))
