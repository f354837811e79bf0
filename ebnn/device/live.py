"""Predictions as they come: of a board that prints them, or made here of the numbers that it prints."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DeviceError, InputError, NoAnswerError
from ..model.network import Network
from ..model.probabilities import SURE, softmax
from .client import Device
from .layouts import Layout
from .printed_lines import read_row
from .sensor import Break, Sample, SensorPort
from .serial_port import short_name

__all__ = [
    "UNKNOWN",
    "Answer",
    "AnswerLines",
    "LiveNetwork",
    "Printed",
    "class_names",
    "limited",
    "probabilities",
    "watch_port",
]

UNKNOWN = "unknown"
"""What is answered where no class is probable enough."""
SMOOTH = 3
"""Windows whose probabilities are averaged."""

_RATE_DIFFERS = 0.1
_HELLO_SECONDS = 3.0  # for a board with ebnn's firmware to answer


@dataclass(frozen=True)
class Answer:
    """What a network makes of what it has seen last."""

    name: str
    """Of the class, or `UNKNOWN`."""
    probability: float | None
    """Of the class; None where the board does not tell."""
    probabilities: tuple[float, ...] | None
    """Of each class; None where the board does not tell."""


@dataclass(frozen=True)
class Printed:
    """A prediction that a board has printed."""

    name: str
    values: tuple[float, ...]
    """Scores or probabilities of all classes, or the answer's alone, or nothing."""


def class_names(network: Network) -> tuple[str, ...]:
    """Returns the names of the classes: ``class 0``, … where the network has none."""
    return network.meta.class_names or tuple(f"class {k}" for k in range(network.classes))


def probabilities(network: Network, scores: NDArray[Any]) -> NDArray[np.float64]:
    """Returns the probabilities that scores (…, classes) stand for, in the same shape."""
    whole = np.clip(np.rint(np.asarray(scores)), -(2**31), 2**31 - 1).astype(np.int32)
    rows: NDArray[np.int32] = whole.reshape(-1, whole.shape[-1])
    shares: NDArray[np.float64] = (softmax(rows, network.scale) / SURE).reshape(whole.shape)
    return shares


class LiveNetwork:
    """A network that sees a window of a board's last samples.

    Args:
        network: which.
        layout: what the board's lines hold.
        smooth: over how many windows probabilities are averaged.

    Raises InputError where the board's channels are not the network's.
    """

    def __init__(self, network: Network, layout: Layout, smooth: int = SMOOTH) -> None:
        self.network = network
        self.notes: list[str] = []
        """What a user should know, in lines."""
        raw = network.raw_shape
        self._shape = raw
        self._columns = _columns(network, layout)
        self.window = raw.width if raw.height == 1 and len(self._columns) == raw.channels else 1
        """Samples that the network sees at once."""
        self.step = network.meta.step_of(self.window)
        """Samples from one answer to the next."""
        wanted = network.meta.sample_rate
        if wanted and layout.rate and abs(layout.rate / wanted - 1) > _RATE_DIFFERS and self.window > 1:
            self.notes.append(
                f"the board prints {layout.rate:g} samples a second, the network has learned from {wanted:g}: its "
                "answers mean little until they agree"
            )
        self._ring: deque[tuple[float, ...]] = deque(maxlen=self.window)
        self._recent: deque[NDArray[np.float64]] = deque(maxlen=smooth)
        self._since = 0
        self._names = class_names(network)

    def clear(self) -> None:
        """Forgets the samples: those to come do not follow them."""
        self._ring.clear()
        self._recent.clear()
        self._since = 0

    def feed(self, samples: Sequence[Sample]) -> Answer | None:
        """Takes samples that follow each other; the answer to the last window that was due, None where none was.

        Where several windows were due, those before the last are left out: what a user sees is now.
        """
        window = None
        for sample in samples:
            self._ring.append(sample.values)
            self._since += 1
            if len(self._ring) == self.window and self._since >= self.step:
                self._since = 0
                window = list(self._ring)
        return None if window is None else self._answer(np.asarray(window, np.float32))

    def _answer(self, rows: NDArray[np.float32]) -> Answer:
        columns = rows[:, list(self._columns)]  # (samples, channels)
        raw = columns.T if self.window > 1 or len(self._columns) == self._shape.channels else columns
        scores = self.network.scores(self.network.encode(_as_input(self.network, raw.reshape(1, *self._shape))))[0]
        self._recent.append(probabilities(self.network, scores))
        shares = np.mean(list(self._recent), axis=0)
        return answer_of(self._names, shares, self.network.meta.rejection)


