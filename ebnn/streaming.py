"""Streaming samples to a board and holding every answer against the reference."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .compile.estimate import estimate
from .device import BAUDRATE, Device, DeviceInfo
from .errors import EbnnError, InputError, WrongNetworkError
from .model.axes import refuse_masked
from .model.network import Network
from .model.probabilities import UNKNOWN, classes_or_unknown
from .model.ranking import label_ranks
from .report import RunReport
from .simulation.network_port import network_port
from .simulation.protocol_sim import parse_url, takes_header

BATCH = 64  # samples that the reference predicts at a time


class InterruptedRunError(EbnnError):
    """A run that ended early; ``report`` has what was answered until then."""

    def __init__(self, message: str, report: RunReport) -> None:
        super().__init__(message)
        self.report = report

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles and copies with the report too."""
        return type(self), (str(self), self.report)


def check_board(network: Network, board: DeviceInfo) -> None:
    """Raises WrongNetworkError where a board runs another network."""
    wanted = (network.hash32, network.input.bytes, network.classes)
    found = (board.network_hash, board.input_bytes, board.classes)
    if found != wanted:
        facts = "hash 0x{:08x}, {:,} bytes of input, {} classes"
        raise WrongNetworkError(
            f"the board runs {board.network!r} ({facts.format(*found)}), not this network ({facts.format(*wanted)}): "
            "flash it again"
        )


def simulated_us(network: Network, port: str, arithmetic: str, optimize: str) -> float | None:
    """Returns the estimated microseconds of a sample at a simulated board that is about as slow as the board itself.

    None for every other port: a real board, and simulators that are much faster.
    """
    if not takes_header(port):
        return None
    board = parse_url(port).board
    return estimate(network, board, arithmetic, optimize).us if board.simulator == "simavr" else None


def check_labels(labels: ArrayLike, samples: int, classes: int) -> NDArray[np.int64]:
    """Returns labels as (samples,) int64.

    Args:
        labels: one whole number for each sample, from 0 to ``classes`` - 1.
        samples: how many there are.
        classes: of the network.

    Raises:
        InputError: they have another length, type or range, or one is masked.
    """
    refuse_masked("labels", labels)
    try:
        array = np.asarray(labels)
    except ValueError:
        raise InputError("labels that differ in shape do not fit: give one whole number for each sample") from None
    if array.shape != (samples,):
        raise InputError(f"labels of shape {array.shape} do not fit {samples:,} samples: give one label for each")
    if array.dtype.kind not in "iu":
        raise InputError(f"labels of type {array.dtype} do not fit: give whole numbers, the index of each class")
    if array.size and (array.min() < 0 or array.max() >= classes):
        raise InputError(
            f"labels from {array.min()} to {array.max()} do not fit: this network has the classes 0 to {classes - 1}"
        )
    return array.astype(np.int64)


def is_unsure(network: Network, scores: NDArray[np.int32]) -> bool:
    """Whether scores (classes,) stand for "unknown": their largest probability is below the network's threshold."""
    answers = classes_or_unknown(scores[None], network.scale, network.meta.rejection)
    return bool(answers[0] == UNKNOWN)


