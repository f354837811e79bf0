"""Pushes, right and wrong ones, to updatable firmware under sanitizers."""

import random
import subprocess
from pathlib import Path

from support.random_networks import random_network

import ebnn
from ebnn.compile.image import image_bytes
from ebnn.firmware_sources import firmware_folder
from ebnn.simulation import find_compiler
from ebnn.updatable import SOURCES

COUNT = 300_000
SEED = 1
FLAGS = ["-std=c99", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-Wshadow"]
FLAGS += ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
FLAGS += ["-DEBNN_UPDATABLE", "-DEBNN_OWN_STORE", "-DEBNN_POOL_BYTES=3000", "-DEBNN_PUSH_PIECE=64u"]


def test_fuzz_push(tmp_path: Path) -> None:
    """Three images fit the store of 1,024 bytes, a fourth runs from RAM."""
    choose, images = random.Random(SEED), []
    while len(images) < 4:
        image = image_bytes(random_network(choose), title="n")
        if (300 if len(images) < 2 else 600) < len(image) < (500 if len(images) < 2 else 1000) or (
            len(images) == 3 and 1024 < len(image) < 1500
        ):
            images.append(tmp_path / f"{len(images)}.img")
            images[-1].write_bytes(image)
    own = tmp_path / "network.h"
    ebnn.write_header(ebnn.load(Path(__file__).parents[1] / "vectors" / "uint8-scores.ebnn"), own)
    source, program = firmware_folder() / "src", tmp_path / "fuzz_push"
    files = [Path(__file__).parent / "fuzz_push.c", *(source / name for name in ("responder.c", "frames.c", *SOURCES))]
    folders = [f"-I{tmp_path}", f"-I{source}", f"-I{firmware_folder() / 'lib/ebnn/src'}"]
    subprocess.run([*find_compiler(), *FLAGS, *folders, *files, "-o", program], check=True)
    command = [program, str(COUNT), str(SEED), *images]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"fuzz_push {COUNT} {SEED}:\n{result.stderr}"
    counts = {name: int(count) for name, count in map(str.split, result.stdout.splitlines())}
    assert counts.keys() == {"own", "pushed", "made", "none", "cuts"}
    assert min(counts[name] for name in ("own", "pushed", "cuts")) > COUNT // 1000, counts
