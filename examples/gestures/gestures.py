"""From recordings to a network that answers by name, in Python: python gestures.py [--epochs N] [--port PORT]"""

from __future__ import annotations

import argparse
from pathlib import Path

import ebnn
from ebnn.datasets import load

FOLDER = Path(__file__).parent

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--recordings", type=Path, default=FOLDER / "recordings")
parser.add_argument("--epochs", type=int, default=40)
parser.add_argument("--port", default="sim://host", help="a board with ebnn's firmware")
parser.add_argument("--out", type=Path, default=Path("runs/gestures"))
options = parser.parse_args()

# Fit: on three of four recordings; what is not asked for suits the data.
data = load(str(options.recordings.resolve()))
network = ebnn.fit(data, epochs=options.epochs, out=options.out)

# Predict: raw samples (n, channels, 1, readings) as the recordings have them.
found = network.predict_raw(data.test_images)
for k, label in zip(found, data.test_labels, strict=True):
    print(f"{network.class_name(k):8} is {data.class_names[label]}")
right = (found == data.test_labels).mean()
print(f"{right:.0%} of the test recordings right, {network.weight_bytes:,} B of weights")

# Stream: the same samples through the firmware, compiled for this computer.
report = ebnn.stream(network, options.port, data.test_images, data.test_labels)
print(f"{options.port}: {report.score_mismatches} of {report.asked} answers differ from Python's")

network.save(options.out / "gestures.ebnn")
