"""Networks and their parts in few words, for tests."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ebnn.compile.options import Options
from ebnn.compile.plan import Step, plan
from ebnn.compile.target import WORDS, Target
from ebnn.model.kinds import Input
from ebnn.model.layers import Block, Conv, Dense, Layer, Pool
from ebnn.model.network import Network
from ebnn.model.transforms import Normalize, Scores, Sign, Transform


def block_of(
    linear: Conv | Dense, pool: Pool | None = None, sign: Sign | None = None, normalize: Normalize | None = None
) -> Block:
    """A block that ends in a sign, in the float arithmetic, or in a sign that knows both."""
    transform: Transform | None = normalize if sign is None else replace(sign, normalize=normalize)
    assert transform is not None
    return Block(linear, pool, transform)


def last_of(weights: Any, multiplier: Any, offset: Any, scale: float) -> Block:
    """A last layer; ``weights`` (classes, height, width, input)."""
    return Block(Dense(weights), None, Scores(multiplier, offset, scale))


def net_of(taken: Input, blocks: Sequence[Block], last: Block) -> Network:
    """A network of ``blocks`` and a ``last`` layer."""
    return Network(taken, [*blocks, last])


def placed(block: Block, kind: str, shape: Any) -> Layer:
    """``block`` as the first layer of a network on values of ``kind`` and ``shape``."""
    return block.at(0, Input(kind, shape))


def step_of(
    network: Network, index: int, arithmetic: str = "integer", optimize: str = "balanced", target: Target = WORDS
) -> Step:
    """How a layer of a network is run."""
    return plan(network, Options.named(arithmetic, optimize), target).steps[index]


def kernel_of(network: Network, index: int, arithmetic: str = "integer", optimize: str = "balanced") -> str:
    """The name of the kernel that runs a layer."""
    return step_of(network, index, arithmetic, optimize).kernel.name
