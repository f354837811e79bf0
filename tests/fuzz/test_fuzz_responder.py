"""Ten million frame-like byte strings into the firmware's parser and responder, under sanitizers.

Six million are for a network without an encoder, four million for one that has one.
"""

import subprocess
from pathlib import Path

import pytest

from ebnn.firmware_sources import firmware_folder
from ebnn.simulation import find_compiler

SEED = 1
FLAGS = ["-std=c99", "-O2", "-g", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wshadow"]
FLAGS += ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


@pytest.mark.parametrize(("count", "network"), [(6_000_000, []), (4_000_000, ["-DSTUB_RAW"])])
def test_fuzz_responder(count: int, network: list[str], tmp_path: Path) -> None:
    here, source = Path(__file__).parent, firmware_folder() / "src"
    program = tmp_path / "fuzz_responder"
    files = [here / "fuzz_responder.c", source / "responder.c", source / "frames.c"]
    folders = [f"-I{here.parent / 'link' / 'stub'}", f"-I{source}"]
    subprocess.run([*find_compiler(), *FLAGS, *network, *folders, *files, "-o", program], check=True)
    result = subprocess.run([program, str(count), str(SEED)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"fuzz_responder {count} {SEED}:\n{result.stderr}"
    counts = {name: int(count) for name, count in map(str.split, result.stdout.splitlines())}
    assert counts.pop("inputs") == count
    assert counts.pop("bytes") > count
    assert sum(counts.values()) == count
    assert counts.keys() == {"ignored", "unreadable", "refused", "greeted", "predicted", "profiled"}
    assert min(counts.values()) > count // 100
