"""Freed memory stays with the process."""

import platform
import subprocess
import sys

import pytest

from ebnn.training.allocator import keep_freed_memory

FAULTS = """
import resource, sys
import numpy as np
from ebnn.training.allocator import keep_freed_memory

if sys.argv[1] == "keep":
    assert keep_freed_memory()

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        np.ones(2_000_000, np.float32)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
print(faults())
"""


def test_it_is_glibc_s():
    assert keep_freed_memory() == (platform.libc_ver()[0] == "glibc")


def test_arrays_are_given_the_same_pages_again():
    if platform.libc_ver()[0] != "glibc":
        pytest.skip("malloc is not glibc's")
    kept, given_back = (
        int(subprocess.run([sys.executable, "-c", FAULTS, how], capture_output=True, text=True, check=True).stdout)
        for how in ("keep", "default")
    )
    assert kept < 100
    assert given_back >= kept
