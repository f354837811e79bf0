"""Makes the vectors: small networks of every kind with samples and the scores that every backend must give.

``uv run python -m tools.vectors`` writes NAME.ebnn and NAME.npz (samples, scores) into ``tests/vectors``. The scores
come from the slow reference, plain loops over SPEC.md.
"""

import sys
from pathlib import Path

import numpy as np

TESTS = Path(__file__).parents[1] / "tests"
FOLDER = TESTS / "vectors"
sys.path.insert(0, str(TESTS))

from support.random_chains import ChainSpec, ConvSpec, DenseSpec, build, samples  # noqa: E402
from support.slow_reference import run  # noqa: E402

from ebnn import lower  # noqa: E402

POOL = ((3, 3), (2, 2), (1, 1))
SPECS = {
    "bits-conv": ChainSpec("bits", (1, 9, 7), (ConvSpec(10, (3, 3), (1, 2), (1, 1), POOL),), 4, True, True, 1),
    "bits-dense": ChainSpec("bits", (3, 2, 5), (DenseSpec(9), DenseSpec(33)), 3, False, True, 2),
    "uint8-conv": ChainSpec(
        "uint8",
        (3, 8, 6),
        (ConvSpec(7, (3, 2), (1, 1), (2, 0), None), ConvSpec(35, (2, 3), (2, 1), (0, 1), ((2, 2), (2, 2), (0, 0)))),
        5,
        True,
        False,
        3,
    ),
    "int8-dense": ChainSpec("int8", (2, 3, 3), (DenseSpec(8),), 11, True, True, 4),
    "float-conv": ChainSpec(
        "float", (2, 7, 5), (ConvSpec(8, (3, 3), (2, 1), (1, 1), POOL), DenseSpec(12)), 3, True, True, 5
    ),
    "uint8-scores": ChainSpec("uint8", (1, 4, 4), (), 2, False, False, 6),
}
COUNT = 8


def main() -> None:
    for name, spec in SPECS.items():
        network = lower(build(spec), spec.shape, spec.kind)
        x = samples(spec, COUNT)
        network.save(FOLDER / f"{name}.ebnn")
        np.savez_compressed(
            FOLDER / f"{name}.npz", samples=x, scores=np.array([run(network, sample).scores for sample in x], np.int32)
        )
        print(f"{name}: {network}")


if __name__ == "__main__":
    main()
