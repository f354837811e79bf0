"""The genes of many networks of one shape: what evolution changes of them, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compile.linux.candidates import CandidateRunner
from ..compile.linux.program import arrange, corrections_of, weight_rows
from ..errors import TrainingError
from ..model import bits
from ..model.layers import Block, Layer
from ..model.linear import Dense, Weighted
from ..model.network import Network
from ..model.transforms import MAX_SCORE, Requantize, Scores, Sign

_DENSE = 1 / 64
"""The rate of mutation from which on a random bit for each weight takes less time than a place for each change."""
_WEIGHT_STEP = 32
"""Of a weight of 8 bits: the standard deviation of a mutation."""


@dataclass
class LayerGenes:
    """The genes of one layer in all networks.

    Attributes:
        rows: weights of each output: bits (networks, outputs, bytes) uint8, or numbers (networks, outputs, taps) int8;
            of a layer without weights (networks, outputs, 0).
        terms: thresholds, offsets of scores or biases of requantized sums, (networks, outputs) int32; of a layer that
            has none, (networks, 0).
    """

    rows: NDArray[Any]
    terms: NDArray[np.int32]

    def take(self, chosen: NDArray[np.integer]) -> LayerGenes:
        """The genes of some networks, copied."""
        return LayerGenes(self.rows[chosen], self.terms[chosen])


Genes = list[LayerGenes]
"""Of all layers, in order."""


class LayerPlan:
    """What is known of a layer's genes, whatever the networks: how they change, and where they lie.

    Args:
        layer: of the network that all are like.
        bias_bits: whether a term is a bit, as `ebnn.training.untrained` draws it; else any whole number.
    """

    def __init__(self, layer: Layer, bias_bits: bool) -> None:
        self.layer = layer
        self.bias_bits = bias_bits
        self.product, rows = weight_rows(layer)
        weighted = isinstance(layer.linear, Weighted)
        self.binary = weighted and layer.binary
        if self.binary and rows.dtype != np.uint8:  # a depthwise layer runs on numbers
            rows = bits.pack(layer.weights.reshape(layer.outputs, -1))
        self.rows = rows if weighted else np.zeros((layer.outputs, 0), np.int8)
        self.places = self._places() if self.binary else np.arange(self.rows.shape[1])
        transform = layer.transform
        self.terms = np.zeros(0, np.int32)
        if isinstance(transform, Sign):
            self.terms = transform.value
        elif isinstance(transform, Scores):
            self.terms = transform.offset
        elif isinstance(transform, Requantize):
            self.terms = transform.bias
        self.low, self.high, self.step = self._range()
        if bias_bits:
            self.check_bits()

    def _places(self) -> NDArray[np.intp]:
        """Which bits of a row are weights, (taps,): a dense filter has padding where its input's rows have."""
        layer = self.layer
        if self.product != "BITS" or not layer.is_dense:
            return np.arange(layer.taps)
        height = layer.input.shape.height
        width = layer.taps // height
        starts = np.arange(height) * bits.row_bytes(width) * 8
        return np.asarray((starts[:, None] + np.arange(width)).ravel(), np.intp)

    def _range(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """The least and the most of each term, and the standard deviation of its mutation."""
        layer, transform = self.layer, self.layer.transform
        if not self.terms.size:
            return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
        factor = np.ones(layer.outputs, np.int64)
        most = np.full(layer.outputs, layer.reach + 1, np.int64)
        if isinstance(transform, Scores):
            factor = np.abs(transform.multiplier.astype(np.int64))
            most = MAX_SCORE - factor * layer.reach
        elif isinstance(transform, Requantize):
            most = np.full(layer.outputs, MAX_SCORE - layer.reach, np.int64)
        return -most, most, np.maximum(factor * layer.reach / np.sqrt(layer.taps) / 4, 1.0)

    def check_bits(self) -> None:
        """Raises TrainingError where the terms are no bits."""
        layer, transform = self.layer, self.layer.transform
        fits = not self.terms.size
        if isinstance(transform, Sign):
            fits = bool(np.all(np.abs(self.terms) == 1) and not transform.below.any())
        elif isinstance(transform, Scores):
            fits = bool(np.all(np.isin(self.terms, self.bit_terms)) and np.all(transform.multiplier == 1))
        if not fits:
            raise TrainingError(
                f"{layer.name} has thresholds that are no bits: leave --bias bit out, or begin with --architecture"
            )

    @property
    def bit_terms(self) -> tuple[int, int]:
        """The terms that a bias bit of 0 and of 1 stand for."""
        if isinstance(self.layer.transform, Scores):
            return self.layer.reach, self.layer.reach - 2
        return -1, 1

    def genes_of(self, networks: int) -> LayerGenes:
        """The genes of so many copies of the layer."""
        return LayerGenes(
            np.repeat(self.rows[None], networks, axis=0), np.repeat(self.terms[None].astype(np.int32), networks, axis=0)
        )

    @property
    def weights(self) -> int:
        """How many weights it has."""
        return self.layer.outputs * len(self.places) if self.rows.size else 0

    def differing(self, genes: LayerGenes, others: LayerGenes) -> int:
        """How many weights differ between the first networks of two."""
        if self.binary:
            return int(np.unpackbits(genes.rows[0] ^ others.rows[0]).sum())
        return int(np.count_nonzero(genes.rows[0] != others.rows[0]))

    # Change

    def cross(self, genes: LayerGenes, others: LayerGenes, taken: NDArray[np.bool_]) -> None:
        """Gives ``genes`` the outputs of ``others`` where ``taken``, (networks, outputs): weights and term."""
        genes.rows[taken] = others.rows[taken]
        if genes.terms.size:
            genes.terms[taken] = others.terms[taken]

    def mutate(self, genes: LayerGenes, rate: float, random: np.random.Generator) -> None:
        """Changes each weight and each term with a probability, in place."""
        networks, outputs, width = genes.rows.shape
        taps = len(self.places)
        if self.binary and rate >= _DENSE:
            flips = np.zeros(8 * width, bool)
            flips[self.places] = True
            genes.rows ^= _random_bits(genes.rows.shape, rate, random) & bits.pack(flips)
        elif len(chosen := _drawn(networks * outputs * taps, rate, random)):
            row, tap = np.divmod(chosen, taps)
            place = self.places[tap]
            if self.binary:
                flat = genes.rows.reshape(-1)
                np.bitwise_xor.at(flat, row * width + place // 8, np.left_shift(1, place % 8).astype(np.uint8))
            else:
                self._step_numbers(genes, row, place, random)
        chosen = _drawn(genes.terms.size, rate, random)
        if len(chosen):
            network, output = np.divmod(chosen, outputs)
            terms = genes.terms[network, output].astype(np.int64)
            if self.bias_bits:
                genes.terms[network, output] = sum(self.bit_terms) - terms
            else:
                steps = np.rint(random.normal(size=len(chosen)) * self.step[output]).astype(np.int64)
                genes.terms[network, output] = np.clip(terms + steps, self.low[output], self.high[output])

    def _step_numbers(
        self, genes: LayerGenes, row: NDArray[np.intp], place: NDArray[np.intp], random: np.random.Generator
    ) -> None:
        """Moves weights of 8 bits; an output whose sums could grow beyond what its layer was made for stays."""
        flat = genes.rows.reshape(-1, genes.rows.shape[2])
        steps = np.rint(random.normal(size=len(row)) * _WEIGHT_STEP).astype(np.int16)
        before = flat[row]
        flat[row, place] = np.clip(flat[row, place] + steps, -127, 127).astype(np.int8)
        most = np.abs(self.rows.astype(np.int64)).sum(axis=1).max()
        over = np.abs(flat[row].astype(np.int64)).sum(axis=1) > most
        flat[row[over]] = before[over]

    # Networks

    def block(self, genes: LayerGenes, index: int) -> Block:
        """The layer of one network."""
        layer, linear, transform = self.layer, self.layer.linear, self.layer.transform
        if isinstance(linear, Weighted):
            linear = _with_weights(linear, self._weights(genes.rows[index]))
        if self.terms.size:
            terms = genes.terms[index]
            if isinstance(transform, Sign):
                transform = Sign(terms, transform.below)
            elif isinstance(transform, Scores):
                transform = Scores(transform.multiplier, terms, transform.scale)
            else:
                assert isinstance(transform, Requantize)
                transform = Requantize(
                    terms, transform.multiplier, transform.shift, transform.kind, transform.low, transform.high
                )
        if isinstance(transform, Sign):  # weights of 8 bits may reach less far than they did
            reach = Block(linear, layer.pool, transform).at(layer.index, layer.input).reach if not self.binary else None
            if reach is not None:
                transform = Sign(np.clip(transform.value, -reach - 1, reach + 1), transform.below)
        return Block(linear, layer.pool, transform)

    def _weights(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Weights (output, height, width, input) of one network's rows."""
        layer, shape = self.layer, self.layer.weights.shape
        if not self.binary:
            return rows.reshape(shape)
        weights = bits.unpack(rows, 8 * rows.shape[1])[:, self.places]
        if self.product == "FLOATS" and layer.is_dense:
            outputs, height, width, channels = shape
            weights = weights.reshape(outputs, channels, height, width).transpose(0, 2, 3, 1)
        return np.asarray(weights.reshape(shape))

    def write(self, genes: LayerGenes, index: int, runner: CandidateRunner) -> None:
        """Writes one network's layer to a runner's block of constants."""
        layer, places = self.layer, runner.program.places[self.layer.index]
        rows = genes.rows[index]
        if rows.size:
            if self.product in ("CHANNELS", "FLOAT_CHANNELS") and self.binary:
                rows = (2 * bits.unpack(rows, layer.taps).astype(np.int8) - 1).astype(np.int8)
            _put(runner, places["weights"], arrange(self.product, rows))
            if self.product != "BITS" and places["corrections"]:
                _put(runner, places["corrections"], corrections_of(layer, self._sums(rows)))
        if not self.terms.size:
            return
        terms, at = genes.terms[index], places["constants"]
        if isinstance(layer.transform, Sign):
            terms = terms + layer.transform.below
        elif isinstance(layer.transform, Scores):
            at += 4 * (-(-layer.outputs // 32) * 32)
        _put(runner, at, terms.astype("<i4"))

    def _sums(self, rows: NDArray[Any]) -> NDArray[np.int64]:
        """The sum of each output's weights."""
        if rows.dtype != np.uint8:
            return np.asarray(rows.sum(axis=1, dtype=np.int64))
        return np.asarray(2 * np.unpackbits(rows, axis=1).sum(axis=1, dtype=np.int64) - self.layer.taps)


def _with_weights(linear: Weighted, weights: NDArray[Any]) -> Weighted:
    """The same linear part with other weights."""
    if isinstance(linear, Dense):
        return Dense(weights)
    return type(linear)(weights, linear.stride, linear.pad)  # type: ignore[attr-defined, call-arg]


def _drawn(count: int, rate: float, random: np.random.Generator) -> NDArray[np.int64]:
    """Which of so many places a mutation hits, each with a probability; few of them twice."""
    return random.integers(0, count, random.binomial(count, rate)) if count else np.zeros(0, np.int64)


def _random_bits(shape: tuple[int, ...], rate: float, random: np.random.Generator) -> NDArray[np.uint8]:
    """Packed bits, each 1 with a probability, in steps of 1/65,536: the digits of the probability, the last one first,
    say whether random bits are joined by "or" or by "and"."""
    share = round(rate * 65_536)
    if share >= 65_536:
        return np.full(shape, 255, np.uint8)
    found = np.zeros(shape, np.uint8)
    for digit in range(16):
        if share % (2 << digit):  # those below the last 1 leave all bits 0
            drawn = np.frombuffer(random.bytes(found.size), np.uint8).reshape(shape)
            found = found | drawn if share >> digit & 1 else found & drawn
    return found


def _put(runner: CandidateRunner, place: int, array: NDArray[Any]) -> None:
    content = np.ascontiguousarray(array).view(np.uint8).ravel()
    runner.constants[place : place + len(content)] = content


class GenePlan:
    """How networks like ``network`` become genes, and genes networks.

    Raises TrainingError where ``bias_bits`` are asked for and a threshold is none.
    """

    def __init__(self, network: Network, bias_bits: bool = False) -> None:
        self.network = network
        self.layers = tuple(LayerPlan(layer, bias_bits) for layer in network.layers)

    def copies(self, networks: int) -> Genes:
        """The genes of so many copies of the network."""
        return [layer.genes_of(networks) for layer in self.layers]

    def rate(self, mutation: float) -> float:
        """The probability of a mutation: at least what changes one weight or threshold on average, unless it is 0."""
        genes = sum(layer.weights + layer.terms.size for layer in self.layers)
        return min(1.0, max(mutation, 1 / max(1, genes))) if mutation else 0.0

    def to_network(self, genes: Genes, index: int) -> Network:
        """The network of number ``index``."""
        blocks = [layer.block(own, index) for layer, own in zip(self.layers, genes, strict=True)]
        return Network(self.network.input, blocks, self.network.encoder, self.network.meta)

    def write(self, genes: Genes, index: int, runner: CandidateRunner) -> None:
        """Writes the network of number ``index`` to a runner's block of constants."""
        for layer, own in zip(self.layers, genes, strict=True):
            layer.write(own, index, runner)
