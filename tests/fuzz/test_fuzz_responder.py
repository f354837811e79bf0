"""Ten million frame-like byte strings into the firmware's parser and responder, under sanitizers."""

import subprocess
from pathlib import Path

from ebnn.firmware_sources import firmware_folder
from ebnn.simulation import find_compiler

COUNT = 10_000_000
SEED = 1
FLAGS = ["-std=c99", "-O2", "-g", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wshadow"]
FLAGS += ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


def test_fuzz_responder(tmp_path: Path) -> None:
    here, source = Path(__file__).parent, firmware_folder() / "src"
    program = tmp_path / "fuzz_responder"
    files = [here / "fuzz_responder.c", source / "responder.c", source / "frames.c"]
    folders = [f"-I{here.parent / 'link' / 'stub'}", f"-I{source}"]
    subprocess.run([*find_compiler(), *FLAGS, *folders, *files, "-o", program], check=True)
    result = subprocess.run([program, str(COUNT), str(SEED)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"fuzz_responder {COUNT} {SEED}:\n{result.stderr}"
    counts = {name: int(count) for name, count in map(str.split, result.stdout.splitlines())}
    assert counts.pop("inputs") == COUNT
    assert counts.pop("bytes") > COUNT
    assert sum(counts.values()) == COUNT
    assert counts.keys() == {"ignored", "unreadable", "refused", "greeted", "predicted", "profiled"}
    assert min(counts.values()) > COUNT // 100
