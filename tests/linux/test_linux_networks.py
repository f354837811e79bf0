"""Random networks of all kinds: the reference = C for Linux, on every path, with and without threads, to the bit."""

import random

import numpy as np
import pytest
from support.linux_networks import LinuxCompiler, run_all
from support.mixed_networks import mixed_network
from support.random_networks import random_network, random_samples

SAMPLES = 5
HERE = [LinuxCompiler("gcc"), LinuxCompiler("clang")]
# Sums and products may be fused here, but for those of the float arithmetic, which the library keeps apart.
AARCH64 = LinuxCompiler("aarch64-linux-gnu-gcc", ("-O2", "-static", "-ffp-contract=fast"), ("qemu-aarch64",))


def test_threads_share_nothing_that_they_write(tmp_path):
    """The thread sanitizer sees no race."""
    networks = [mixed_network(random.Random(seed)) for seed in range(20)]
    samples = [random_samples(network, 9, seed) for seed, network in enumerate(networks)]
    found = run_all(networks, samples, tmp_path, LinuxCompiler("clang", ("-O1", "-fsanitize=thread")))
    for scores in found.values():
        for network, x, got in zip(networks, samples, scores, strict=True):
            np.testing.assert_array_equal(got, network.scores(x))


@pytest.mark.parametrize(
    ("compiler", "count"), [(HERE[0], 2000), (HERE[1], 300), (AARCH64, 300)], ids=["gcc", "clang", "aarch64"]
)
def test_every_path_equals_the_reference(compiler, count, tmp_path):
    networks = [(mixed_network if seed % 3 else random_network)(random.Random(seed)) for seed in range(count)]
    samples = [random_samples(network, SAMPLES, seed) for seed, network in enumerate(networks)]
    expected = [network.scores(x) for network, x in zip(networks, samples, strict=True)]
    found = run_all(networks, samples, tmp_path, compiler)
    assert {"portable, 1 threads", "portable, 3 threads"} <= found.keys()
    if compiler is AARCH64:
        assert "neon, 1 threads" in found
    for path, scores in found.items():
        for seed, (got, wanted) in enumerate(zip(scores, expected, strict=True)):
            np.testing.assert_array_equal(got, wanted, err_msg=f"{path}, network {seed}")
