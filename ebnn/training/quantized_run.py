"""A run of a float network, quantized."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import TrainingError
from ..model.network import Network
from .float_run import FloatRun
from .front_ends import find_front_end
from .quantization import LayerReport
from .results import CHAIN_NAME, SNAPSHOT_NAME
from .task import Task, describe, samples_of


@dataclass(frozen=True)
class QuantizedRun:
    """A network of 8 bits, what that did to each layer, and how many test samples it and the float network get right.

    Attributes:
        network: of 8 bits.
        layers: a report on each layer.
        float_accuracy, accuracy: fractions of the test samples, before and after.
        agreement: of how many test samples both give the same class.
        samples: that calibrated it.
        test_samples: that it was tested on.
    """

    network: Network
    layers: tuple[LayerReport, ...]
    float_accuracy: float
    accuracy: float
    agreement: int
    samples: int
    test_samples: int

    def values(self) -> dict[str, Any]:
        """As plain JSON values, without the network."""
        return {
            "float_accuracy": self.float_accuracy,
            "accuracy": self.accuracy,
            "lost": self.float_accuracy - self.accuracy,
            "agreement": self.agreement,
            "samples": self.samples,
            "test_samples": self.test_samples,
            "layers": [asdict(layer) for layer in self.layers],
        }


def trained_file(run: Path) -> Path:
    """Returns where a run's parameters are: those of its end, or else its snapshot.

    Raises:
        TrainingError: there is neither.
    """
    for name in (CHAIN_NAME, SNAPSHOT_NAME):
        if (run / name).is_file():
            return run / name
    raise TrainingError(f"{run} has neither {CHAIN_NAME} nor {SNAPSHOT_NAME}: train the float network first")


def quantize_run(task: Task, about: FloatRun, samples: int = 1000, seed: int = 0) -> QuantizedRun:
    """Quantizes the float network of the run in the task's folder by training samples, and tests it.

    Args:
        task: its data calibrate and test the network.
        about: the run's record.
        samples: how many training samples calibrate it.
        seed: of their choice.

    Raises:
        TrainingError: the run's parameters are missing, damaged, or another network's, or the data do not fit it.
        LoweringError: the network cannot be quantized.
    """
    if samples < 1:
        raise TrainingError(f"{samples} samples calibrate nothing: give 1 or more, such as 1000")
    front_end = find_front_end(about.front_end)
    data, kind = task.data, task.kind
    model = front_end.build_float(about.architecture, task.shape, data.classes, kind, seed=0)
    front_end.load_float(model, trained_file(task.out))
    train_set, test_set = task.sets
    training, test = samples_of("training", train_set, kind), samples_of("test", test_set, kind)
    chosen = np.sort(np.random.default_rng(seed).permutation(len(training))[:samples])
    found = front_end.quantize(model, training.images[chosen], kind)
    own = found.network.encoder  # of float samples
    network = Network(found.network.input, found.network.layers, own or task.encoder, describe(data))
    classes = front_end.predict(model, test)
    answers = network.predict(test.images if own is None else network.encode(test.images))
    return QuantizedRun(
        network,
        found.layers,
        float((classes == test.labels).mean()),
        float((answers == test.labels).mean()),
        int((answers == classes).sum()),
        len(chosen),
        len(test),
    )
