"""The link: requests out, answers in, over an open port that may lose and damage either."""

from __future__ import annotations

import enum
import os
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import serial

from ..errors import PortError
from ..frames import REPLY, Command, Decoder, Frame, Status, encode
from .serial_port import PORT_FAILURES, PortLike

_HEARD_BYTES = 256  # that are kept for messages


@dataclass(frozen=True)
class Statistics:
    """What went over the link since the port was opened."""

    requests: int
    """Samples that were answered."""
    retries: int
    """Samples that were sent again."""
    handshakes: int
    bad_frames: int
    """Damaged frames, on either side."""
    late_frames: int
    """Answers to a request that was no longer under way."""
    bytes_sent: int
    bytes_received: int
    seconds: float
    """Time spent on samples, from the first byte sent to the answer."""

    @property
    def requests_per_second(self) -> float:
        """Samples answered in a second, 0 before the first."""
        return self.requests / self.seconds if self.seconds > 0 else 0.0

    @property
    def bytes_per_second(self) -> float:
        """Bytes in both directions in a second, 0 before the first sample."""
        return (self.bytes_sent + self.bytes_received) / self.seconds if self.seconds > 0 else 0.0


class Refusal(NamedTuple):
    """An answer that says why not."""

    status: int
    detail: int


class Missing(enum.Enum):
    """Why there is no answer yet."""

    SILENCE = enum.auto()
    """Nothing came in time."""
    DAMAGE = enum.auto()
    """A damaged frame came, or the board got one, and nothing after it."""


_Answer = TypeVar("_Answer")


class Link:
    """Numbers requests, sends them, finds their answers, and counts what goes by.

    Args:
        port: open; the link does not close it.
        name: the port's, for messages.
        baudrate: bits per second, where the port does not say.
    """

    def __init__(self, port: PortLike, name: str, baudrate: int) -> None:
        self.port = port
        self.name = name
        self.requests = self.retries = self.handshakes = 0
        self.seconds = 0.0  # spent on samples
        self._baudrate = float(getattr(port, "baudrate", None) or baudrate)
        self._decoder = Decoder()
        # Requests are numbered from a random number on, so that a straggler of an earlier session meets none of them.
        self._sequence = int.from_bytes(os.urandom(2), "little")
        self._round_trip: float | None = None  # usual seconds from a sample to its answer
        self._complaints = self._late = 0
        self._bytes_sent = self._bytes_received = 0

    @property
    def statistics(self) -> Statistics:
        """What went over the link so far."""
        return Statistics(
            requests=self.requests,
            retries=self.retries,
            handshakes=self.handshakes,
            bad_frames=self._decoder.bad + self._complaints,
            late_frames=self._late,
            bytes_sent=self._bytes_sent,
            bytes_received=self._bytes_received,
            seconds=self.seconds,
        )

    def next_request(self, command: Command, body: bytes) -> Frame:
        """A request with the next number."""
        self._sequence = (self._sequence + 1) & 0xFFFF
        return Frame(self._sequence, command, body)

    def wire_seconds(self, body_bytes: int, payload_bytes: int) -> float:
        """What request and answer take on the wire: 10 bits to a byte, up to 32 bytes of frame around the two."""
        return (body_bytes + payload_bytes + 32) * 10 / self._baudrate

    def note_sample(self, seconds: float) -> None:
        """Counts an answered sample, `seconds` after it was first sent.

        A retry makes a trip longer, never shorter, so the estimate falls fast and rises slowly.
        """
        self.requests += 1
        self.seconds += seconds
        before = self._round_trip
        if before is None or seconds < before:
            self._round_trip = seconds if before is None else (before + seconds) / 2
        else:
            self._round_trip = min(seconds, 1.25 * before)

    def send(self, request: Frame) -> None:
        """Writes the request. Raises `PortError` if the port is gone or stuck."""
        wire = encode(request)
        try:
            self.port.write(wire)
        except serial.SerialTimeoutException as error:
            raise PortError(
                f"{self.name} takes no bytes: the board hangs, or the port waits for flow control; "
                "unplug the board and plug it in again"
            ) from error
        except PORT_FAILURES as error:
            raise self._gone(error) from error
        self._bytes_sent += len(wire)

    def answer(
        self,
        request: Frame,
        deadline: float,
        read_payload: Callable[[bytes], _Answer | None],
        heard: bytearray | None = None,
    ) -> _Answer | Refusal | Missing:
        """Reads until the answer to the request comes, or until the deadline (by `time.monotonic`).

        `read_payload` returns None for a payload that no answer to this request can have; `heard` collects the first
        bytes that come, for messages. Raises `PortError` if the port is gone.

        A damaged frame may have been this answer, or have made the board drop the request, so the deadline draws near;
        but it may as well have been noise before either, so an answer is still given twice its usual time to come.
        Resending at once would run into the answer, and cost a board with a small buffer the next request.
        """
        missing = Missing.SILENCE
        crc = request.crc
        while True:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return missing
            data = self._read(remaining)
            if not data:
                continue
            if heard is not None and len(heard) < _HEARD_BYTES:
                heard += data
            bad = self._decoder.bad
            damage = False
            for frame in self._decoder.feed(data):
                if frame.command & REPLY == 0 or len(frame.body) < 3:
                    self._late += 1
                    continue
                answered, status = struct.unpack_from("<HB", frame.body)
                if (frame.sequence, frame.command, answered) == (request.sequence, request.command | REPLY, crc):
                    if status != Status.OK:
                        return Refusal(status, int.from_bytes(frame.body[3:7], "little"))
                    answer = read_payload(frame.body[3:])
                    if answer is not None:
                        return answer
                if frame.command == REPLY and 0 < status < Status.UNKNOWN_COMMAND:
                    self._complaints += 1
                    damage = True
                else:
                    self._late += 1
            if damage or self._decoder.bad != bad:
                missing = Missing.DAMAGE
                if self._round_trip is not None:
                    deadline = min(deadline, time.monotonic() + 2 * self._round_trip + 0.001)

    def _read(self, seconds: float) -> bytes:
        """What has come, or comes first within about that time."""
        try:
            # Setting the time-out costs system calls, so one that is nearly right stays.
            current = self.port.timeout
            if current is None or not seconds / 2 <= current <= seconds + 0.002:
                self.port.timeout = max(seconds, 0.0005)
            data = self.port.read(self.port.in_waiting or 1)
        except PORT_FAILURES as error:
            raise self._gone(error) from error
        self._bytes_received += len(data)
        return data

    def _gone(self, error: Exception) -> PortError:
        return PortError(
            f"{self.name} went away after {self.requests:,} samples ({error}): "
            "plug the board in again, and see that no other program uses the port"
        )
