"""From recordings to a network that answers by name, in Python: python gestures.py [--epochs N] [--port PORT]"""

from __future__ import annotations

import argparse
from pathlib import Path

from ebnn import datasets
from ebnn.streaming import stream_port
from ebnn.training import read_settings, train_network
from ebnn.training.choosing import choose

FOLDER = Path(__file__).parent

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--recordings", type=Path, default=FOLDER / "recordings")
parser.add_argument("--epochs", type=int, default=40)
parser.add_argument("--port", default="sim://host", help="a board with ebnn's firmware")
parser.add_argument("--out", type=Path, default=Path("runs/gestures"))
options = parser.parse_args()

# Fit: what suits the data, unless it is asked for otherwise.
source = str(options.recordings.resolve())
values = dict(choose(datasets.info(source)).values)
architecture = str(values.pop("architecture"))
settings = read_settings({**values, "dataset": source, "epochs": options.epochs, "overwrite": True})
with settings.task(options.out) as task:
    trained = train_network(task, architecture, settings.config)
network = trained.network
names = network.meta.class_names
print(f"{trained.accuracy:.0%} of the test recordings right, {network.weight_bytes:,} B of weights")

# Predict: raw samples (n, channels, 1, readings) as the recordings have them.
data = datasets.load(source)
found = network.predict_raw(data.test_images)
for name, label in zip((names[k] for k in found), data.test_labels, strict=True):
    print(f"{name:8} is {data.class_names[label]}")

# Stream: the same samples through the firmware, compiled for this computer.
report = stream_port(network, options.port, data.test_images, data.test_labels, raw=True)
print(f"{options.port}: {report.score_mismatches} of {report.asked} answers differ from Python's")

network.save(options.out / "gestures.ebnn")
