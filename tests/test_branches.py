"""Random networks, as other tests take them, make the planner choose all that it can choose."""

import pytest

from ebnn.compile.kernels import KERNELS
from ebnn.compile.options import OPTIMIZE, Options
from tools.branches import all_choices, choices, networks, possible

COUNT = 1500


@pytest.fixture(scope="module")
def chosen():
    return choices(networks(COUNT))


def test_every_kernel_is_chosen(chosen):
    assert {name for name, _, _ in chosen} == {kernel.name for kernel in KERNELS}


def test_every_choice_is_made(chosen):
    """Kernels by arithmetic and optimization; `python -m tools.branches` lists the branches of the C library too."""
    assert all_choices() - chosen.keys() == set()


def test_what_cannot_be_chosen_is_known():
    """By size the plainest, and in the float arithmetic no thresholds."""
    named = {kernel.name: kernel for kernel in KERNELS}
    for name, plain in {"conv_columns": "conv_bytes", "conv_table": "conv_bits", "dense_bits_4": "dense_bits"}.items():
        able = [optimize for optimize in OPTIMIZE if possible(named[name], Options.named("integer", optimize))]
        assert able == [one for one in OPTIMIZE if one not in ("size", "compact")[: 1 if name == "conv_columns" else 2]]
        assert all(possible(named[plain], Options.named("integer", optimize)) for optimize in OPTIMIZE)
        assert not possible(named[name], Options.named("float", "balanced"))
