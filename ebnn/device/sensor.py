"""A board that prints what its sensor measures: its lines as samples, through resets, torn lines and lost bytes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any

from ..errors import DeviceError, NoAnswerError, PortError
from ..printable import printable
from .layouts import Layout, find_layout
from .printed_lines import Line, LineSplitter, Row, read_row
from .serial_port import BAUDRATE, PORT_FAILURES, PortLike, open_port, short_name

__all__ = ["BAUDRATES", "Break", "Event", "Sample", "SensorPort"]

BAUDRATES = (BAUDRATE, 9600, 57600, 38400, 19200, 230400, 250000, 460800, 500000, 921600, 1_000_000, 74880, 4800, 2400)
"""In the order in which they are tried."""
WAIT_SECONDS = 30.0
"""For the first line of numbers."""

_MOST_BYTES = 4096  # of one read
_KEPT_BYTES = 400  # of what was heard, for messages
_READ_SECONDS = 0.05  # that one read waits
_LAYOUT_SECONDS, _LAYOUT_ROWS = 1.5, 10  # of lines, after which their layout is told
_SLOW_SECONDS = 4.0  # after which fewer rows must do
_GAP_SECONDS, _GAP_SAMPLES = 0.5, 8  # of silence, in which a board has been reset or has stopped
_LATE_SECONDS = 0.25  # in which lines that were held up on their way follow each other
_STALE_LINES = 200  # in a row that do not fit the layout
_SPEED_FAILURES: tuple[type[Exception], ...] = (*PORT_FAILURES, ValueError, AttributeError)
_REOPEN_SECONDS = 10.0  # in which a board that left its port comes back
_TRIAL_SECONDS, _TRIAL_BYTES = 0.7, 200  # of listening at one speed
_LONGEST_TRIAL_SECONDS = 3.0  # where the board is often silent
_GARBLED_SECONDS = 1.0  # of no text, after which it is not only what a starting board sends
_GARBAGE = 0.1  # share of bytes that are no text, from which on a speed is wrong


@dataclass(frozen=True)
class Sample:
    """What a sensor measured at one time."""

    ms: float
    """When: by the board's clock, or by its rate; the first of a stretch is not at 0."""
    texts: tuple[str, ...]
    """A number for each channel, as the board printed it."""

    @property
    def values(self) -> tuple[float, ...]:
        return tuple(map(float, self.texts))


@dataclass(frozen=True)
class Break:
    """Between two samples: they do not follow each other in time."""

    reason: str
    complete: bool = False
    """Whether the board itself has ended the stretch, with a blank line."""


Event = Sample | Break


