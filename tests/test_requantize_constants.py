"""Multipliers, biases and shifts of requantized sums, from what a trainer computes."""

import numpy as np
import pytest

from ebnn.model.kinds import UINT8
from ebnn.model.thresholds import requantize_constants


def exact(gain, shift, acc, low, high):
    return np.clip(np.floor(gain * acc + shift + 0.5), low, high)


@pytest.mark.parametrize(("kind", "low", "high"), [("uint8", 0, 255), ("int8", -127, 127)])
@pytest.mark.parametrize("reach", [9, 1000, 2**24, 2**30])
def test_outputs_are_those_of_real_numbers_but_for_a_step(kind, low, high, reach):
    """Gains from those that use the range to those that are 0, of either sign; a rounded bias moves by half a sum."""
    rng = np.random.default_rng(reach)
    gain = 2.0 ** rng.uniform(-8, 3, 200) * high / reach * rng.choice([-1, 1], 200)
    gain[::7] = 0
    shift = rng.normal(0, high, 200)
    transform = requantize_constants(gain, shift, reach, kind, low, high)
    transform.check("layer", UINT8, reach)
    acc = np.concatenate([[-reach, -1, 0, 1, reach], rng.integers(-reach, reach + 1, 95)])[:, None]
    found, wanted = transform.apply(acc), exact(gain, shift, acc, low, high)
    slack = 1 + np.abs(gain) / 2 + reach / 2**22
    assert np.all(np.abs(found - wanted) <= slack)


def test_multipliers_are_narrow_below_a_half_and_wide_from_there_on():
    below = requantize_constants(np.array([0.4999, 1e-6]), np.zeros(2), 1000, "uint8", 0, 255)
    assert below.narrow
    assert np.all(np.abs(below.multiplier) >= 2**14)
    above = requantize_constants(np.array([0.5, 1e-6]), np.zeros(2), 1000, "uint8", 0, 255)
    assert not above.narrow
    assert np.all(np.abs(above.multiplier) >= 2**30)


def test_a_dead_output_is_what_its_shift_says():
    for shift, value in ((3.2, 3), (-9.0, 0), (1e9, 255), (254.6, 255)):
        transform = requantize_constants(np.zeros(1), np.array([shift]), 5000, "uint8", 0, 255)
        assert set(transform.apply(np.arange(-5000, 5001, 17)[:, None]).ravel()) == {value}


def test_powers_of_two_are_exact():
    """An average of four: rounded half up."""
    transform = requantize_constants(np.full(1, 0.25), np.zeros(1), 1020, "uint8", 0, 255)
    acc = np.arange(1021)[:, None]
    assert np.array_equal(transform.apply(acc), (acc + 2) // 4)