def answer_of(names: Sequence[str], shares: Sequence[float] | NDArray[Any], rejection: float | None) -> Answer:
    """Returns the answer that probabilities stand for."""
    best = int(np.argmax(shares))
    sure = rejection is None or shares[best] >= rejection
    return Answer(names[best] if sure else UNKNOWN, float(shares[best]), tuple(map(float, shares)))


def _as_input(network: Network, raw: NDArray[np.float32]) -> NDArray[Any]:
    """Raw samples; for a network without an encoder in the type that it takes, within its range."""
    kind = network.input.values
    if network.encoder is not None or not kind.whole:
        return raw
    whole: NDArray[Any] = np.clip(np.rint(raw), kind.low, kind.high).astype(kind.dtype)
    return whole


def _columns(network: Network, layout: Layout) -> tuple[int, ...]:
    """The board's channels in the network's order."""
    raw, names = network.raw_shape, network.meta.channel_names
    there = layout.channels
    if names and set(names) <= set(there):
        return tuple(there.index(name) for name in names)
    if len(there) in (raw.channels if raw.height == 1 else -1, raw.channels * raw.height * raw.width):
        return tuple(range(len(there)))
    wanted = raw.channels if raw.height == 1 else raw.channels * raw.height * raw.width
    listed = f" ({', '.join(names)})" if names else ""
    raise InputError(
        f"the board prints {len(there)} numbers a sample ({', '.join(there[:12])}), the network takes "
        f"{wanted}{listed}: have the board print these, in this order"
    )


