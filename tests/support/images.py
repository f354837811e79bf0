"""Images of random networks, and what runs them."""

from __future__ import annotations

import random
from pathlib import Path

from ebnn import Network
from ebnn.compile.image import image_bytes
from ebnn.compile.options import OPTIMIZE, Options
from ebnn.compile.plan import plan
from ebnn.compile.target import Target
from ebnn.errors import NetworkError

from .mixed_networks import mixed_network
from .random_networks import random_network

IMAGES = Path(__file__).parents[1] / "images"
IMPLEMENTATION = IMAGES / "model.c"


def image_cases(
    choose: random.Random, count: int, target: Target, most_bytes: int, most_arena: int, optimize: str | None = None
) -> list[tuple[Network, bytes]]:
    """So many random networks of all kinds, each with its image, that are no larger than what is given."""
    cases: list[tuple[Network, bytes]] = []
    while len(cases) < count:
        number = len(cases)
        mixed = number % 2 == 1
        network = mixed_network(choose) if mixed else random_network(choose, normalized=True)
        arithmetic = "float" if number % 6 == 0 and not mixed else "integer"
        chosen = OPTIMIZE[number // 2 % len(OPTIMIZE)] if optimize is None else optimize
        if plan(network, Options.named(arithmetic, chosen), target).arena_bytes > most_arena:
            continue
        try:
            image = image_bytes(network, target, arithmetic, chosen, f"random {number}")
        except NetworkError:  # too big for an AVR
            continue
        if len(image) <= most_bytes:
            cases.append((network, image))
    return cases
