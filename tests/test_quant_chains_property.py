"""Random chains that mix bits and 8 bits: Chainer in test mode = the reference = C, every class and score.

Chainer's activations are compared too, layer by layer.
"""

import os
import random

import chainer
import numpy as np
import pytest
from support.c_networks import Case, run
from support.quant_chains import quant_chain, quant_samples

from ebnn import lower
from ebnn.compile.options import OPTIMIZE
from ebnn.model import reference

NETWORKS = int(os.environ.get("EBNN_TEST_NETWORKS", "320"))
PARTS = 4
SAMPLES = 3


def chain_activations(blocks, x, kind):
    """What each block gives in test mode, (n, …) arrays."""
    h = 2 * x.astype(np.float32) - 1 if kind == "bits" else x.astype(np.float32)
    with chainer.using_config("train", False), chainer.no_backprop_mode():
        for block in blocks:
            h = block(h).array
            yield h


@pytest.mark.parametrize("part", range(PARTS))
def test_chainer_in_test_mode_is_the_reference_and_c(part, tmp_path):
    count = -(-NETWORKS // PARTS)
    seeds = range(part * count, (part + 1) * count)
    cases = []
    for seed in seeds:
        blocks, shape, kind = quant_chain(random.Random(seed))
        network = lower(blocks, shape, kind)
        x = quant_samples(kind, shape, SAMPLES, seed)
        given = list(chain_activations(blocks, x, kind))
        _, *expected = reference.activations(network.layers, network.check_samples(x))
        for layer, h, y in zip(network.layers[:-1], given, expected, strict=False):
            values = layer.output_kind.as_numbers(y).transpose(0, 3, 1, 2)
            assert np.array_equal(h.reshape(values.shape), values), (seed, layer.name)
        scores = np.rint(given[-1] / network.layers[-1].transform.scale)
        assert np.array_equal(scores, network.scores(x)), seed
        assert np.array_equal(given[-1].argmax(axis=1), network.predict(x)), seed
        cases.append(Case(network, x, optimize=OPTIMIZE[seed % len(OPTIMIZE)]))
    for seed, case, result in zip(seeds, cases, run(cases, tmp_path), strict=True):
        assert np.array_equal(result.scores, case.network.scores(case.x)), seed
        assert np.array_equal(result.classes, case.network.predict(case.x)), seed
