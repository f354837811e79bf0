"""How fast this machine computes each product of a layer, beside NumPy's float32 matrix product of the same size.

Both are timed in turn in one process of its own, whose BLAS has as many threads as the compiled network, and each has
the time of its fastest call: other programs only ever make a call slower.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BuildError
from ...model.files import load_file
from ...model.kinds import Input, Shape
from ...model.layers import Block, Conv, Dense
from ...model.network import Network
from ...model.transforms import Normalize, Scores, Sign, Transform
from .shared_library import CompiledNetwork, compile_network

PRODUCTS = (("bits", "bits"), ("uint8", "bits"), ("float", "bits"), ("uint8", "int8"), ("bits", "int8"))
"""Kinds of values and of weights that are multiplied."""

SECONDS = 0.4  # of timing for each of the two
FEWEST_CALLS = 5
NETWORK_SAMPLES = 256  # of a call, for a whole network
_BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@dataclass(frozen=True)
class Work:
    """A layer to time: a square convolution of stride 1 that keeps the ``side`` of its map, or a dense layer (side 0).

    A dense layer takes ``samples`` at a time, a convolution one.
    """

    inputs: int
    outputs: int
    side: int = 0
    kernel: int = 1
    samples: int = 1

    def __str__(self) -> str:
        if not self.side:
            return f"dense {self.inputs}→{self.outputs}, {self.samples} samples"
        return f"{self.kernel}×{self.kernel} {self.inputs}→{self.outputs}, {self.side}×{self.side}"

    @property
    def rows(self) -> int:
        """Rows of the matrix product of the same size."""
        return self.samples * (self.side or 1) ** 2

    @property
    def taps(self) -> int:
        return self.inputs * self.kernel**2

    @property
    def operations(self) -> int:
        """Two for each multiply-accumulate."""
        return 2 * self.rows * self.taps * self.outputs

    def network(self, values: str, weights: str) -> Network:
        """The layer with random weights, and two classes behind it."""
        choose = np.random.default_rng(0)
        sides = (self.kernel, self.kernel, self.inputs)
        if weights == "int8":
            filters: NDArray[Any] = choose.integers(-128, 128, (self.outputs, *sides)).astype(np.int8)
        else:
            filters = choose.integers(0, 2, (self.outputs, *sides)).astype(bool)
        linear = Conv(filters, (1, 1), (self.kernel // 2,) * 2) if self.side else Dense(filters)
        zeros, ones = np.zeros(self.outputs, np.float32), np.ones(self.outputs, np.float32)
        end: Transform = Normalize(zeros, zeros, ones, ones, zeros)
        if values != "float":
            end = Sign(zeros.astype(np.int32), zeros.astype(np.bool_))
        scores = Scores(np.ones(2, np.int16), np.zeros(2, np.int32), 1.0)
        side = self.side or 1
        last = Dense(choose.integers(0, 2, (2, side, side, self.outputs)).astype(bool))
        return Network(
            Input(values, Shape(self.inputs, side, side)),
            [Block(linear, None, end), Block(last, None, scores)],
        )


WORK = (
    Work(64, 64, 32, 3),
    Work(128, 128, 32, 3),
    Work(256, 256, 16, 3),
    Work(512, 512, 8, 3),
    Work(256, 256, 16, 1),
    Work(1024, 1024, samples=64),
    Work(4096, 1024, samples=64),
    Work(4096, 1024),
)
QUICK_WORK = (Work(256, 256, 16, 3), Work(1024, 1024, samples=64))


@dataclass(frozen=True)
class Timing:
    """A product and a layer on this machine: seconds of a call, and equivalent operations in a second."""

    values: str
    weights: str
    layer: str
    path: str
    seconds: float
    gops: float
    numpy_seconds: float
    numpy_gops: float

    @property
    def ratio(self) -> float:
        """How many times as fast as NumPy's product."""
        return self.numpy_seconds / self.seconds


@dataclass(frozen=True)
class NetworkTiming:
    """Images a second of a whole network, compiled and interpreted."""

    network: str
    path: str
    compiled: float
    interpreted: float

    @property
    def ratio(self) -> float:
        """How many times as fast as `Network.predict`."""
        return self.compiled / self.interpreted


