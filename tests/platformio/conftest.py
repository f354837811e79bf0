from pathlib import Path

import pytest
from emitted import emit


@pytest.fixture(scope="session")
def small_header(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """network.h for MNIST's images that fits an Uno; network.ebnn lies beside it."""
    return emit("conv-small", tmp_path_factory.mktemp("small"))