def stream(
    network: Network,
    device: Device,
    images: ArrayLike,
    labels: ArrayLike | None,
    progress: Callable[[int], None] = lambda done: None,
    raw: bool = False,
) -> RunReport:
    """Sends every sample and compares class and scores with the reference.

    Args:
        network: what the board must run.
        device: an open port.
        images: (n, channels, height, width) in the network's input type, n at least 1.
        labels: (n,) whole numbers, the classes that are right; None takes the reference's.
        progress: told after each sample how many are done.
        raw: whether ``images`` are raw samples, which the board encodes.

    Raises InputError for images or labels that do not fit and for a network whose outputs are bits, and the errors of
    Device.hello, before the first sample; InterruptedRunError, with the report so far, where the board fails later or
    the user stops it.
    """
    network.require_classes()
    encoder = network.encoder if raw else None
    samples = network.check_samples(images) if encoder is None else encoder.check_raw(images, network.raw_shape)
    if not len(samples):
        raise InputError("there are no samples to stream: give at least one")
    if labels is None:
        labels = network.predict(samples if encoder is None else network.encode(samples))
    checked = check_labels(labels, len(samples), network.classes)
    board = device.hello()
    check_board(network, board)
    predicted: list[int] = []
    device_us: list[int] = []
    unsure: list[bool] = []
    ranks: list[int] = []
    wrong_classes = wrong_scores = 0

    def report() -> RunReport:
        statistics = device.statistics
        link = asdict(statistics) | {
            "samples_per_second": statistics.requests_per_second,
            "bytes_per_second": statistics.bytes_per_second,
        }
        return RunReport(
            board.board,
            board.network,
            network.hash,
            checked[: len(predicted)],
            np.array(predicted, np.int64),
            network.classes,
            len(samples),
            wrong_classes,
            wrong_scores,
            np.array(device_us, np.int64),
            link,
            network.meta.class_names,
            np.array(unsure, bool) if network.meta.rejection is not None else None,
            np.array(ranks, np.int64),
        )

    try:
        for start in range(0, len(samples), BATCH):
            batch = samples[start : start + BATCH]
            expected = network.scores(batch if encoder is None else network.encode(batch))
            bodies = network.pack_input(batch) if encoder is None else encoder.pack_raw(batch, network.raw_shape)
            for body, scores in zip(bodies, expected, strict=True):
                answer = device.predict(body) if encoder is None else device.predict_raw(body)
                wrong_classes += answer.class_index != int(np.argmax(scores))
                wrong_scores += not np.array_equal(answer.scores, scores)
                predicted.append(answer.class_index)
                device_us.append(answer.device_us)
                answered = np.asarray(answer.scores, np.int32)
                unsure.append(is_unsure(network, answered))
                label = checked[len(ranks) : len(ranks) + 1]
                ranks.append(int(label_ranks(answered[None], label)[0]))
                progress(len(predicted))
    except KeyboardInterrupt:
        raise InterruptedRunError(f"stopped after {len(predicted):,} of {len(samples):,} samples", report()) from None
    except EbnnError as error:
        done = f"after {len(predicted):,} of {len(samples):,} samples"
        raise InterruptedRunError(f"{error} ({done})", report()) from error
    return report()


def stream_port(
    network: Network,
    port: str,
    images: ArrayLike,
    labels: ArrayLike | None = None,
    *,
    name: str = "network",
    arithmetic: str = "integer",
    optimize: str = "balanced",
    baud: int = BAUDRATE,
    progress: Callable[[int], None] = lambda done: None,
    overdue: Callable[[float], None] = lambda seconds: None,
    building: Callable[[], None] = lambda: None,
    raw: bool = False,
) -> RunReport:
    """Opens a port, sends every sample and compares class and scores with the reference.

    Args:
        network: what the board must run; a simulated board, as ``sim://host``, is built with it.
        port: where the board is.
        images, labels, progress, raw: as :func:`stream` takes them.
        name, arithmetic, optimize: of a simulated board's header, as :func:`ebnn.write_header` takes them.
        baud: of a serial port.
        overdue: told for how many seconds an answer has been waited for.
        building: called before a simulated board is built.

    Raises PortError where the port cannot be opened, BuildError where a simulated board cannot be built, and the errors
    of :func:`stream`.
    """
    with network_port(network, port, name, arithmetic, optimize) as url:
        if url != port:
            building()
        with Device(url, network_hash=network.hash32, network_name=name, baudrate=baud) as device:
            device.waiting = overdue
            return stream(network, device, images, labels, progress, raw)


def stream_samples(
    network: Network, port: str, samples: ArrayLike, labels: ArrayLike | None = None, **options: Any
) -> RunReport:
    """Sends samples to the board at a port and compares every answer with the reference.

    Args:
        network: what the board must run; a simulated board, as ``sim://host``, is built with it.
        port: where the board is.
        samples: as ``network.predict_raw`` takes them where it has an encoder, else as ``network.predict`` does.
        labels: (n,) the index of each sample's class; None takes the class that the reference gives it, and the
            report's accuracy then says how often the board agrees.
        options: as :func:`stream_port` takes them.

    Raises as :func:`stream_port`.
    """
    return stream_port(network, port, samples, labels, raw=network.encoder is not None, **options)
