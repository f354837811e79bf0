"""BitDense layers as networks, against their description, evaluated bit by bit."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import ebnn
from ebnn.errors import NetworkError
from ebnn.importers.bit_dense import BitDense, bit_dense_network, outputs
from ebnn.model.reference import activations


def by_the_description(layers: list[tuple[list[list[int]], list[int]]], bits: list[int]) -> list[list[float]]:
    """What each layer gives: whole bits, in the end floats. Python's own integers, one after the other."""
    found: list[list[float]] = []
    for number, (weights, biases) in enumerate(layers):
        given = []
        for row, b in zip(weights, biases, strict=True):
            n = len(row)
            mismatches = sum(w != x for w, x in zip(row, bits, strict=True))
            if number + 1 < len(layers):
                given.append(1 if mismatches + b > (1 - b) + n - mismatches else 0)
            else:
                given.append(1 / (1 + math.exp(-(1 - (mismatches + b) / n))))
        found.append(given)
        bits = given
    return found


def drawn(widths: list[int], seed: int) -> list[tuple[list[list[int]], list[int]]]:
    random = np.random.default_rng(seed)
    return [
        (random.integers(0, 2, (out, taken)).tolist(), random.integers(0, 2, out).tolist())
        for taken, out in pairwise(widths)
    ]


@pytest.mark.parametrize("widths", [[4, 3, 2], [6, 2], [65, 40, 30, 4], [7, 5, 3], [128, 64, 10]])
def test_bits_and_classes_are_those_of_the_description(widths: list[int]) -> None:
    """Even widths tie often."""
    for seed in range(4):
        layers = drawn(widths, seed)
        network = bit_dense_network([BitDense(np.array(w, bool), np.array(b, bool)) for w, b in layers])
        x = np.random.default_rng(seed + 9).integers(0, 2, (40, widths[0]), np.uint8)
        wanted = [by_the_description(layers, row.tolist()) for row in x]
        found = list(activations(network.layers, network.check_samples(x)))
        for number in range(len(layers) - 1):
            hidden = [sample[number] for sample in wanted]
            assert np.array_equal(~found[number + 1].reshape(40, -1), np.array(hidden, bool))
        last = np.array([sample[-1] for sample in wanted])
        assert np.array_equal(network.predict(x), last.argmax(axis=1))
        assert np.array_equal(outputs(network, x), last.astype(np.float32))


def test_a_tie_gives_0() -> None:
    """Two mismatches of four: 2 + b > (1 − b) + 2 holds with b = 1 only."""
    weights = np.array([[1, 1, 0, 0], [1, 1, 0, 0]], bool)
    last = BitDense(np.zeros((2, 2), bool), np.zeros(2, bool))
    network = bit_dense_network([BitDense(weights, np.array([0, 1], bool)), last])
    _, hidden, _ = activations(network.layers, network.check_samples(np.zeros((1, 4), np.uint8)))
    assert (~hidden).ravel().tolist() == [False, True]


def test_words_have_their_least_significant_bit_first() -> None:
    words = np.array([[1, 0], [1 << 63, 2]], np.uint64)
    layer = BitDense.from_words(words, 66, [0, 1])
    assert np.argwhere(layer.weights).tolist() == [[0, 0], [1, 63], [1, 65]]
    assert layer.biases.tolist() == [False, True]
    with pytest.raises(NetworkError, match=r"words are uint64 of shape \(2, 2\): 64 inputs take uint64 \(outputs, 1\)"):
        BitDense.from_words(words, 64, [0, 1])


def test_images_are_taken_row_after_row(tmp_path: Path) -> None:
    layers = drawn([12, 6, 3], 5)
    built = [BitDense(np.array(w, bool), np.array(b, bool)) for w, b in layers]
    flat, shaped = bit_dense_network(built), bit_dense_network(built, (1, 3, 4))
    x = np.random.default_rng(1).integers(0, 2, (20, 12), np.uint8)
    assert np.array_equal(shaped.scores(x.reshape(20, 1, 3, 4)), flat.scores(x))
    shaped.save(tmp_path / "bits.ebnn")
    assert ebnn.load(tmp_path / "bits.ebnn") == shaped


@pytest.mark.parametrize(
    ("widths", "shape", "message"),
    [
        ([[4, 3], [2, 2]], None, "BitDense layer 2 takes 2 bits, the one before it gives 3"),
        ([[4, 3], [3, 2]], (1, 3, 3), "a sample of 1×3×3 has 9 bits, the first layer takes 4"),
        ([], None, "there are no BitDense layers"),
    ],
)
def test_layers_that_do_not_fit(widths: list[list[int]], shape: tuple[int, int, int] | None, message: str) -> None:
    layers = [BitDense(np.zeros((out, taken), bool), np.zeros(out, bool)) for taken, out in widths]
    with pytest.raises(NetworkError, match=message):
        bit_dense_network(layers, shape)


def test_a_bias_for_each_output() -> None:
    with pytest.raises(NetworkError, match="weights of 2 outputs and 3 biases: give one for each"):
        BitDense(np.zeros((2, 4), bool), np.zeros(3, bool))
