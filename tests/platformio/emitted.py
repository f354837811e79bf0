"""Headers to build the firmware with."""

from pathlib import Path

import ebnn
from ebnn.training import build_network


def emit(architecture: str, folder: Path, shape: tuple[int, int, int] = (1, 28, 28), name: str = "network") -> Path:
    """network.ebnn and network.h of an untrained network, for MNIST's images by default; the header's path."""
    network = ebnn.lower(build_network(architecture, shape, 10, "uint8"), shape, "uint8")
    folder.mkdir(parents=True, exist_ok=True)
    network.save(folder / "network.ebnn")
    ebnn.write_header(network, folder / "network.h", name=name)
    return folder / "network.h"
