"""The client: asks a board, over any port, what its network makes of a sample.

::

    with Device("/dev/ttyACM0", network_hash=net.hash32) as device:
        print(device.hello().board)
        prediction = device.predict(net.pack_input(x)[0])

A port is a URL for pySerial: a device name, ``socket://``, ``rfc2217://``, or ``sim://`` for a simulated board. One
request is under way at a time. What is lost or damaged is asked again; an answer counts only if it repeats the sequence
number, the command and the checksum of the request under way (``firmware/src/responder.c`` says why that is enough).
"""

from __future__ import annotations

import enum
import errno
import os
import struct
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NamedTuple, NoReturn, Protocol, TypeVar

import numpy as np
import serial
from numpy.typing import NDArray
from serial.tools import list_ports

from .errors import EbnnError, InputError, NoAnswerError, PortError, RefusedError, WrongNetworkError
from .frames import PROTOCOL_VERSION, REPLY, Command, Decoder, Frame, Status, encode

__all__ = ["BAUDRATE", "Device", "DeviceInfo", "PortLike", "Prediction", "Statistics", "open_port"]

BAUDRATE = 115_200
"""What the firmware sets; means nothing to USB's own serial ports and to simulated boards."""

_SIMULATION = "ebnn.simulation"  # pySerial looks here for sim://, and imports it only then
_WRITE_SECONDS = 10.0  # a port that takes no byte for so long is stuck
_BOOT_POLL_SECONDS = 0.5  # how often a board that is starting is asked
_LONGEST_WAIT_SECONDS = 60.0  # to which the wait for one answer grows, time-out by time-out
_SILENCES = 2  # time-outs in a row after which the board may have been reset

try:
    import termios
except ImportError:  # Windows
    _PORT_FAILURES: tuple[type[Exception], ...] = (OSError,)
else:
    _PORT_FAILURES = (OSError, termios.error)  # serial.SerialException is an OSError
_OPENING_FAILURES: tuple[type[Exception], ...] = (ValueError, *_PORT_FAILURES)


class PortLike(Protocol):
    """As much of ``serial.Serial`` as `Device` uses."""

    timeout: float | None

    @property
    def in_waiting(self) -> int:
        """Bytes that can be read at once."""

    def read(self, size: int = 1, /) -> bytes:
        """Up to `size` bytes; fewer when `timeout` seconds have passed."""

    def write(self, data: bytes, /) -> int | None:
        """Sends all the bytes."""

    def close(self) -> None:
        """Lets go of the port."""


@dataclass(frozen=True)
class DeviceInfo:
    """What a board says about itself."""

    board: str
    network: str
    network_hash: int
    """uint32, the emitted header's."""
    input_bytes: int
    classes: int
    arena_bytes: int
    inferences: int
    """How many samples the board has run since its reset."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """A board's answer to one sample."""

    class_index: int
    scores: NDArray[np.int32]
    """(classes,) int32."""
    device_us: int
    """Microseconds that the network took on the board, by the board's own clock."""


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


_Answer = TypeVar("_Answer")


class _Refusal(NamedTuple):
    status: int
    detail: int


class _Missing(enum.Enum):
    """Why there is no answer yet."""

    SILENCE = enum.auto()
    """Nothing came in time."""
    DAMAGE = enum.auto()
    """A damaged frame came, or the board got one, and nothing after it."""