class SensorPort:
    """A board at a port that prints its sensor's numbers.

    Args:
        port: a URL for pySerial.
        baudrate: bits per second; None finds it.
        rate: samples a second; None finds it.
        known_rates: of other recordings; a rate found that is about one of these is that one.
        wait: seconds to wait for the first line of numbers.
        answers: tells lines that are a prediction, which boards print that run a network by themselves.
        say: told what is worth a line.

    Raises `PortError` if the port cannot be opened.
    """

    def __init__(
        self,
        port: str,
        *,
        baudrate: int | None = None,
        rate: float | None = None,
        known_rates: tuple[float, ...] = (),
        wait: float = WAIT_SECONDS,
        answers: Callable[[str], bool] = lambda text: False,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.port_name = short_name(port)
        self.unreadable = 0
        """Lines since the first row that were torn, or held something that is no number."""
        self.unreadable_example = ""
        self._url = port
        self._rate = rate
        self._known_rates = known_rates
        self._wait = wait
        self._answers = answers
        self._say = say
        self.baudrate = baudrate or BAUDRATE
        self._asked_speed = baudrate is not None
        self._speed_known = self._asked_speed or "://" in port
        self._port: PortLike = open_port(port, self.baudrate)
        self._port.timeout = _READ_SECONDS
        self._splitter = LineSplitter(time.monotonic())
        self._heard = bytearray()
        self._heard_at, self._longest_silence = time.monotonic(), 0.0
        self._lines: list[Line] = []
        self._held: list[Line] = []
        self._layout: Layout | None = None
        self._looked = False
        self._slot = 0
        self._last_seconds: float | None = None
        self._last_ms: float | None = None
        self._doubtful: tuple[Line, float, tuple[str, ...]] | None = None  # of a sample whose time does not follow
        self._fresh = True  # whether the next sample begins a stretch
        self._stale = 0
        self._stale_columns: Counter[int] = Counter()

    def __enter__(self) -> SensorPort:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the port. A simulated board ends."""
        with suppress(*PORT_FAILURES):
            self._port.close()

    @property
    def layout(self) -> Layout:
        """What the lines hold, found where that has not been done.

        Raises `NoAnswerError` where nothing comes, or nothing that holds numbers; `PortError` if the port is gone.
        """
        if self.prints_answers or self._layout is None:
            raise DeviceError(f"{self.port_name} prints predictions, no numbers of a sensor: ebnn live shows them")
        return self._layout

    def settle(self) -> bool:
        """Finds the layout by what has come so far, without waiting for more; returns whether there is a row."""
        if self._layout is None:
            self._layout = self._told_layout()
            self._looked = self._layout is not None
        return self._looked

    @property
    def prints_answers(self) -> bool:
        """Whether the board prints predictions in the place of its sensor's numbers. Raises as :attr:`layout` does."""
        if not self._looked:
            self._layout = self._find_layout()
            self._looked = True
        return self._layout is None

    @property
    def found(self) -> Layout | None:
        """What the lines hold, as far as that is known."""
        return self._layout

    @property
    def silent(self) -> bool:
        """Whether the board has not sent a byte."""
        return not self._heard

    def read_answers(self) -> list[str]:
        """Waits a little and returns the whole lines that have come, as text. Raises `PortError`."""
        lines, self._lines = self._lines or self._read_lines([]), []
        return [line.text for line in lines if line.whole]

    def read(self) -> list[Event]:
        """Waits a little and returns what has come; those from which the layout was found are the first.

        Raises what :attr:`layout` raises, `PortError` if the board leaves its port and does not come back, and
        `DeviceError` if it prints lines of another layout from now on.
        """
        layout = self.layout
        events: list[Event] = []
        lines, self._lines = self._lines or self._read_lines(events), []
        return events + self._follow(lines, layout)

    def rest(self) -> list[Event]:
        """Returns what has come and waited for more, when nothing more will be read."""
        return [] if self._layout is None else self._follow([], self._layout, ended=True)

    # Lines as events

    def _follow(self, lines: list[Line], layout: Layout, ended: bool = False) -> list[Event]:
        """What lines are; those behind a silence wait until it shows whether they were only late."""
        waiting, self._held = self._held + lines, []
        events: list[Event] = []
        for i, line in enumerate(waiting):
            silence = self._silence_before(line, layout)
            if silence:
                if not ended and time.monotonic() < line.seconds + _LATE_SECONDS:
                    self._held = waiting[i:]
                    break
                late = [one for one in waiting[i:] if one.seconds <= line.seconds + _LATE_SECONDS]
                rows = sum(layout.fits(read_row(one.text)) for one in late)
                if rows < 0.5 * silence * (layout.rate or 0):
                    events += self._break(f"nothing for {silence:.1f} s")
            events += self._take(line, layout)
        return events

    def _silence_before(self, line: Line, layout: Layout) -> float:
        """Seconds in which a board was silent that never is for so long; 0 where it was not."""
        if self._last_seconds is None or self._fresh or not layout.rate or layout.clock is not None:
            return 0.0
        silence = line.seconds - self._last_seconds
        return silence if silence > max(_GAP_SECONDS, _GAP_SAMPLES / layout.rate) else 0.0

    def _take(self, line: Line, layout: Layout) -> list[Event]:
        """What a line is."""
        if not line.text.strip():
            return self._break("a blank line", complete=True) if layout.parted else []
        row = read_row(line.text)
        if layout.rate and line.pause > max(_GAP_SECONDS, _GAP_SAMPLES / layout.rate):
            row = None  # the end of one line and the beginning of another, with a reset between them
        if row is None or not line.whole or not layout.fits(row):
            return self._take_other(line, layout, row)
        ms = layout.milliseconds(row)
        doubtful, self._doubtful = self._doubtful, None
        events: list[Event] = []
        if ms is not None and self._last_ms is not None and not self._follows(ms, self._last_ms, layout):
            if doubtful is None or not self._follows(ms, doubtful[1], layout):
                # The clock's number lost a byte, or the board has been reset: the next line tells.
                if doubtful is not None:
                    self._count_unreadable(doubtful[0])
                self._doubtful = line, ms, layout.values(row)
                return []
            anew = doubtful[1] < self._last_ms
            silence = f"nothing for {(doubtful[1] - self._last_ms) / 1000:.1f} s of the board's time"
            events += self._break("the board's clock began anew" if anew else silence)
            events.append(Sample(doubtful[1], doubtful[2]))
        elif doubtful is not None:
            self._count_unreadable(doubtful[0])
        self._stale = 0
        self._stale_columns.clear()
        if ms is None:
            ms = 1000 * self._slot / layout.rate if layout.rate else 1000 * line.seconds
        self._slot += 1
        self._last_seconds, self._last_ms, self._fresh = line.seconds, ms, False
        return [*events, Sample(ms, layout.values(row))]

    def _follows(self, ms: float, before: float, layout: Layout) -> bool:
        """Whether a time of the board's clock can be that of the sample after another, or soon after."""
        longest = 1000 * max(_GAP_SECONDS, _GAP_SAMPLES / layout.rate if layout.rate else 0.0)
        return before <= ms and (layout.rate is None or ms - before <= longest)

    def _count_unreadable(self, line: Line) -> None:
        self.unreadable += 1
        self.unreadable_example = printable(line.text[:40])

    def _take_other(self, line: Line, layout: Layout, row: Row | None) -> list[Event]:
        """A header, which a board prints when it starts, or a line that cannot be read."""
        if layout.is_header(line.text):
            return self._break("the board has started anew")
        if self._last_seconds is not None and line.whole:
            self._count_unreadable(line)
            self._slot += 1
            self._stale += 1
            if row is not None:
                self._stale_columns[len(row.values)] += 1
        if self._stale >= _STALE_LINES:
            now = self._stale_columns.most_common(1)
            what = f"lines of {now[0][0]} numbers" if now else f"lines like {self.unreadable_example!r}"
            raise DeviceError(
                f"{self.port_name} prints {what} now, not of {layout.columns}: its program has changed; start again"
            )
        return []

    def _break(self, reason: str, complete: bool = False) -> list[Event]:
        """One break, however many reasons there are."""
        self._last_ms, self._doubtful = None, None
        if self._fresh:
            return []
        self._fresh = True
        return [Break(reason, complete)]

    # The port

    def _read_lines(self, events: list[Event]) -> list[Line]:
        """The lines that have come; a port that was lost and found adds a break."""
        try:
            data = self._port.read(max(1, self._port.in_waiting))
            while len(data) < _MOST_BYTES and (more := self._port.in_waiting):  # a socket tells 1 at a time
                data += self._port.read(more)
        except PORT_FAILURES as error:
            events += [*self.rest(), *self._break("the board left its port")]
            self._reopen(error)
            return []
        now = time.monotonic()
        if data:
            self._longest_silence = max(self._longest_silence, now - self._heard_at)
            self._heard_at = now
        self._heard = (self._heard + data)[-_KEPT_BYTES:]
        return self._splitter.feed(data, now)

    def _reopen(self, error: Exception) -> None:
        """Waits for a board whose USB port vanishes while it resets."""
        self.close()
        gone = PortError(f"{self.port_name} is gone: {' '.join(str(error).split())}. Is the board still plugged in?")
        if "://" in self._url:
            raise gone from error
        self._say(f"{self.port_name} is gone, waiting for it to come back")
        end = time.monotonic() + _REOPEN_SECONDS
        while True:
            time.sleep(0.1)
            try:
                self._port = open_port(self._url, self.baudrate)
            except PortError:
                if time.monotonic() >= end:
                    raise gone from error
                continue
            self._port.timeout = _READ_SECONDS
            self._splitter = LineSplitter(time.monotonic())
            self._last_seconds = time.monotonic()
            return

    # What the lines hold

    def _find_layout(self) -> Layout | None:
        """None where the board prints predictions."""
        begin = time.monotonic()
        first_row: float | None = None
        first_byte: float | None = None
        told = False
        rows: list[Line] = []
        while True:
            lines = self._read_lines([])
            self._lines += lines
            if any(line.whole and self._answers(line.text) for line in lines):
                return None
            now = time.monotonic()
            rows += [line for line in lines if line.whole and read_row(line.text) is not None]
            if self._heard and first_byte is None:
                first_byte = now
            late = first_byte is not None and now - first_byte >= _GARBLED_SECONDS
            if not rows and not self._speed_known and late and self._garbled():
                self._find_speed()
                begin, first_byte = time.monotonic(), None
                rows = [line for line in self._lines if line.whole and read_row(line.text) is not None]
                continue
            if rows:
                first_row = rows[0].seconds
                after = self._lines[self._lines.index(rows[-1]) :]
                captured = any(not line.text.strip() for line in after)  # a blank line ends a capture
                long = now - first_row >= _LAYOUT_SECONDS
                if (len(rows) >= _LAYOUT_ROWS and (long or captured)) or now - first_row >= _SLOW_SECONDS:
                    break
            elif now - begin >= self._wait:
                raise NoAnswerError(self._explain_silence(now - begin))
            elif now - begin >= 3 and not told:
                told = True
                self._say(f"{self.port_name} has sent no numbers yet; move the sensor where that makes it print")
        return self._told_layout()

    def _told_layout(self) -> Layout | None:
        """The layout by what has come so far; None where no row has."""
        found = find_layout(self._lines)
        if found is None:
            return None
        rate = self._rate or found.rate
        if self._rate is None and rate is not None:
            rate = next((known for known in self._known_rates if abs(known / rate - 1) <= 0.03), rate)
        return replace(found, rate=rate)

    def _garbled(self) -> bool:
        return len(self._heard) >= 16 and _garbage(bytes(self._heard[-64:])) > _GARBAGE

    def _find_speed(self) -> None:
        """Listens at each speed until what comes is text; what came at it is kept."""
        self._speed_known = True
        before = self.baudrate
        for speed in BAUDRATES:
            if speed == before:
                continue
            port: Any = self._port
            try:
                port.baudrate = speed
                port.reset_input_buffer()
            except _SPEED_FAILURES:
                continue
            heard, splitter, lines = bytearray(), LineSplitter(time.monotonic()), list[Line]()
            end = time.monotonic() + min(_LONGEST_TRIAL_SECONDS, max(_TRIAL_SECONDS, 1.5 * self._longest_silence))
            while time.monotonic() < end and len(heard) < _TRIAL_BYTES:
                try:
                    data = self._port.read(max(1, self._port.in_waiting))
                except PORT_FAILURES as error:
                    self._reopen(error)
                    return
                heard += data
                lines += splitter.feed(data, time.monotonic())
            # What was on its way at the old speed may still come first.
            if len(heard) >= 8 and lines and _garbage(bytes(heard[len(heard) // 4 :])) < _GARBAGE / 4:
                self.baudrate, self._splitter, self._lines, self._heard = speed, splitter, lines, heard
                self._say(f"{self.port_name} sends at {speed} bits per second")
                return
        with suppress(*_SPEED_FAILURES):
            port.baudrate = before

    def _explain_silence(self, seconds: float) -> str:
        if not self._heard:
            return (
                f"{self.port_name} sent nothing for {seconds:.0f} s: is its program one that prints numbers? One with "
                "ebnn's firmware only answers: ebnn run streams samples to it"
            )
        if self._garbled() and "://" not in self._url:
            speeds = f"{self.baudrate} bits per second" if self._asked_speed else "any of the usual speeds"
            return f"{self.port_name} sends no text at {speeds}: give --baud the number in its program's Serial.begin"
        texts = [line.text for line in self._lines if line.text.strip()]
        example = texts[-1] if texts else bytes(self._heard).decode("ascii", "replace")
        return (
            f"{self.port_name} sends no line of numbers, but {printable(example[:40])!r}: print a sample a line, its "
            "numbers separated by commas"
        )


def _garbage(data: bytes) -> float:
    """The share of bytes that no text has."""
    return sum(not (32 <= byte < 127 or byte in (9, 10, 13)) for byte in data) / len(data)