def time_products(
    threads: int = 1,
    path: str | None = None,
    products: Sequence[tuple[str, str]] = PRODUCTS,
    work: Sequence[Work] = WORK,
    seconds: float = SECONDS,
) -> Iterator[Timing]:
    """Times each product with each layer, one after the other. Raises BuildError where nothing can be compiled."""
    cases = [[values, weights, asdict(layer)] for values, weights in products for layer in work]
    for found in _in_a_process({"cases": cases}, threads, path, seconds):
        yield Timing(**found)


def time_network(
    name: str, file: Path, threads: int = 1, path: str | None = None, seconds: float = SECONDS
) -> NetworkTiming:
    """Times a network of a file, compiled and interpreted, on the same random samples."""
    [found] = _in_a_process({"file": str(file)}, threads, path, seconds)
    return NetworkTiming(name, **found)


def _in_a_process(wanted: dict[str, Any], threads: int, path: str | None, seconds: float) -> Iterator[dict[str, Any]]:
    """What `main` prints in a process whose BLAS has that many threads."""
    wanted |= {"threads": threads, "path": path, "seconds": seconds}
    environment = {**os.environ, **dict.fromkeys(_BLAS_THREADS, str(threads))}
    command = [sys.executable, "-m", __name__, json.dumps(wanted)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            found = json.loads(line)
            if "error" in found:
                raise BuildError(found["error"])
            yield found
    if process.returncode != 0:
        raise BuildError(f"timing ended early, with exit code {process.returncode}")


def main() -> None:
    """Times what the argument, JSON, asks for, and prints a line of JSON for each."""
    wanted = json.loads(sys.argv[1])
    options = {"threads": wanted["threads"], "path": wanted["path"]}
    try:
        if "file" in wanted:
            _print(_time_network(load_file(wanted["file"]), options, wanted["seconds"]))
        for values, weights, layer in wanted.get("cases", ()):
            _print(_time_product(Work(**layer), values, weights, options, wanted["seconds"]))
    except BuildError as error:
        _print({"error": str(error)})


def _print(values: dict[str, Any]) -> None:
    print(json.dumps(values), flush=True)


def _time_product(work: Work, values: str, weights: str, options: dict[str, Any], seconds: float) -> dict[str, Any]:
    network = work.network(values, weights)
    compiled = compile_network(network, **options)
    call = _call(compiled, _samples(network, work.samples))
    choose = np.random.default_rng(0)
    left = choose.random((work.rows, work.taps), np.float32)
    right = choose.random((work.taps, work.outputs), np.float32)
    product = np.empty((work.rows, work.outputs), np.float32)
    own, numpy_own = fastest((call, lambda: np.matmul(left, right, out=product)), seconds)
    return {
        "values": values,
        "weights": weights,
        "layer": str(work),
        "path": compiled.path,
        "seconds": own,
        "gops": work.operations / own / 1e9,
        "numpy_seconds": numpy_own,
        "numpy_gops": work.operations / numpy_own / 1e9,
    }


def _time_network(network: Network, options: dict[str, Any], seconds: float) -> dict[str, Any]:
    samples = _samples(network, NETWORK_SAMPLES)
    compiled = compile_network(network, **options)
    own, interpreted = fastest((lambda: compiled.predict(samples), lambda: network.predict(samples)), 3 * seconds)
    count = len(samples)
    return {"path": compiled.path, "compiled": count / own, "interpreted": count / interpreted}


def _samples(network: Network, count: int) -> NDArray[Any]:
    choose = np.random.default_rng(0)
    kind, shape = network.input.values, (count, *network.input.shape)
    if not kind.whole:
        return choose.standard_normal(shape, np.float32)
    return choose.integers(int(kind.low), int(kind.high) + 1, shape).astype(kind.dtype)


def _call(compiled: CompiledNetwork, samples: NDArray[Any]) -> Callable[[], object]:
    """The C call alone: what packing and checking samples takes is no part of a product."""
    packed = compiled.network.pack_input(samples)
    return lambda: compiled.packed_scores(packed)


def fastest(calls: Sequence[Callable[[], object]], seconds: float) -> list[float]:
    """Seconds of the fastest call of each, made in turn until each has taken so many ``seconds``."""
    best, spent, made = [float("inf")] * len(calls), [0.0] * len(calls), 0
    for call in calls:
        call()
    while made < FEWEST_CALLS or min(spent) < seconds:
        for i, call in enumerate(calls):
            if made >= FEWEST_CALLS and spent[i] >= seconds:
                continue
            start = time.perf_counter()
            call()
            took = time.perf_counter() - start
            best[i], spent[i] = min(best[i], took), spent[i] + took
        made += 1
    return best


if __name__ == "__main__":
    main()
