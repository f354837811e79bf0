"""What to say when a board does not answer, or answers that it will not."""

from __future__ import annotations

import enum

from ..frames import Command, Frame, Status, encode
from .link import Refusal

_SHOWN_BYTES = 24  # of what something else said


def explain_silence(port: str, seconds: float, answered: int | None, heard: bytes, asked: Frame) -> str:
    """Why nobody may have answered a HELLO within `seconds`.

    `answered` is the number of samples that the board answered before, None if it was never greeted; `heard` are the
    first bytes that came.
    """
    if answered is not None:
        return (
            f"{port}: the board answered {answered:,} samples, then fell silent for {seconds:.1f} s: "
            "press its reset button, or plug it in again"
        )
    if not heard:
        return (
            f"{port} is silent: nothing came in {seconds:.1f} s. Is it the right port, and is the firmware with the "
            "network flashed?"
        )
    if encode(asked).strip(b"\x00") in heard:
        return (
            f"{port} sends back what it gets and does not answer: it belongs to something else than a board with this "
            "firmware (a modem, a terminal, a loop)"
        )
    return (
        f"{port} speaks, but not ebnn's protocol: what came in {seconds:.1f} s begins {heard[:_SHOWN_BYTES]!r}. The "
        "port belongs to something else, the board runs another program (flash it), or the baud rate is wrong"
    )


def explain_refusal(port: str, request: Frame, refusal: Refusal) -> str:
    """What the board refused and why, and the way out."""
    what = f"{_name_of(Command, request.command)} with {len(request.body):,} bytes"
    if refusal.status == Status.WRONG_SIZE:
        reason = f"it takes {refusal.detail:,} bytes"
    elif refusal.status == Status.UNKNOWN_COMMAND:
        reason = "it does not know the command"
        if request.command == Command.PROFILE:
            reason += ", for its firmware is an older one or was built with -DEBNN_NO_PROFILE"
        if request.command == Command.PREDICT_RAW:
            reason += ", for its firmware is an older one or its network has no encoder"
    elif refusal.status == Status.NO_NETWORK:
        return f"{port}: the board refused {what}: it has no network: push one with ebnn push MODEL --port {port}"
    else:
        reason = f"{_name_of(Status, refusal.status)}, {refusal.detail}"
    return f"{port}: the board refused {what}: {reason}. Flash the firmware of this version of ebnn"


def _name_of(kind: type[enum.IntEnum], value: int) -> str:
    try:
        return kind(value).name
    except ValueError:
        return f"0x{value:02x}"
