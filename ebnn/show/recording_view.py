"""What a person sees while a board's numbers are recorded."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.text import Text

from ..printable import printable
from .console import print_line
from .traces import trace

if TYPE_CHECKING:
    from ..device.recording import Recorder, Recording
    from ..device.sensor import Sample

_SHOWN_SECONDS = 4.0
_FASTEST = 400.0  # samples a second that a curve is made of when no rate is known
_MOST_CHANNELS = 12
_NAME, _VALUE = 10, 11  # columns
_QUIT = "qQ\x03\x04"


class RecordingView:
    """Curves of the channels on a terminal, a line for each recording everywhere.

    Args:
        console: where to.
        keys: returns the keys pressed since its last call.

    ``q`` raises KeyboardInterrupt; any other key is told to the recorder.
    """

    def __init__(self, console: Console, keys: Callable[[], str] = lambda: "") -> None:
        self.console = console
        self._keys = keys
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._shown: list[deque[float]] = []
        self._motion: float | None = None

    def __enter__(self) -> RecordingView:
        return self

    def __exit__(self, *error: object) -> None:
        if self._live.is_started:
            self._live.stop()

    def say(self, line: str) -> None:
        """Shows a line."""
        print_line(self.console, line)

    def begin(self, recorder: Recorder) -> None:
        """Shows what was found."""
        facts = recorder.facts
        rate = "at a rate too slow to tell" if facts.rate is None else f"{facts.rate:g} samples a second"
        channels = f"{len(facts.channels)} channel{'s' if len(facts.channels) > 1 else ''}"
        names = ", ".join(facts.channels[:_MOST_CHANNELS]) + (", …" if len(facts.channels) > _MOST_CHANNELS else "")
        self.say(f"{facts.port}: {channels} ({names}), {rate}")
        length = max(8, round(_SHOWN_SECONDS * (facts.rate or _FASTEST / _SHOWN_SECONDS)))
        self._shown = [deque(maxlen=length) for _ in facts.channels[:_MOST_CHANNELS]]
        if self.console.is_terminal:
            self._live.start()

    def sample(self, sample: Sample, motion: float | None) -> None:
        """Takes a sample into the curves."""
        self._motion = motion
        for shown, value in zip(self._shown, sample.values, strict=False):
            shown.append(value)

    def state(self, recorder: Recorder) -> None:
        """Draws the curves, where there is a terminal."""
        if self._live.is_started:
            self._live.update(Text("\n".join(self.lines(recorder)), no_wrap=True, overflow="crop"), refresh=True)

    def recorded(self, recording: Recording) -> None:
        """Says what was recorded."""
        ended = "" if recording.whole else f", cut off by {recording.ended}"
        self.say(f"{recording.path}: {recording.samples:,} samples{ended}")

    def pressed(self) -> bool:
        """Returns whether a key was pressed."""
        keys = self._keys()
        if any(key in _QUIT for key in keys):
            raise KeyboardInterrupt
        return bool(keys)

    def lines(self, recorder: Recorder) -> list[str]:
        """Returns what is drawn, in lines that fit the console."""
        facts, width = recorder.facts, self.console.width
        room = max(1, (self.console.height - 4) // max(1, len(self._shown)))
        rows = min(4, room)
        curve = max(8, width - _NAME - _VALUE - 2)
        lines = []
        for name, shown in zip(facts.channels, self._shown, strict=False):
            drawn = trace(shown, curve, rows, self.console.options.ascii_only)
            label = printable(name)[:_NAME].ljust(_NAME)
            value = (f"{shown[-1]:.5g}" if shown else "").rjust(_VALUE)
            lines += [
                f"{label if i == 0 else ' ' * _NAME} {line} {value if i == 0 else ''}" for i, line in enumerate(drawn)
            ]
        hidden = len(facts.channels) - len(self._shown)
        if hidden > 0:
            lines.append(f"and {hidden} more channels")
        lines.append(self._status(recorder))
        lines.append(self._help(recorder))
        return [line[:width].rstrip() for line in lines]

    def _status(self, recorder: Recorder) -> str:
        label = printable(recorder.facts.label)
        number = len(recorder.finished) + 1
        of = "" if recorder.plan.count is None else f" of {recorder.plan.count}"
        if recorder.file is not None:
            length = "" if recorder.length is None else f" of {recorder.length:,}"
            return f"recording {label} {number}{of}: {recorder.taken:,}{length} samples"
        motion = "" if self._motion is None else f", motion {self._motion:.1f} of {recorder.plan.threshold:g}"
        return f"next: {label} {number}{of}{motion}"

    def _help(self, recorder: Recorder) -> str:
        if recorder.plan.start == "key":
            return f"space {'ends' if recorder.armed else 'begins'} it, q is the end"
        return "q is the end" if recorder.plan.start == "now" else "move to begin it, q is the end"
