"""A board at a port: its sessions, its samples, and what to say when one fails."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from types import TracebackType
from typing import NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import DeviceError, NoAnswerError, RefusedError, WrongNetworkError
from ..frames import PROTOCOL_VERSION, PUSH_HEAD_BYTES, Command, Frame, Status
from ..updatable import tag
from .answers import DeviceInfo, Prediction, Profile, read_info, read_prediction, read_profile, sample_bytes
from .explanations import explain_refusal, explain_silence
from .link import Link, Missing, Refusal, Statistics
from .push_checks import ImageHead, check_kernels, check_key, check_push, is_worth_another_try, push_facts, refused_push
from .serial_port import BAUDRATE, PortLike, address, open_port, short_name

_BOOT_POLL_SECONDS = 0.5  # how often a board that is starting is asked
_BOOT_SECONDS = 1.7  # that a bootloader waits for an upload; some take what they hear for one
_UPLOAD_SECONDS = 5.5  # of silence after which such a bootloader gives up
_ASKED_IN_A_ROW = 6  # HELLOs before such a silence
_PROMPT_SECONDS = 0.5  # within which a board that has nothing to do answers a greeting
_LONGEST_WAIT_SECONDS = 30.0  # to which the wait for one answer grows, time-out by time-out
_SILENCES = 2  # time-outs in a row after which the board may have been reset
_HELLO_BYTES = 64  # of an answer to a HELLO, about
_PROFILE_BYTES = 64  # of an answer to a PROFILE, about
_STORE_SECONDS = 0.004  # that a byte takes to be written to an EEPROM, or back

_Answer = TypeVar("_Answer")


class Device:
    """A board at a port.

    Args:
        port: a URL for pySerial, or an open port; `close` closes it in both cases.
        network_hash: the network that the board must run; None takes whichever runs.
        network_name: that network's name, for messages.
        timeout: seconds to wait for an answer, besides the time that the bytes take and twice the time that the sample
            before took, by this computer's clock.
        retries: how often one sample is sent again.
        limit: seconds that one sample may take in all, whatever the board says or does.
        startup: seconds that a board may take to start, after those in which a bootloader waits for an upload.
        baudrate: bits per second, for ports that have such a thing.
        waiting: told, each time that an answer is overdue, for how many seconds it has been waited for.

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
        startup: float = 10.0,
        limit: float = 120.0,
        baudrate: int = BAUDRATE,
        waiting: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self.timeout = timeout
        self.retries = retries
        self.limit = limit
        self.waiting = waiting
        self.startup = startup
        self._expected_hash = network_hash
        self._expected_name = network_name
        if isinstance(port, str):
            self.port_name, self._address = short_name(port), address(port)
            self.port = open_port(port, baudrate)
            self._booting = "://" not in port  # opening a serial port resets most boards
        else:
            name = str(getattr(port, "port", None) or "the port")
            self.port_name, self._address = short_name(name), address(name)
            self.port = port
            self._booting = False
        self._link = Link(self.port, self.port_name, baudrate)
        self._info: DeviceInfo | None = None
        self._nonce = os.urandom(4)  # of the session
        self._sample_seconds = 0.0  # from the last sample to its answer, by our own clock: a board may say anything

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
        return self._link.statistics

    def hello(self) -> DeviceInfo:
        """Greets the board and returns what it is, waiting for it to start if need be.

        Opening a serial port resets most boards, and a bootloader that hears something waits for an upload instead of
        starting the firmware. So the first greeting is held back until it is gone, and silence follows every sixth.

        Raises `NoAnswerError` if nothing answers in time, or something that is not this firmware; `WrongNetworkError`
        if the board runs another network than asked for, or than before; `RefusedError` if it speaks another version of
        the protocol; `PortError` if the port is gone.
        """
        request = self._link.next_request(Command.HELLO, bytes([PROTOCOL_VERSION]) + self._nonce)
        heard = bytearray()
        begin = time.monotonic()
        wait = min(self._patience(len(request.body), _HELLO_BYTES), _BOOT_POLL_SECONDS)
        if self._booting:
            self._booting = False
            self._link.answer(request, begin + _BOOT_SECONDS, self._read_greeting, heard)
            begin = time.monotonic()
        asked = 0
        while True:
            self._link.send(request)
            asked += 1
            pause = wait if asked % _ASKED_IN_A_ROW else max(wait, _UPLOAD_SECONDS)
            deadline = min(time.monotonic() + pause, begin + self.startup)
            reply = self._link.answer(request, deadline, self._read_greeting, heard)
            if isinstance(reply, Refusal):
                self._refused(request, reply)
            if isinstance(reply, DeviceInfo):
                break
            if reply is Missing.SILENCE:
                wait = min(wait * 1.5, _BOOT_POLL_SECONDS)
            if time.monotonic() >= begin + self.startup:
                answered = None if self._info is None else self._link.requests
                raise NoAnswerError(explain_silence(self.port_name, self.startup, answered, bytes(heard), request))
            self.waiting(time.monotonic() - begin)
        self._link.handshakes += 1
        self._check_network(reply)
        self._info = reply
        return reply

    def expect(self, network_hash: int | None) -> None:
        """Has the board run the network of that hash; None takes whichever runs. Raises `WrongNetworkError`."""
        self._expected_hash = network_hash
        if self._info is not None:
            self._check_network(self._info)

    def predict(self, packed: bytes | bytearray | NDArray[np.uint8]) -> Prediction:
        """Sends one packed sample, (input bytes,) uint8, and returns the board's answer to it.

        Says `hello` first if that has not been done, and again when the board has been reset. Raises what `hello`
        raises, `InputError` for a sample of the wrong size or type, and `NoAnswerError` when all retries are used up.
        """
        info = self._greeted()
        body = sample_bytes(packed, info)
        prediction = self._ask(
            Command.PREDICT, body, 4 * info.classes, lambda payload: read_prediction(payload, info.classes)
        )
        self._check_class(prediction.class_index, info)
        return prediction

    def predict_raw(self, raw: NDArray[np.float32] | NDArray[np.int16]) -> Prediction:
        """Sends one raw sample, which the board encodes, and returns the board's answer to it.

        ``raw`` (values,) float32 or int16, as `ebnn.model.encoders.Encoder.pack_raw` gives it. Raises what `predict`
        raises, and `RefusedError` where the board's network has no encoder.
        """
        info = self._greeted()
        body = raw.astype(raw.dtype.newbyteorder("<")).tobytes()
        prediction = self._ask(
            Command.PREDICT_RAW, body, 4 * info.classes, lambda payload: read_prediction(payload, info.classes)
        )
        self._check_class(prediction.class_index, info)
        return prediction

    def profile(self, packed: bytes | bytearray | NDArray[np.uint8]) -> Profile:
        """Sends one packed sample, (input bytes,) uint8, and returns where the board spent its time on it.

        Raises what `predict` raises, and `RefusedError` if the board's firmware cannot tell.
        """
        info = self._greeted()
        body = sample_bytes(packed, info)
        profile = self._ask(Command.PROFILE, body, _PROFILE_BYTES, read_profile)
        self._check_class(profile.class_index, info)
        return profile

    def push(
        self, image: bytes, *, key: bytes | None = None, progress: Callable[[int], None] = lambda done: None
    ) -> DeviceInfo:
        """Sends the image of a network to updatable firmware, and returns what the board says when it runs it.

        Args:
            image: of `ebnn.compile.image.image_bytes`, for the board's kind of processor.
            key: of `ebnn.updatable.read_key`, where the board has one.
            progress: told after each piece how many bytes are there; again from 0 on where a push begins anew.

        What the line loses or damages is sent again, and a board that was reset gets all of it anew. Until the last
        moment the board runs what it ran before, if it has the room, and after a reset that or nothing.

        Raises what `hello` raises; `DeviceError` where the board takes no networks, or not this one, and `RefusedError`
        where it says so itself.
        """
        head = ImageHead.of(image)
        facts = push_facts(self.hello(), self.port_name)
        check_push(head, facts, self.port_name, key is not None)
        check_kernels(image, facts, self.port_name)
        self._expected_hash = self._expected_name = None
        startup, self.startup = self.startup, self.startup + _STORE_SECONDS * facts.store_bytes
        try:
            for attempt in range(self.retries + 1):
                self._info = None
                refusal = self._send_image(image, key, facts.piece_bytes, progress)
                taken = refusal is None
                if taken:
                    refusal = self._order(Command.PUSH_COMMIT, head.crc.to_bytes(4, "little"), key, image)
                    # A board that was reset after it took the image knows of no push any more.
                    taken = refusal is None or refusal.status in (Status.NO_SESSION, Status.NO_PUSH)
                self._info = None
                info = self.hello()
                if taken and info.network_hash == head.hash32 and info.push is not None and info.push.pushed:
                    return info
                if refusal is not None and not is_worth_another_try(*refusal, attempt):
                    raise refused_push(self.port_name, *refusal)
            raise NoAnswerError(
                f"{self.port_name} took none of {self.retries + 1} tries at a push "
                f"({self.statistics.bad_frames} damaged frames so far): check the cable, or use more retries"
            )
        finally:
            self.startup = startup

    def forget(self, *, key: bytes | None = None) -> DeviceInfo:
        """Drops a pushed network, so that the firmware's own answers again, and returns what the board then says.

        Without a pushed network nothing happens. Raises what `push` raises.
        """
        facts = push_facts(info := self.hello(), self.port_name)
        if not facts.pushed:
            return info
        check_key(facts, self.port_name, key is not None)
        self._expected_hash = self._expected_name = self._info = None
        refusal = self._order(Command.PUSH_FORGET, info.network_hash.to_bytes(4, "little"), key)
        self._info = None
        after = self.hello()
        if after.push is not None and after.push.pushed:
            raise refused_push(self.port_name, *(refusal or Refusal(Status.NO_PUSH, 0)))
        return after

    def _send_image(
        self, image: bytes, key: bytes | None, piece_bytes: int, progress: Callable[[int], None]
    ) -> Refusal | None:
        """Sends all of an image, which counts for nothing yet; returns what was refused."""
        progress(0)
        refusal = self._order(Command.PUSH_BEGIN, image[:PUSH_HEAD_BYTES], key)
        if refusal is not None:
            return refusal
        for at in range(0, len(image), piece_bytes):
            piece = image[at : at + piece_bytes]
            refusal = self._order(Command.PUSH_PIECE, at.to_bytes(4, "little") + piece)
            if refusal is not None:
                return refusal
            progress(at + len(piece))
        return None

    def _order(
        self, command: Command, body: bytes, key: bytes | None = None, signed: bytes | None = None
    ) -> Refusal | None:
        """Sends a request until it is answered; returns None where all is well, else why it was refused.

        A key's tag is of the body, or of what is ``signed``.
        """
        if key is not None:
            body += tag(key, command, body if signed is None else signed)
        begin = time.monotonic()
        request = self._link.next_request(command, body)
        patience = wait = self._patience(len(body), 0)
        silences = 0
        for attempt in range(self.retries + 1):
            if time.monotonic() >= begin + self.limit:
                break
            if attempt:
                self.waiting(time.monotonic() - begin)
            if silences == _SILENCES:
                self._info = None
                self.hello()  # a board that was reset has a session again after this
                silences = 0
            self._link.retries += attempt > 0
            self._link.send(request)
            reply = self._link.answer(request, time.monotonic() + wait, lambda payload: payload)
            if isinstance(reply, Refusal):
                return reply
            if not isinstance(reply, Missing):
                return None
            if reply is Missing.SILENCE:
                silences += 1
                wait = min(2 * wait, _LONGEST_WAIT_SECONDS)
            else:
                wait = patience
        raise NoAnswerError(
            f"{self.port_name} answered none of {self.retries + 1} tries at {command.name} in "
            f"{time.monotonic() - begin:.1f} s ({self.statistics.bad_frames} damaged frames so far): check the cable, "
            "or use more retries"
        )

    def _check_class(self, index: int, info: DeviceInfo) -> None:
        if index >= info.classes:
            raise DeviceError(
                f"{self.port_name}: the board answered class {index}, its network has the classes 0 to "
                f"{info.classes - 1}: its firmware is damaged, flash it again"
            )

    def _greeted(self) -> DeviceInfo:
        return self._info if self._info is not None else self.hello()

    def _ask(
        self, command: Command, sample: bytes, payload_bytes: int, read_payload: Callable[[bytes], _Answer | None]
    ) -> _Answer:
        """Sends a sample until it is answered; `payload_bytes` of answer are expected, about."""
        begin = time.monotonic()
        request = self._link.next_request(command, sample)
        patience = wait = self._patience(len(sample), payload_bytes)
        silences = 0
        idle = False
        end = begin + self.limit
        tries = 0
        for attempt in range(self.retries + 1):
            if time.monotonic() >= end:
                break
            if attempt:
                self.waiting(time.monotonic() - begin)
            if silences == _SILENCES:
                # A board that was reset has a session again after this; one that was only slow has kept its reply.
                greeted = time.monotonic()
                self.hello()
                silences = 0
                idle = time.monotonic() - greeted < _PROMPT_SECONDS
                if idle:
                    wait = patience  # it is not at work on the sample, so more patience would not help
            self._link.retries += attempt > 0
            self._link.send(request)
            tries += 1
            reply = self._link.answer(request, min(time.monotonic() + wait, end), read_payload)
            if isinstance(reply, Refusal):
                if reply == Refusal(Status.WRONG_SIZE, len(request.body)):
                    continue  # it is the size that was sent: the request was damaged, and had a right CRC by chance
                if reply.status != Status.NO_SESSION:
                    self._refused(request, reply)
                silences = _SILENCES
            elif isinstance(reply, Missing):
                if reply is Missing.SILENCE:
                    silences += 1
                    wait = min(2 * wait, _LONGEST_WAIT_SECONDS)
            else:
                self._sample_seconds = time.monotonic() - begin
                self._link.note_sample(self._sample_seconds)
                return reply
        way_out = (
            "it answers greetings, so its firmware fails at the sample: flash it again"
            if idle
            else "check the cable, or use more retries"
        )
        raise NoAnswerError(
            f"{self.port_name} answered none of {tries} tries at a sample in {time.monotonic() - begin:.1f} "
            f"s ({self.statistics.bad_frames} damaged frames so far): {way_out}"
        )

    def _patience(self, body_bytes: int, payload_bytes: int) -> float:
        """Seconds that an answer may take."""
        return self.timeout + self._link.wire_seconds(body_bytes, payload_bytes) + 2 * self._sample_seconds

    def _refused(self, request: Frame, refusal: Refusal) -> NoReturn:
        raise RefusedError(explain_refusal(self.port_name, request, refusal))

    def _read_greeting(self, payload: bytes) -> DeviceInfo | None:
        if payload and payload[0] != PROTOCOL_VERSION:
            raise RefusedError(
                f"{self.port_name}: the board speaks version {payload[0]} of the protocol, this ebnn version "
                f"{PROTOCOL_VERSION}: flash the firmware of this version of ebnn"
            )
        return read_info(payload, self._nonce)

    def _check_network(self, info: DeviceInfo) -> None:
        found = f"board {info.board!r} runs network {info.network!r} (hash 0x{info.network_hash:08x})"
        if self._expected_hash is not None and info.network_hash != self._expected_hash:
            name = f"{self._expected_name!r} " if self._expected_name is not None else ""
            way_out = "flash the board again with this network"
            if info.push is not None:
                way_out = f"push this network, ebnn push MODEL --port {self._address}"
            raise WrongNetworkError(
                f"{self.port_name}: {found}, not {name}(hash 0x{self._expected_hash:08x}): {way_out}, or give the "
                "model that it runs"
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
