"""Builds three big networks with random weights, runs them on this computer, prints their sizes and times."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import ebnn
from ebnn.compile.linux.program import linux_program
from ebnn.model.kinds import Input, Shape
from ebnn.model.layers import Block, Conv, Dense, Pool
from ebnn.model.transforms import Requantize, Scores, Sign, Transform
from ebnn.training.architectures import ConvSpec, DenseSpec, OutputSpec, read_architecture

NETWORKS = {
    "binarynet-cifar10": (Shape(3, 32, 32), 10, None),
    "alexnet-bwn": (Shape(3, 224, 224), 1000, 10.9),
    "alexnet-xnor": (Shape(3, 224, 224), 1000, 11.0),
}
"""By architecture: shape of an image, classes, and the size that is published, in MiB."""


def random_network(architecture: str, shape: Shape, classes: int) -> ebnn.Network:
    """A network of an architecture, with random weights and activations that use their range."""
    choose = np.random.default_rng(0)
    taken, blocks = Input("uint8", shape), []
    last_weights = 1
    for spec in read_architecture(architecture):
        if isinstance(spec, OutputSpec):
            last_weights = spec.numbers.weights
            continue
        if isinstance(spec, ConvSpec):
            weights = random_weights(choose, (spec.filters, *spec.kernel, taken.shape.channels), spec.numbers.weights)
            pool = Pool(spec.pool.window, spec.pool.stride, spec.pool.padding) if spec.pool else None
            linear: Conv | Dense = Conv(weights, spec.stride, spec.padding)
        else:
            assert isinstance(spec, DenseSpec)
            sides = taken.shape.height, taken.shape.width, taken.shape.channels
            linear, pool = Dense(random_weights(choose, (spec.outputs, *sides), spec.numbers.weights)), None
        blocks.append(Block(linear, pool, ending(linear.weights, taken, spec.numbers.activations)))
        taken = blocks[-1].at(0, taken).output
    sides = taken.shape.height, taken.shape.width, taken.shape.channels
    last = Dense(random_weights(choose, (classes, *sides), last_weights))
    scores = Scores(np.ones(classes, np.int16), np.zeros(classes, np.int32), 1.0)
    return ebnn.Network(Input("uint8", shape), [*blocks, Block(last, None, scores)])


def random_weights(choose: np.random.Generator, shape: tuple[int, ...], bits: int) -> NDArray[Any]:
    if bits == 1:
        return choose.integers(0, 2, shape).astype(bool)
    return choose.integers(-127, 128, shape).astype(np.int8)


def ending(weights: NDArray[Any], taken: Input, bits: int) -> Transform:
    """Signs at 0, or 8 bits whose range the sums of random values fill."""
    outputs = len(weights)
    if bits == 1:
        return Sign(np.zeros(outputs, np.int32), np.zeros(outputs, bool))
    largest = 127 if weights.dtype == np.int8 else 1
    spread = weights[0].size ** 0.5 * largest * (taken.values.largest or 1) / 2
    multiplier = np.full(outputs, max(1, round(2**24 * 128 / spread)), np.int32)
    return Requantize(np.zeros(outputs, np.int32), multiplier, np.full(outputs, 24, np.uint8), "uint8")


def measure(name: str, threads: int, seconds: float, folder: Path | None) -> dict[str, Any]:
    """Builds, compares with the reference, times."""
    shape, classes, published = NETWORKS[name]
    network = random_network(name, shape, classes)
    if folder is not None:
        network.save(folder / f"{name}.ebnn")
    images = np.random.default_rng(1).integers(0, 256, (8, *shape)).astype(np.uint8)
    compiled = ebnn.compile(network, threads=threads)
    if not np.array_equal(compiled.scores(images[:1]), network.scores(images[:1])):
        raise SystemExit(f"{name}: the scores differ from the reference's")
    times = {}
    for count in (1, len(images)):
        best, start = float("inf"), time.perf_counter()
        while time.perf_counter() - start < seconds or best == float("inf"):
            before = time.perf_counter()
            compiled.predict(images[:count])
            best = min(best, time.perf_counter() - before)
        times[count] = best / count
    return {
        "network": name,
        "path": compiled.path,
        "threads": threads,
        "macs": network.macs,
        "weight_bytes": network.weight_bytes,
        "constant_bytes": len(linux_program(network).constants),
        "published_mib": published,
        "seconds_alone": times[1],
        "seconds_of_eight": times[len(images)],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", default=list(NETWORKS), help=f"of {', '.join(NETWORKS)}")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=2.0, help="time each network for so long")
    parser.add_argument("--save", type=Path, metavar="FOLDER", help="write the networks to a folder, too")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    if unknown := set(options.networks) - NETWORKS.keys():
        parser.error(f"there is no network {', '.join(sorted(unknown))}: give some of {', '.join(NETWORKS)}")
    print(
        f"{'network':18} {'MACs':>14} {'weights':>10} {'published':>10} {'one image':>11} {'of eight':>10} {'Gops':>6}"
    )
    rows = []
    for name in options.networks:
        row = measure(name, options.threads, options.seconds, options.save)
        published = f"{row['published_mib']} MiB" if row["published_mib"] else "–"
        print(
            f"{name:18} {row['macs']:>14,} {row['weight_bytes'] / 2**20:>6.2f} MiB {published:>10} "
            f"{row['seconds_alone'] * 1e3:>8.2f} ms {row['seconds_of_eight'] * 1e3:>7.2f} ms "
            f"{2e-9 * row['macs'] / row['seconds_of_eight']:>6.0f}"
        )
        sys.stdout.flush()
        rows.append(row)
    print(f"{rows[0]['path']}, threads {options.threads}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
