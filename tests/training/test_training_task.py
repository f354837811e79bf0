"""From a data set to a trained network, as a call of the library."""

import subprocess
import sys
from dataclasses import replace

import ebnn
from ebnn import datasets
from ebnn.datasets import Dataset
from ebnn.training import Progress, Task, TrainConfig, train_network
from ebnn.training.run_folders import KEPT_FILES, MODEL_NAME

CONFIG = TrainConfig(epochs=2, batch_size=64, validation=40)


def few_digits() -> Dataset:
    data = datasets.load("digits")
    return replace(data, train_images=data.train_images[:200], train_labels=data.train_labels[:200])


class Told(Progress):
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.events: list[object] = []

    def begin(self, epochs: int, batches: int, done: int) -> None:
        self.events.append(("begin", epochs, batches, done))

    def end(self) -> None:
        self.events.append("end")

    def batch_done(self, loss: float) -> None:
        self.events.append("batch")

    def epoch_done(self, record) -> None:
        self.events.append(("epoch", record.epoch))

    def run_done(self, folder, records) -> None:
        self.events.append(("run", folder, len(records), (folder / MODEL_NAME).exists()))


def test_progress_is_told_of_every_batch_epoch_and_run(tmp_path):
    told = Told()
    data = few_digits()
    trained = train_network(Task(data, data.kind, tmp_path, progress=told), "d8", CONFIG)
    batches = ["batch"] * 3
    assert told.events == [
        *(("begin", 2, 3, 0), *batches, ("epoch", 1), *batches, ("epoch", 2), "end"),
        ("run", tmp_path, 2, True),
    ]
    assert ebnn.load(tmp_path / MODEL_NAME) == trained.network
    assert trained.agreement == trained.test_samples == len(data.test_labels)


def test_it_needs_no_display_and_no_command(tmp_path):
    """Nothing of what people see is imported, and no line is printed."""
    program = (
        "import sys; from pathlib import Path; from ebnn import datasets\n"
        "from ebnn.training import Task, TrainConfig, train_network\n"
        "data = datasets.load('digits')\n"
        "train_network(Task(data, data.kind, Path('run')), 'd4', TrainConfig(epochs=1))\n"
        "print([m for m in sys.modules if m.startswith(('matplotlib', 'ebnn.show', 'ebnn.cli'))])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert {path.name for path in (tmp_path / "run").iterdir()} < {*KEPT_FILES, MODEL_NAME}
