"""Networks to push, and updatable firmware for this computer that they are pushed to."""

from __future__ import annotations

import random
from pathlib import Path

from many_pushes import PIECE, Case
from support.random_networks import random_network, random_samples

import ebnn
from ebnn.simulation import build_host
from ebnn.updatable import Updatable

FLAGS = ("-std=c99", "-O0", "-Wall", "-Wextra", "-Werror", "-Wshadow")
SANITIZED = (*FLAGS, "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def cases(seed: int = 5) -> tuple[Case, tuple[Case, ...]]:
    """The firmware's own network, and three others whose images have 513 to 1,000 bytes."""
    choose = random.Random(seed)
    found: list[Case] = []
    while len(found) < 4:
        network = random_network(choose)
        case = Case.of(network, random_samples(network, 3, seed=len(found)))
        if 513 <= len(case.image) <= 1000 and network.hash32 not in {one.network.hash32 for one in found}:
            found.append(case)
    return found[0], tuple(found[1:])


def build(
    folder: Path, own: Case, flags: tuple[str, ...], store_bytes: int, updatable: Updatable | None = None, pool: int = 0
) -> Path:
    """Compiles updatable firmware with a store of so many bytes."""
    header = folder / "own.h"
    ebnn.write_header(own.network, header, name="own")
    more = [f"-DEBNN_STORE_BYTES={store_bytes}", f"-DEBNN_PUSH_PIECE={PIECE}u"]
    if pool:
        more += ["-UEBNN_POOL_BYTES", f"-DEBNN_POOL_BYTES={pool}"]
    return build_host(header, folder, flags=[*flags, *more], updatable=updatable or Updatable())


def other_image(image: bytes, at: int) -> bytes:
    """The image with one bit of it changed, and no checksum mended."""
    changed = bytearray(image)
    changed[at] ^= 1
    return bytes(changed)
