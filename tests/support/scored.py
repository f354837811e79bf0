"""Networks for their scores alone, and scores that are far apart, near each other, equal and at the ends of int32."""

import numpy as np
from numpy.typing import NDArray

from ebnn.model.kinds import Input, Shape
from ebnn.model.layers import Block, Dense
from ebnn.model.meta import Meta
from ebnn.model.network import Network
from ebnn.model.transforms import Scores

SCALES = (1e-300, 1e-9, 3.1e-5, 0.0123, 0.9, 11.78, 1e30)


def scored_network(scale: float, classes: int = 7, rejection: float | None = 0.6) -> Network:
    """A network whose scores are ``scale`` logits each; its classes have names."""
    weights = np.random.default_rng(classes).integers(0, 2, (classes, 1, 1, 9)).astype(bool)
    block = Block(Dense(weights), None, Scores(np.full(classes, 9), np.arange(classes), scale))
    names = tuple(f"class {k}" for k in range(classes))
    return Network(Input("uint8", Shape(9, 1, 1)), [block], None, Meta(class_names=names, rejection=rejection))


def digit_network(rejection: float | None = None) -> Network:
    """A network of random weights on the 8×8 pixels of the digits, whose classes have names."""
    weights = np.random.default_rng(0).integers(-127, 128, (10, 8, 8, 1)).astype(np.int8)
    block = Block(Dense(weights), None, Scores(np.ones(10), np.arange(10), 1e-4))
    names = tuple(f"digit {k}" for k in range(10))
    return Network(Input("uint8", Shape(1, 8, 8)), [block], None, Meta(class_names=names, rejection=rejection))


def bit_network() -> Network:
    """The network of the digits, its outputs read as bits."""
    network = digit_network()
    block = Block(Dense(network.layers[0].weights), None, network.layers[0].transform)
    return Network(network.input, [block], None, Meta(bit_outputs=True))


def any_scores(classes: int, scale: float, count: int = 300) -> NDArray[np.int32]:
    """Scores (count, classes)."""
    rng = np.random.default_rng(classes)
    span = min(2.0**31, max(2.0, 12 / scale))
    near = rng.uniform(-span, span, (count, classes))
    far = rng.integers(-(2**31), 2**31, (count, classes))
    ends = rng.choice([-(2**31), 1 - 2**31, -1, 0, 1, 2**31 - 1], (count, classes))
    which = rng.integers(0, 6, (count, 1))
    mixed = np.where(which < 4, near, np.where(which == 4, far, ends))
    return np.clip(mixed, -(2**31), 2**31 - 1).astype(np.int32)
