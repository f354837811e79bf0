"""The plan of a network's arena: where each activation and each patch lies.

Activation ``i`` is the input of block ``i`` and activation ``i + 1`` its output. Even ones lie at the arena's low end,
odd ones at its high end, so the two that are alive together never overlap and the peak is the largest neighbouring
pair. A block's scratch (the patch under the kernel) lies in between.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ..model.bits import round_to_words


@dataclass(frozen=True)
class MemoryPlan:
    """Sizes in bytes, each a multiple of 4; offsets from the arena's start."""

    arena_bytes: int
    activation_bytes: tuple[int, ...]
    activation_offsets: tuple[int, ...]
    scratch_offsets: tuple[int, ...]


def plan_memory(activations: Sequence[int], scratch: Sequence[int]) -> MemoryPlan:
    """Places ``len(scratch) + 1`` activations and the scratch of each block between them; sizes in bytes."""
    sizes = tuple(round_to_words(size) for size in activations)
    room = [
        before + round_to_words(between) + after
        for before, between, after in zip(sizes[:-1], scratch, sizes[1:], strict=True)
    ]
    arena = max([*room, *sizes])
    offsets = tuple(0 if i % 2 == 0 else arena - size for i, size in enumerate(sizes))
    scratch_offsets = tuple(sizes[i if i % 2 == 0 else i + 1] for i in range(len(scratch)))
    return MemoryPlan(arena, sizes, offsets, scratch_offsets)
