"""The kernels as files: each is one Python file and one C header of the same name."""

import re
from pathlib import Path

import numpy as np
import pytest
from support.c_networks import RUNTIME
from support.parts import last_of

from ebnn.compile import kernels
from ebnn.compile.kernels import KERNELS
from ebnn.compile.options import Options
from ebnn.compile.plan import plan
from ebnn.compile.target import WORDS
from ebnn.errors import NetworkError
from ebnn.model.kinds import Input, Shape
from ebnn.model.layers import Block, Depthwise
from ebnn.model.network import Network
from ebnn.model.transforms import Sign

SHARED = {"__init__", "kernel", "structs"}  # what no header of its own stands for


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
def test_a_kernel_s_function_is_in_the_header_of_its_module_s_name(kernel):
    """Or one that it is given: those of integers share the function that gathers and ends."""
    header = type(kernel).__module__.rpartition(".")[2]
    text = (Path(RUNTIME) / "ebnn" / f"{header}.h").read_text()
    defined = set(re.findall(r"^EBNN_KERNEL \w+ (\w+)\(", text, re.MULTILINE))
    assert defined & {kernel.function, *kernel.given}


def test_every_module_of_kernels_has_a_header_of_its_name():
    modules = {path.stem for path in Path(kernels.__file__).parent.glob("*.py")} - SHARED
    headers = {path.stem for path in (Path(RUNTIME) / "ebnn").glob("*.h")}
    assert modules <= headers
    assert modules >= {type(kernel).__module__.rpartition(".")[2] for kernel in KERNELS}


def test_a_layer_without_a_float_arithmetic_says_so():
    """Depthwise layers that end in signs run in the integer arithmetic alone."""
    depthwise = Block(Depthwise(np.ones((2, 3, 3, 1), bool)), None, Sign([0, 0], [False, False]))
    last = last_of(np.ones((2, 2, 2, 2), bool), [1, 2], [0, 0], 1.0)
    network = Network(Input("bits", Shape(2, 4, 4)), [depthwise, last])
    plan(network, Options.named("integer", "balanced"), WORDS)
    with pytest.raises(NetworkError, match="depthwise1 is a depthwise layer of bits, which has no float"):
        plan(network, Options.named("float", "balanced"), WORDS)
