"""The committed vectors: the same files for Python and for C here, and for simulated and real boards."""

from pathlib import Path

import numpy as np
import pytest
from support.c_networks import Case, run

import ebnn

FOLDER = Path(__file__).parent / "vectors"
NAMES = sorted(path.stem for path in FOLDER.glob("*.ebnn"))


def vector(name):
    with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as data:
        return ebnn.load(FOLDER / f"{name}.ebnn"), data["samples"], data["scores"]


def test_every_kind_of_input_has_a_vector():
    assert {vector(name)[0].input.kind for name in NAMES} == {"bits", "uint8", "int8", "float"}


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_gives_the_scores(name):
    network, samples, scores = vector(name)
    np.testing.assert_array_equal(network.scores(samples), scores)
    np.testing.assert_array_equal(network.predict(samples), [list(row).index(max(row)) for row in scores])


def test_c_gives_the_scores(tmp_path):
    vectors = [vector(name) for name in NAMES]
    for arithmetic in ("integer", "float"):
        results = run([Case(network, samples, arithmetic) for network, samples, _ in vectors], tmp_path)
        for (_, _, scores), result in zip(vectors, results, strict=True):
            np.testing.assert_array_equal(result.scores, scores)