class AnswerLines:
    """Reads predictions that a board prints as text.

    A line is ``wave``, ``wave,0.93``, ``wave`` with the scores of all classes behind it, or ``wave:0.93 punch:0.05``;
    several lines ``wave: 0.93``, one for each class, are one prediction.

    Args:
        network: whose classes they are.
        smooth: over how many predictions probabilities are averaged.
    """

    def __init__(self, network: Network, smooth: int = SMOOTH) -> None:
        self._network = network
        self._names = class_names(network)
        # A name that is a number would be one of a sensor's.
        plain = {name: name for name in (*self._names, UNKNOWN) if not read_row(name)}
        self._written = {**{f"class {name}": name for name in self._names}, **plain}
        self._recent: deque[NDArray[np.float64]] = deque(maxlen=smooth)
        self._partial: dict[str, float] = {}

    def read(self, text: str) -> Printed | None:
        """Returns what a line says; None where it is no prediction, or the rest of one is still to come."""
        text = re.sub(r"(\d)\s*%", r"\1", text)
        row = read_row(text)
        if row is not None and row.names is not None and set(row.names) <= set(self._names):
            shares = dict(zip(row.names, map(float, row.values), strict=True))
            self._partial = {**({} if shares.keys() & self._partial.keys() else self._partial), **shares}
            if len(self._partial) < len(self._names):
                return None
            values = tuple(self._partial[name] for name in self._names)
            self._partial = {}
            return Printed(self._names[int(np.argmax(values))], values)
        name, *rest = [field.strip() for field in re.split(r"[,;\t]", text.strip())]
        if name not in self._written:
            return None
        numbers = read_row(",".join(rest)) if rest else None
        if rest and (numbers is None or len(numbers.values) not in (1, len(self._names))):
            return None
        return Printed(self._written[name], tuple(map(float, numbers.values)) if numbers is not None else ())

    def known(self, text: str) -> bool:
        """Returns whether a line is a prediction, or a part of one."""
        before = dict(self._partial)
        found = self.read(text) is not None or self._partial != before
        self._partial = before
        return found

    def answer(self, printed: Printed) -> Answer:
        """Returns what a prediction says, smoothed where it tells the probabilities of all classes."""
        values = printed.values
        if len(values) == len(self._names) and len(values) > 1:
            shares = self._shares(np.asarray(values))
            self._recent.append(shares)
            smoothed = answer_of(self._names, np.mean(list(self._recent), axis=0), self._network.meta.rejection)
            return smoothed if printed.name != UNKNOWN else Answer(UNKNOWN, None, smoothed.probabilities)
        probability = _share(values[0]) if values else None
        return Answer(printed.name, probability, None)

    def _shares(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probabilities of probabilities, percents or scores."""
        for whole in (1.0, 100.0):
            if values.min() >= 0 and abs(values.sum() / whole - 1) <= 0.05:
                shares: NDArray[np.float64] = values / values.sum()
                return shares
        return probabilities(self._network, values)


def _share(value: float) -> float | None:
    """A probability, or percents as one; None for a score."""
    if 0 <= value <= 1:
        return value
    return value / 100 if 1 < value <= 100 else None


def watch_port(
    network: Network,
    port: str,
    *,
    smooth: int = SMOOTH,
    begun: Callable[[str], None] = lambda line: None,
    **settings: Any,
) -> Generator[Answer | None, None, None]:
    """Yields answers as a board's lines come, and None some times a second while there is none.

    Args:
        network: which runs on the board, or here on what the board prints.
        port: a URL for pySerial.
        smooth: over how many windows probabilities are averaged.
        begun: told in a line which of both it is.
        settings: of `SensorPort`.

    Raises DeviceError as `SensorPort` does, InputError where the board's channels are not the network's and for a
    network whose outputs are bits.
    """
    network.require_classes()
    lines = AnswerLines(network, smooth)
    with SensorPort(port, answers=lines.known, **settings) as board:
        try:
            by_itself = board.prints_answers
        except NoAnswerError:
            if not board.silent:
                raise
            board.close()
            explained = _explain_firmware(port, board.baudrate)
            if explained is None:
                raise
            raise explained from None
        if by_itself:
            begun(f"{board.port_name} predicts by itself")
            while True:
                texts = board.read_answers()
                printed = [found for text in texts if (found := lines.read(text)) is not None]
                for one in printed:
                    yield lines.answer(one)
                if not printed:
                    yield None
        live = LiveNetwork(network, board.layout, smooth)
        rate = "" if board.layout.rate is None else f", {board.layout.rate:g} times a second"
        begun(f"{board.port_name} prints {', '.join(board.layout.channels[:12])}{rate}; the network runs here")
        for note in live.notes:
            begun(f"note: {note}")
        while True:
            stretch: list[Sample] = []
            for event in board.read():
                if isinstance(event, Break):
                    live.clear()
                    stretch = []
                else:
                    stretch.append(event)
            yield live.feed(stretch)


def limited(
    answers: Iterator[Answer | None], seconds: float | None, count: int | None
) -> Generator[Answer | None, None, None]:
    """Yields answers for so long, or so many."""
    end = None if seconds is None else time.monotonic() + seconds
    given = 0
    for answer in answers:
        yield answer
        given += answer is not None
        if (count is not None and given >= count) or (end is not None and time.monotonic() >= end):
            return


def _explain_firmware(port: str, baud: int) -> DeviceError | None:
    """The error for a board that runs ebnn's firmware, which answers and prints nothing; None for another."""
    try:
        with Device(port, baudrate=baud, startup=_HELLO_SECONDS) as device:
            network = device.hello().network
    except DeviceError:
        return None
    return DeviceError(
        f"{short_name(port)} runs ebnn's firmware with network {network!r}, which answers what it is sent and prints "
        "nothing: ebnn run streams samples to it; to see it live, flash a sketch that prints its sensor or its answers"
    )