class Device:
    """A board at a port.

    Args:
        port: a URL for pySerial, or an open port; `close` closes it in both cases.
        network_hash: the network that the board must run; None takes whichever runs.
        network_name: that network's name, for messages.
        timeout: seconds to wait for an answer, besides the time that the bytes take and twice the time that the board
            took for the sample before.
        retries: how often one sample is sent again.
        startup: seconds that a board may take to start, its bootloader included.
        baudrate: bits per second, for ports that have such a thing.

    Raises `PortError` if the port cannot be opened, and `BuildError` if a simulated board cannot be built.
    """

    def __init__(
        self,
        port: str | PortLike,
        *,
        network_hash: int | None = None,
        network_name: str | None = None,
        timeout: float = 2.0,
        retries: int = 16,
        startup: float = 8.0,
        baudrate: int = BAUDRATE,
    ) -> None:
        self.timeout = timeout
        self.retries = retries
        self.startup = startup
        self._expected_hash = network_hash
        self._expected_name = network_name
        if isinstance(port, str):
            self.port_name = _short(port)
            self.port = open_port(port, baudrate)
        else:
            self.port_name = _short(str(getattr(port, "port", None) or "the port"))
            self.port = port
        self._baudrate = float(getattr(self.port, "baudrate", None) or baudrate)
        self._info: DeviceInfo | None = None
        self._decoder = Decoder()
        # The session. Its requests are numbered from a random number on, so that a straggler of an earlier one meets
        # none of them.
        self._nonce = os.urandom(4)
        self._sequence = int.from_bytes(os.urandom(2), "little")
        self._device_seconds = 0.0  # of the last sample
        self._round_trip: float | None = None  # usual seconds from a sample to its answer
        self._requests = self._retries = self._handshakes = self._complaints = self._late = 0
        self._bytes_sent = self._bytes_received = 0
        self._seconds = 0.0

    def __enter__(self) -> Device:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the port. A simulated board ends."""
        self.port.close()

    @property
    def statistics(self) -> Statistics:
        """What went over the link so far."""
        return Statistics(
            requests=self._requests,
            retries=self._retries,
            handshakes=self._handshakes,
            bad_frames=self._decoder.bad + self._complaints,
            late_frames=self._late,
            bytes_sent=self._bytes_sent,
            bytes_received=self._bytes_received,
            seconds=self._seconds,
        )

    def hello(self) -> DeviceInfo:
        """Greets the board and returns what it is, waiting for it to start if need be.

        Raises `NoAnswerError` if nothing answers in time, or something that is not this firmware; `WrongNetworkError`
        if the board runs another network than asked for, or than before; `RefusedError` if it speaks another version of
        the protocol; `PortError` if the port is gone.
        """
        request = self._next_request(Command.HELLO, bytes([PROTOCOL_VERSION]) + self._nonce)
        heard = bytearray()
        begin = time.monotonic()
        wait = min(self._patience(len(request.body), 64), _BOOT_POLL_SECONDS)
        while True:
            self._write(encode(request))
            reply = self._answer(request, min(time.monotonic() + wait, begin + self.startup), self._read_info, heard)
            if isinstance(reply, _Refusal):
                self._refused(request, reply)
            if isinstance(reply, DeviceInfo):
                break
            if reply is _Missing.SILENCE:
                wait = min(wait * 1.5, _BOOT_POLL_SECONDS)
            if time.monotonic() >= begin + self.startup:
                raise NoAnswerError(self._explain_silence(bytes(heard), encode(request)))
        self._handshakes += 1
        self._check_network(reply)
        self._info = reply
        return reply

    def predict(self, packed: bytes | bytearray | NDArray[np.uint8]) -> Prediction:
        """Sends one packed sample, (input bytes,) uint8, and returns the board's answer to it.

        Says `hello` first if that has not been done, and again when the board has been reset. Raises what `hello`
        raises, `InputError` for a sample of the wrong size or type, and `NoAnswerError` when all retries are used up.
        """
        info = self._info if self._info is not None else self.hello()
        sample = _sample_bytes(packed, info)
        begin = time.monotonic()
        request = self._next_request(Command.PREDICT, sample)
        wait = self._patience(len(sample), 4 * info.classes)
        silences = 0
        for attempt in range(self.retries + 1):
            if silences == _SILENCES:
                # A board that was reset has a session again after this; one that was only slow has kept its reply.
                self.hello()
                silences = 0
            self._retries += attempt > 0
            self._write(encode(request))
            reply = self._answer(request, time.monotonic() + wait, lambda payload: _read_prediction(payload, info))
            if isinstance(reply, Prediction):
                seconds = time.monotonic() - begin
                self._note_round_trip(seconds)
                self._device_seconds = reply.device_us * 1e-6
                self._requests += 1
                self._seconds += seconds
                return reply
            if isinstance(reply, _Refusal):
                if reply.status != Status.NO_SESSION:
                    self._refused(request, reply)
                silences = _SILENCES
            elif reply is _Missing.SILENCE:
                silences += 1
                wait = min(2 * wait, _LONGEST_WAIT_SECONDS)
        raise NoAnswerError(
            f"{self.port_name} answered none of {self.retries + 1} tries at a sample in {time.monotonic() - begin:.1f} "
            f"s ({self.statistics.bad_frames} damaged frames so far): check the cable, or use more retries"
        )

    def _next_request(self, command: Command, body: bytes) -> Frame:
        self._sequence = (self._sequence + 1) & 0xFFFF
        return Frame(self._sequence, command, body)

    def _patience(self, body_bytes: int, payload_bytes: int) -> float:
        """Seconds that an answer may take: 10 bits to a byte, and up to 32 bytes of frame around body and payload."""
        on_the_wire = (body_bytes + payload_bytes + 32) * 10 / self._baudrate
        return self.timeout + on_the_wire + 2 * self._device_seconds

    def _note_round_trip(self, seconds: float) -> None:
        """A retry makes a trip longer, never shorter, so the estimate falls fast and rises slowly."""
        before = self._round_trip
        if before is None or seconds < before:
            self._round_trip = seconds if before is None else (before + seconds) / 2
        else:
            self._round_trip = min(seconds, 1.25 * before)

    def _answer(
        self,
        request: Frame,
        deadline: float,
        read_payload: Callable[[bytes], _Answer | None],
        heard: bytearray | None = None,
    ) -> _Answer | _Refusal | _Missing:
        """Reads until the answer to the request comes, or until the deadline (by `time.monotonic`).

        `read_payload` returns None for a payload that no answer to this request can have; `heard` collects the first
        bytes that come, for messages.

        A damaged frame may have been this answer, or have made the board drop the request, so the deadline draws near;
        but it may as well have been noise before either, so an answer is still given twice its usual time to come.
        Resending at once would run into the answer, and cost a board with a small buffer the next request.
        """
        missing = _Missing.SILENCE
        crc = request.crc
        while True:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return missing
            data = self._read(remaining)
            if not data:
                continue
            if heard is not None and len(heard) < 256:
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
                        return _Refusal(status, int.from_bytes(frame.body[3:7], "little"))
                    answer = read_payload(frame.body[3:])
                    if answer is not None:
                        return answer
                if frame.command == REPLY and 0 < status < Status.UNKNOWN_COMMAND:
                    self._complaints += 1
                    damage = True
                else:
                    self._late += 1
            if damage or self._decoder.bad != bad:
                missing = _Missing.DAMAGE
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
        except _PORT_FAILURES as error:
            raise self._gone(error) from error
        self._bytes_received += len(data)
        return data

    def _write(self, wire: bytes) -> None:
        try:
            self.port.write(wire)
        except serial.SerialTimeoutException as error:
            raise PortError(
                f"{self.port_name} takes no bytes: the board hangs, or the port waits for flow control; "
                "unplug the board and plug it in again"
            ) from error
        except _PORT_FAILURES as error:
            raise self._gone(error) from error
        self._bytes_sent += len(wire)

    def _gone(self, error: Exception) -> PortError:
        return PortError(
            f"{self.port_name} went away after {self._requests:,} samples ({error}): "
            "plug the board in again, and see that no other program uses the port"
        )

    def _explain_silence(self, heard: bytes, asked: bytes) -> str:
        if self._info is not None:
            return (
                f"{self.port_name}: the board answered {self._requests:,} samples, then fell silent for "
                f"{self.startup:.1f} s: press its reset button, or plug it in again"
            )
        if not heard:
            return (
                f"{self.port_name} is silent: nothing came in {self.startup:.1f} s. Is it the right port, and is the "
                "firmware with the network flashed?"
            )
        if asked.strip(b"\x00") in heard:
            return (
                f"{self.port_name} sends back what it gets and does not answer: it belongs to something else than a "
                "board with this firmware (a modem, a terminal, a loop)"
            )
        return (
            f"{self.port_name} speaks, but not ebnn's protocol: what came in {self.startup:.1f} s begins "
            f"{heard[:24]!r}. The port belongs to something else, the board runs another program (flash it), or the "
            "baud rate is wrong"
        )

    def _refused(self, request: Frame, reply: _Refusal) -> NoReturn:
        what = f"{_name_of(Command, request.command)} with {len(request.body):,} bytes"
        if reply.status == Status.WRONG_SIZE:
            reason = f"it takes {reply.detail:,} bytes"
        elif reply.status == Status.UNKNOWN_COMMAND:
            reason = "it does not know the command"
        else:
            reason = f"{_name_of(Status, reply.status)}, {reply.detail}"
        raise RefusedError(
            f"{self.port_name}: the board refused {what}: {reason}. Flash the firmware of this version of ebnn"
        )

    def _read_info(self, payload: bytes) -> DeviceInfo | None:
        """None if it is no answer to a HELLO of this session. A newer protocol may add to the end."""
        if not payload or (payload[0] == PROTOCOL_VERSION and len(payload) < 25):
            return None
        if payload[0] != PROTOCOL_VERSION:
            raise RefusedError(
                f"{self.port_name}: the board speaks version {payload[0]} of the protocol, this ebnn version "
                f"{PROTOCOL_VERSION}: flash the firmware of this version of ebnn"
            )
        echoed, network_hash, input_bytes, arena_bytes, inferences, classes = struct.unpack_from("<4sIIIIH", payload, 1)
        board, network, *_ = [*payload[23:].split(b"\x00"), b""]
        if echoed != self._nonce:
            return None
        return DeviceInfo(
            board=_printable(board),
            network=_printable(network),
            network_hash=network_hash,
            input_bytes=input_bytes,
            classes=classes,
            arena_bytes=arena_bytes,
            inferences=inferences,
        )

    def _check_network(self, info: DeviceInfo) -> None:
        found = f"board {info.board!r} runs network {info.network!r} (hash 0x{info.network_hash:08x})"
        if self._expected_hash is not None and info.network_hash != self._expected_hash:
            name = f"{self._expected_name!r} " if self._expected_name is not None else ""
            raise WrongNetworkError(
                f"{self.port_name}: {found}, not {name}(hash 0x{self._expected_hash:08x}): flash the board again with "
                "this network, or give the model that it runs"
            )
        before = self._info
        if before is not None and (info.network_hash, info.input_bytes, info.classes) != (
            before.network_hash,
            before.input_bytes,
            before.classes,
        ):
            raise WrongNetworkError(
                f"{self.port_name}: {found}, and ran {before.network!r} (hash 0x{before.network_hash:08x}) before: it "
                "was flashed in mid run; start again"
            )


def open_port(url: str, baudrate: int = BAUDRATE) -> PortLike:
    """Opens a port by its URL, for this program alone.

    Raises `PortError` with a hint if it is missing, busy, forbidden or no port, and `BuildError` for a simulated board
    that cannot be built.
    """
    if _SIMULATION not in serial.protocol_handler_packages:
        serial.protocol_handler_packages.append(_SIMULATION)
    if not url.strip():
        raise PortError("the port has no name: give a device (/dev/ttyACM0, COM3) or a URL (sim://host)")
    if url.startswith("socket://") and urllib.parse.urlsplit(url).port is None:
        raise PortError(f"{url} names no port number: write socket://HOST:PORT")
    try:
        port: PortLike = serial.serial_for_url(
            url, baudrate=baudrate, timeout=1.0, write_timeout=_WRITE_SECONDS, exclusive=True
        )
    except EbnnError:
        raise
    except _OPENING_FAILURES as error:
        raise PortError(f"{_short(url)} cannot be opened: {_opening_hint(url, error)}") from error
    return port


def _opening_hint(url: str, error: Exception) -> str:
    number = getattr(error, "errno", None)
    text = str(error)
    if number == errno.ENOENT or "FileNotFoundError" in text:
        found = ", ".join(f"{port.device} ({port.description})" for port in list_ports.comports())
        return f"there is no such port; there is {found or 'no serial port at all'}. Is the board plugged in?"
    if number == errno.EACCES:
        return "no permission; on Linux: sudo usermod -aG dialout $USER, then log in again"
    if number in (errno.EBUSY, errno.EAGAIN) or "PermissionError" in text:
        return "another program uses it; close its serial monitor"
    if isinstance(error, ValueError):
        return f"{text}. A port is a device (/dev/ttyACM0, COM3) or a URL (sim://host, socket://host:port)"
    if number in (errno.ENOTTY, errno.EISDIR, errno.ENXIO, errno.ENODEV) or "Could not configure port" in text:
        return f"it is no serial port ({text})"
    return text


def _sample_bytes(packed: Any, info: DeviceInfo) -> bytes:
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


def _read_prediction(payload: bytes, info: DeviceInfo) -> Prediction | None:
    if len(payload) != 5 + 4 * info.classes:
        return None
    class_index, device_us = struct.unpack_from("<BI", payload)
    scores = np.frombuffer(payload, "<i4", offset=5).astype(np.int32)  # (classes,)
    return Prediction(class_index, scores, device_us)


def _printable(name: bytes) -> str:
    """A name as the board says it, without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in name.decode("utf-8", "replace"))


def _name_of(kind: type[enum.IntEnum], value: int) -> str:
    try:
        return kind(value).name
    except ValueError:
        return f"0x{value:02x}"


def _short(url: str) -> str:
    """The URL without its options: those of sim:// are long paths."""
    return url.split("?", 1)[0]
