import contextlib
import os
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
from stub_network import HEADER

from ebnn.simulation import build_host, program_url


@pytest.fixture(scope="session")
def stub_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The firmware with the stub network, under sanitizers, compiled for this computer."""
    flags = ["-std=c99", "-O2", "-g", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wshadow"]
    flags += ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    return build_host(HEADER, tmp_path_factory.mktemp("stub"), flags=flags)


@pytest.fixture
def stub_url(stub_program: Path) -> str:
    return program_url(stub_program)


@pytest.fixture
def terminal() -> Iterator[tuple[int, str]]:
    """A port with nobody at it yet: the file descriptor of its other end, and its name."""
    master, slave = os.openpty()
    tty.setraw(slave)
    yield master, os.ttyname(slave)
    os.close(slave)
    with contextlib.suppress(OSError):
        os.close(master)
