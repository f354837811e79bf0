"""The kernels as files: each is one Python file and one C header of the same name."""

import re
from pathlib import Path

import pytest
from support.c_networks import RUNTIME

from ebnn.compile import kernels
from ebnn.compile.kernels import KERNELS

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
