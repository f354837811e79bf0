"""Random networks of every block kind: Chainer's signs = the reference = C in both arithmetics, to the last bit."""

import os

import chainer
import numpy as np
from hypothesis import HealthCheck, given, settings
from support.c_networks import Case, Result, run
from support.random_chains import ChainSpec, as_chainer_input, build, chain_specs, samples

from ebnn import lower
from ebnn.compile.plan import arena_plan
from ebnn.compile.target import WORDS
from ebnn.model import bits, reference
from ebnn.model.network import Network

NETWORKS = int(os.environ.get("EBNN_TEST_NETWORKS", "2000"))
BATCH = 250  # networks to a compilation
SAMPLES = 3


def lowered(spec: ChainSpec) -> tuple[Network, np.ndarray]:
    """The network of a chain, after every sign of Chainer's was compared with the reference's."""
    links = build(spec)
    network = lower(links, spec.shape, spec.kind)
    x = samples(spec, SAMPLES)
    *hidden, last = reference.activations(network.layers[:-1], network.check_samples(x))
    with chainer.using_config("train", False), chainer.no_backprop_mode():
        h = as_chainer_input(x, spec.kind)
        for link, bits_out in zip(links[:-1], [*hidden[1:], last], strict=False):
            h = link(h).array
            signs = (h.reshape(SAMPLES, bits_out.shape[-1], *bits_out.shape[1:3]) > 0).transpose(0, 2, 3, 1)
            np.testing.assert_array_equal(signs, bits_out)
        logits = links[-1](h).array
    # A score's rounding: half a unit of the multiplier for each input, half a unit of the offset.
    reach = network.layers[-1].taps * (255 if network.layers[-1].kind.name in ("uint8", "int8") else 1)
    slack = network.layers[-1].transform.scale * (reach + 1) / 2 + 1e-5 * np.abs(logits).max()
    np.testing.assert_allclose(network.scores(x) * network.layers[-1].transform.scale, logits, rtol=0, atol=slack)
    return network, x


def check(case: Case, result: Result) -> None:
    """C's classes, scores, and the bits of the last two activations, which the arena still holds."""
    network, plan = case.network, arena_plan(case.network, WORDS)
    np.testing.assert_array_equal(result.scores, network.scores(case.x))
    np.testing.assert_array_equal(result.classes, network.predict(case.x))
    activations = list(reference.activations(network.layers[:-1], network.check_samples(case.x)))
    for i in range(max(1, len(activations) - 2), len(activations)):
        rows = bits.pack(activations[i].reshape(*activations[i].shape[:2], -1)).reshape(len(activations[i]), -1)
        offset = plan.activation_offsets[i]
        np.testing.assert_array_equal(result.arena[:, offset : offset + rows.shape[1]], rows)


def test_chainer_reference_and_c_agree(tmp_path):
    specs: list[ChainSpec] = []
    cases: list[Case] = []

    @settings(max_examples=NETWORKS, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(chain_specs())
    def collect(spec: ChainSpec) -> None:
        network, x = lowered(spec)
        specs.append(spec)
        cases.append(Case(network, x, "integer"))
        cases.append(Case(network, x, "float"))

    collect()
    assert len(specs) >= NETWORKS
    for start in range(0, len(cases), 2 * BATCH):
        batch = cases[start : start + 2 * BATCH]
        try:
            results = run(batch, tmp_path)
        except AssertionError:  # a sanitizer's: find the network
            for i, case in enumerate(batch):
                try:
                    run([case], tmp_path)
                except AssertionError as error:
                    raise AssertionError(f"{case.arithmetic} C of {specs[(start + i) // 2]}: {error}") from None
            raise
        for i, (case, result) in enumerate(zip(batch, results, strict=True)):
            try:
                check(case, result)
            except AssertionError as error:
                raise AssertionError(f"{case.arithmetic} C of {specs[(start + i) // 2]}: {error}") from None
