"""Recording: which samples of a board go into which file."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, Protocol

from ..errors import DeviceError, InputError
from .motion import THRESHOLD, MotionMeter
from .recording_files import Facts, RecordingFile, RecordingFolder
from .sensor import Break, Event, Sample, SensorPort

__all__ = ["Plan", "Recorder", "Recording", "Start", "Watch", "record_port"]

Start = Literal["key", "motion", "now"]
BEFORE_SECONDS = 0.25
"""That a recording begins before the motion which starts it."""
QUIET_SECONDS = 0.5
"""Without motion, after which a recording that motion has started ends."""


@dataclass(frozen=True)
class Plan:
    """When recordings begin and end."""

    start: Start = "now"
    seconds: float | None = None
    """Of each; None ends one by key, by rest after motion, or where the board does."""
    count: int | None = None
    """How many there will be; None goes on until it is stopped."""
    threshold: float = THRESHOLD
    """Times as much change as at rest, for a start by motion."""


@dataclass(frozen=True)
class Recording:
    """What was recorded."""

    path: Path
    samples: int
    ended: str
    """Why it ended, in words."""
    whole: bool
    """Whether it ended as it was planned to."""


class Watch(Protocol):
    """Is told of a recording while it goes on."""

    def sample(self, sample: Sample, motion: float | None, /) -> None:
        """A sample has come; how much it moves, where that is looked at."""

    def state(self, recorder: Recorder, /) -> None:
        """It is time to show what goes on, some times a second."""

    def recorded(self, recording: Recording, /) -> None:
        """A recording is in its file."""

    def pressed(self) -> bool:
        """Returns whether a key was pressed since the last call."""


class Unwatched:
    """Shows nothing and presses no key."""

    def sample(self, sample: Sample, motion: float | None, /) -> None: ...
    def state(self, recorder: Recorder, /) -> None: ...
    def recorded(self, recording: Recording, /) -> None: ...
    def pressed(self) -> bool:
        return False


class Recorder:
    """Cuts what a board sends into recordings.

    Args:
        plan: when they begin and end.
        folder: where they go.
        facts: of the recordings, but for the date.
        watch: told what happens.

    Raises InputError where a plan needs the board's rate and it has none.
    """

    def __init__(self, plan: Plan, folder: RecordingFolder, facts: Facts, watch: Watch | None = None) -> None:
        rate = facts.rate
        if rate is None and (plan.seconds is not None or plan.start == "motion"):
            raise InputError(
                "the board prints too slowly to tell its rate, which --seconds and --start motion need: give --rate"
            )
        self.plan = plan
        self.facts = facts
        self.file: RecordingFile | None = None
        """The recording under way."""
        self.finished: list[Recording] = []
        self.armed = plan.start == "now"
        """Whether the next sample is recorded."""
        self._folder = folder
        self._watch = watch or Unwatched()
        self._length = None if plan.seconds is None or rate is None else max(1, round(plan.seconds * rate))
        self._meter = MotionMeter(rate) if plan.start == "motion" and rate is not None else None
        self._before: deque[Sample] = deque(maxlen=max(1, round(BEFORE_SECONDS * rate)) if rate else 1)
        self._quiet_limit = round(QUIET_SECONDS * rate) if rate else 0
        self._quiet = 0
        self._rested = True  # whether there was rest since the last recording: its motion starts no other
        self._taken = 0
        self._newest = 0.0  # time of the sample that has come just now, by the clock of the one that is taken

    @property
    def done(self) -> bool:
        """Whether as many recordings as planned are whole."""
        return self.plan.count is not None and sum(one.whole for one in self.finished) >= self.plan.count

    @property
    def length(self) -> int | None:
        """Samples of a recording; None where its length is open."""
        return self._length

    @property
    def taken(self) -> int:
        """Samples of the recording under way."""
        return self._taken

    def press(self) -> None:
        """A key was pressed: begins, or ends, where keys do that."""
        if self.plan.start != "key":
            return
        if self.armed:
            self._end("a key", whole=True)
        self.armed = not self.armed

    def feed(self, events: Iterable[Event]) -> None:
        """Takes what the board has sent. Raises WriteError; what had come until then is in the file."""
        come = list(events)
        for event, newest in zip(come, _newest(come), strict=True):
            if self.done:
                return
            self._newest = newest
            if isinstance(event, Sample):
                self._take(event)
            else:
                self._part(event)
        if self.file is not None:
            self.file.flush()

    def finish(self, reason: str) -> None:
        """Ends the recording under way. Raises WriteError."""
        self._end(reason, whole=self._length is None)

    def _take(self, sample: Sample) -> None:
        motion = None
        if self._meter is not None:
            motion = self._meter.feed(sample.values, learn=self.file is None)
            self._before.append(sample)
            moving = motion is not None and motion >= self.plan.threshold
            self._quiet = 0 if motion is None or motion >= self.plan.threshold / 2 else self._quiet + 1
            self._rested = self._rested or self._quiet >= self._quiet_limit
            if self.file is None and moving and self._rested:
                self._begin(self._before[0])
                self._rested = False
                for earlier in self._before:
                    self._add(earlier)
            elif self.file is not None:
                self._add(sample)
                if self._length is None and self._quiet >= self._quiet_limit:
                    self._end("rest", whole=True)
        elif self.armed:
            self._add(sample)
        self._watch.sample(sample, motion)

    def _add(self, sample: Sample) -> None:
        if self.file is None:
            if self._meter is not None:  # those before the motion have filled it
                return
            self._begin(sample)
        assert self.file is not None
        self.file.add(sample.ms, sample.texts)
        self._taken += 1
        if self._length is not None and self._taken >= self._length:
            self._end("its length", whole=True)
            self.armed = self.plan.start == "now"

    def _part(self, gap: Break) -> None:
        """Samples on both sides of a break never stand in one recording."""
        self._before.clear()
        if self._meter is not None:
            self._meter.clear()
        self._end(gap.reason, whole=gap.complete or self._length is None)

    def _begin(self, first: Sample) -> None:
        self._taken = 0
        age = timedelta(milliseconds=max(0.0, self._newest - first.ms))
        date = (datetime.now().astimezone() - age).isoformat(timespec="milliseconds")
        self.file = self._folder.new(replace(self.facts, date=date))

    def _end(self, reason: str, whole: bool) -> None:
        file = self.file
        if file is None:
            return
        try:
            file.close()
        finally:
            self.file = None
            self._before.clear()
            self._quiet = 0
            if file.samples:
                recording = Recording(file.path, file.samples, reason, whole)
                self.finished.append(recording)
                self._watch.recorded(recording)


def _newest(events: list[Event]) -> list[float]:
    """For each event the time of the last sample that follows it without a break, or its own."""
    found: list[float] = []
    newest: float | None = None
    for event in reversed(events):
        if isinstance(event, Break):
            newest = None
        elif newest is None:
            newest = event.ms
        found.append(0.0 if newest is None else newest)
    return found[::-1]


def record_port(
    port: SensorPort,
    folder: RecordingFolder,
    plan: Plan,
    *,
    watch: Watch | None = None,
    begun: Callable[[Recorder], None] = lambda recorder: None,
) -> list[Recording]:
    """Records until the plan is done, or KeyboardInterrupt ends it; returns the recordings.

    Args:
        port: the board.
        folder: where they go.
        plan: when they begin and end.
        watch: told what happens.
        begun: told when the board's layout is known.

    Raises DeviceError and WriteError as the parts do; what was whole until then is in its file.
    """
    watch = watch or Unwatched()
    stopped: BaseException | None = None
    try:
        layout = port.layout
    except (KeyboardInterrupt, DeviceError) as error:
        # What has come until then is recorded too, where it was to be.
        if plan.start != "now" or not port.settle():
            if isinstance(error, KeyboardInterrupt):
                return []
            raise
        layout, stopped = port.layout, error
    facts = Facts(folder.label, layout.channels, layout.rate, port.port_name, port.baudrate, "")
    recorder = Recorder(plan, folder, facts, watch)
    begun(recorder)
    shown = 0.0
    try:
        while not recorder.done:
            recorder.feed(port.read())
            if stopped is not None:
                raise stopped
            if watch.pressed():
                recorder.press()
            if time.monotonic() - shown >= 0.1:
                shown = time.monotonic()
                watch.state(recorder)
    except (KeyboardInterrupt, DeviceError) as error:
        recorder.feed(port.rest())
        if isinstance(error, DeviceError):
            recorder.finish(str(error))
            raise
        recorder.finish("Ctrl-C")
    finally:
        if recorder.file is not None:
            recorder.finish("an error")
    return recorder.finished
