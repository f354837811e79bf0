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
