"""The plan of the arena: cases worked by hand, and what must hold of any plan."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebnn.compile.memory import plan_memory

SIZES = st.lists(st.integers(1, 500), min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("activations", "scratch", "arena", "offsets", "scratch_offsets"),
    [
        # An input and a last layer only.
        ([7], [], 8, (0,), ()),
        # 112 B in, 1 + 3 → 4 B patch, 9 → 12 B out at the high end.
        ([112, 9], [1], 128, (0, 116), (112,)),
        # 8 + 0 + 4, then 4 + 8 + 20: the second block's input lies high, its output low, the patch above that.
        ([8, 4, 18], [0, 6], 32, (0, 28, 0), (8, 20)),
        # The widest neighbours are the first two.
        ([100, 60, 4, 4], [8, 8, 0], 168, (0, 108, 0, 164), (100, 4, 4)),
    ],
)
def test_plans_worked_by_hand(activations, scratch, arena, offsets, scratch_offsets):
    """SPEC 6.1: even activations low, odd ones high, each rounded up to 4 bytes, the patch in between."""
    plan = plan_memory(activations, scratch)
    assert plan.arena_bytes == arena
    assert plan.activation_offsets == offsets
    assert plan.scratch_offsets == scratch_offsets


@given(SIZES, st.data())
def test_any_plan(activations, data):
    """SPEC 6.1: what lives together never overlaps and lies aligned in the arena, which is as small as can be."""
    scratch = data.draw(
        st.lists(st.integers(0, 300), min_size=len(activations) - 1, max_size=len(activations) - 1), label="scratch"
    )
    plan = plan_memory(activations, scratch)
    places = list(zip(plan.activation_offsets, activations, strict=True))
    for i, size in enumerate(scratch):
        alive = [places[i], places[i + 1], (plan.scratch_offsets[i], size)]
        used = [byte for offset, length in alive for byte in range(offset, offset + length)]
        assert len(used) == len(set(used))
        assert all(offset % 4 == 0 for offset, _ in alive)
        assert min(used) >= 0
        assert max(used) < plan.arena_bytes

    def words(size):
        return (size + 3) // 4

    triples = [words(a) + words(s) + words(b) for a, s, b in zip(activations, scratch, activations[1:], strict=False)]
    assert plan.arena_bytes == 4 * max(triples, default=words(activations[0]))
    assert plan.activation_bytes == tuple(4 * words(size) for size in activations)


def test_one_scratch_for_each_block():
    with pytest.raises(ValueError, match="zip"):
        plan_memory([4, 4, 4], [0])
