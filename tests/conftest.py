"""What tests of several rooms share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.platformio_core import prepare_core


@pytest.fixture(scope="session")
def platformio_core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """PlatformIO's folder, made without its registry; PLATFORMIO_CORE_DIR names it from here on."""
    folder = prepare_core(tmp_path_factory.mktemp("platformio") / "core")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLATFORMIO_CORE_DIR", str(folder))
        yield folder
