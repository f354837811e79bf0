"""Losses against their definitions, in float64."""

import chainer
import numpy as np
import pytest

from ebnn.frontends.chainer.losses import cross_entropy, distillation

RANDOM = np.random.RandomState(3)
ANSWERS = (RANDOM.randn(6, 4) * 3).astype(np.float32)
TEACHER = (RANDOM.randn(6, 4) * 3).astype(np.float32)
LABELS = RANDOM.randint(0, 4, 6).astype(np.int32)


def log_softmax(x):
    x = x.astype(np.float64)
    return x - np.log(np.exp(x).sum(axis=1, keepdims=True))


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_smoothing_spreads_the_target(smoothing):
    targets = np.full((6, 4), smoothing / 4)
    targets[np.arange(6), LABELS] += 1 - smoothing
    expected = -(targets * log_softmax(ANSWERS)).sum(axis=1).mean()
    loss = cross_entropy(chainer.Variable(ANSWERS), LABELS, smoothing)
    assert loss.dtype == np.float32
    assert float(loss.array) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_distillation_is_a_divergence(temperature):
    teacher, student = log_softmax(TEACHER / temperature), log_softmax(ANSWERS / temperature)
    expected = temperature**2 * (np.exp(teacher) * (teacher - student)).sum(axis=1).mean()
    answers = chainer.Variable(ANSWERS)
    loss = distillation(answers, TEACHER, temperature)
    assert loss.dtype == np.float32
    assert float(loss.array) == pytest.approx(expected, rel=1e-5)
    loss.backward()
    gradient = temperature * (np.exp(student) - np.exp(teacher)) / 6
    np.testing.assert_allclose(answers.grad, gradient, rtol=1e-4, atol=1e-6)
    assert float(distillation(chainer.Variable(TEACHER), TEACHER, temperature).array) == pytest.approx(0, abs=1e-5)
