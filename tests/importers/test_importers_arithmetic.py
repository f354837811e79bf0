"""Where eBNN's batch normalisation changes its sign, and integer scores that keep the order of its floats."""

import numpy as np
import pytest

from ebnn.errors import LoweringError
from ebnn.importers.batch_norm import BatchNorm, as_normalize, find_cuts
from ebnn.importers.class_order import _Rivals, find_class_order

F = np.float32


def of_ebnn(constants, acc):
    """One sum through eBNN's steps, one float32 at a time."""
    b, gamma, beta, mean, std = map(F, constants)
    return F(F(F(F(F(acc) + b) - mean) / std) * gamma) + beta


def batch_norm_of(rows):
    bias, gamma, beta, mean, std = np.array(rows, F).T
    return BatchNorm(bias, gamma, beta, mean, std)


def test_the_sign_changes_exactly_at_the_cut():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 5)) * [0.1, 1, 1, 3, 1]
    rows[:, 4] = np.abs(rows[:, 4]) + 0.01
    norm = batch_norm_of(rows)
    cuts = find_cuts(norm, 1e6, "layer")
    normalization = as_normalize(cuts)
    for i, row in enumerate(rows):
        assert cuts.constant[i] == 0
        assert cuts.below[i] == (row[1] < 0)
        inside, outside = (F(np.inf), F(-np.inf)) if not cuts.below[i] else (F(-np.inf), F(np.inf))
        at = cuts.at[i]
        for acc in (at, np.nextafter(at, inside), np.nextafter(at, outside), F(0), F(1e6), F(-1e6)):
            expected = of_ebnn(row, acc) >= 0
            assert expected == ((acc <= at) if cuts.below[i] else (acc >= at))
            assert expected == (normalization.normalized(np.full(len(rows), acc))[i] >= 0)


def test_outputs_that_never_change():
    cuts = find_cuts(batch_norm_of([(0, 0, 0.5, 1, 1), (0, 0, -0.5, 1, 1), (0, 1, 0, 50, 1)]), 9, "layer")
    assert cuts.constant.tolist() == [1, -1, -1]
    signs = as_normalize(cuts).normalized(np.array([[-9.0] * 3, [9.0] * 3], F)) >= 0
    assert signs.tolist() == [[True, False, False]] * 2


def test_a_std_of_0_is_passed_above_the_mean_only():
    with np.errstate(all="ignore"):
        assert [bool(of_ebnn((0, 1, 5, 2, 0), acc) >= 0) for acc in (1, 2, 3)] == [False, False, True]
    cuts = find_cuts(batch_norm_of([(0, 1, 5, 2, 0), (0, -1, 5, 2, 0), (0, 0, 5, 2, 0)]), 9, "layer")
    assert cuts.at[:2].tolist() == [np.nextafter(F(2), F(3)), np.nextafter(F(2), F(1))]
    assert cuts.below.tolist() == [False, True, False]
    assert cuts.constant.tolist() == [0, 0, -1]


def test_0_times_infinite_is_refused():
    with pytest.raises(LoweringError, match=r"layer: output 1 has gamma 0.0 and std 1.00000"):
        find_cuts(batch_norm_of([(0, 1, 0, 0, 1), (0, 0, 1, 0, 1e-35)]), 2.0**110, "layer")


def brute_force(table, scores, weights):
    """Pairs of sums that two classes can have for one input, and how many the scores decide otherwise."""
    classes, n = weights.shape
    pairs = turned = 0
    for j in range(classes):
        for k in range(j + 1, classes):
            differ = int((weights[j] != weights[k]).sum())
            for agreeing in range(-(n - differ), n - differ + 1, 2):
                for differing in range(-differ, differ + 1, 2):
                    a, b = (agreeing + differing + n) // 2, (agreeing - differing + n) // 2
                    pairs += 1
                    turned += (table[j, a] >= table[k, b]) != (scores[j, a] >= scores[k, b])
    return pairs, turned


def random_classes(seed, classes, n):
    rng = np.random.default_rng(seed)
    gamma = rng.normal(size=classes) * rng.choice([0, 1, 1, 1], classes)
    rows = np.stack([rng.normal(size=classes), gamma, rng.normal(size=classes), rng.normal(size=classes) * 3], 1)
    norm = batch_norm_of(np.column_stack([rows, np.sqrt(n) * (0.5 + rng.random(classes))]))
    sums = np.arange(-n, n + 1, 2)
    gain = norm.gamma.astype(float) / norm.std
    shift = (norm.bias.astype(float) - norm.mean) * gain + norm.beta
    return norm(sums.astype(F)[:, None]).T, gain, shift, rng.random((classes, n)) < 0.5, sums


@pytest.mark.parametrize("seed", range(15))
def test_integer_scores_keep_every_decision(seed):
    table, gain, shift, weights, sums = random_classes(seed, 2 + seed % 5, 5 + 7 * (seed % 7))
    order = find_class_order(table, gain, shift, weights)
    scores = order.multiplier.astype(int)[:, None] * sums + order.offset.astype(int)[:, None]
    assert brute_force(table, scores, weights) == (order.pairs, 0)
    assert order.turned == 0
    assert np.abs(scores * order.scale - table).max() < 0.05


@pytest.mark.parametrize("seed", range(10))
def test_turned_decisions_are_counted(seed):
    table, gain, shift, weights, sums = random_classes(seed, 4, 31)
    multiplier, offset = np.rint(gain * 20).astype(np.int64), np.rint(shift * 20).astype(np.int64)
    counted = sum(
        _Rivals(table, j, k, int((weights[j] != weights[k]).sum())).turned(multiplier, offset)
        for j in range(4)
        for k in range(j + 1, 4)
    )
    assert counted == brute_force(table, multiplier[:, None] * sums + offset[:, None], weights)[1]
