"""Samples → classes by name, most probable first: here, in machine code of this computer, or on a board."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .compile.linux.shared_library import compile_network
from .device import BAUDRATE, Device
from .model.network import Network
from .model.probabilities import SURE, softmax
from .model.ranking import top_classes
from .simulation.network_port import network_port
from .streaming import check_board, is_unsure


@dataclass(frozen=True)
class Answer:
    """What a network says of a sample.

    Attributes:
        classes: the most probable ones, the first one first.
        names: theirs.
        probabilities: theirs, whole numbers of 1/65,535.
        unsure: whether the first one's probability is below the network's rejection threshold.
        device_us: microseconds that a board took, by its own clock; None here.
    """

    classes: tuple[int, ...]
    names: tuple[str, ...]
    probabilities: tuple[float, ...]
    unsure: bool
    device_us: int | None = None

    @property
    def name(self) -> str:
        """The class's, or "unknown"."""
        return "unknown" if self.unsure else self.names[0]

    def values(self) -> dict[str, Any]:
        """The answer as plain JSON values."""
        rows = zip(self.classes, self.names, self.probabilities, strict=True)
        return {
            "answer": self.name,
            "top": [{"class": k, "name": name, "probability": probability} for k, name, probability in rows],
            "device_us": self.device_us,
        }


def answer_of(network: Network, scores: NDArray[np.int32], top: int, device_us: int | None = None) -> Answer:
    """Returns the answer that scores (classes,) stand for, with ``top`` classes, or all where there are fewer."""
    classes = top_classes(scores[None], min(top, network.classes))[0]
    probabilities = softmax(scores[None], network.scale)[0] / SURE
    return Answer(
        tuple(int(k) for k in classes),
        tuple(network.class_name(int(k)) for k in classes),
        tuple(float(probabilities[k]) for k in classes),
        is_unsure(network, scores),
        device_us,
    )


@contextmanager
def asking(
    network: Network,
    port: str | None = None,
    top: int = 1,
    *,
    name: str = "network",
    baud: int = BAUDRATE,
    building: Callable[[], None] = lambda: None,
) -> Iterator[Callable[[NDArray[Any]], Answer]]:
    """Gives a function that answers a sample (channels, height, width), one after the other.

    Args:
        network: compiled for this computer, or what the board must run; a simulated board is built with it.
        port: where the board is; None for none.
        top: how many classes an answer has.
        name, baud, building: as `ebnn.streaming.stream_port` takes them.

    Raises InputError for a network whose outputs are bits, BuildError where there is no compiler, and the errors of
    `ebnn.streaming.stream_port`: also where the board runs another network.
    """
    network.require_classes()
    if port is None:
        compiled = compile_network(network)
        yield lambda sample: answer_of(network, compiled.scores(sample[None])[0], top)
        return
    with network_port(network, port, name, "integer", "balanced") as url:
        if url != port:
            building()
        with Device(url, network_hash=network.hash32, network_name=name, baudrate=baud) as device:
            check_board(network, device.hello())

            def ask(sample: NDArray[Any]) -> Answer:
                answer = device.predict(network.pack_input(sample[None])[0])
                return answer_of(network, np.asarray(answer.scores, np.int32), top, answer.device_us)

            yield ask
