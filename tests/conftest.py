"""What tests of several rooms share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.markers import MARKERS, markers_of
from support.platformio_core import prepare_core

from ebnn import datasets

TESTS = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    """Says the markers there are."""
    for name, meaning in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leaves files and folders that need something out of the core suite, before Chainer is imported."""
    if config.getoption("markexpr") != "core" or TESTS not in collection_path.parents:
        return None
    return True if markers_of(collection_path.relative_to(TESTS).as_posix()) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks each test with what its file needs; a test without any of those markers is core."""
    for item in items:
        if TESTS in item.path.parents:
            for marker in markers_of(item.path.relative_to(TESTS).as_posix()):
                item.add_marker(marker)
        if not any(item.get_closest_marker(name) for name in MARKERS):
            item.add_marker("core")


@pytest.fixture(scope="session")
def platformio_core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """PlatformIO's folder, made without its registry; PLATFORMIO_CORE_DIR names it from here on."""
    folder = prepare_core(tmp_path_factory.mktemp("platformio") / "core")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLATFORMIO_CORE_DIR", str(folder))
        yield folder


@pytest.fixture(scope="session")
def mnist() -> datasets.Dataset:
    """MNIST, where it lies on this computer; else the test is skipped, unless skipping is forbidden."""
    if os.environ.get("EBNN_DATA") or datasets.locate("mnist").state == "present":
        return datasets.load("mnist", download=False)
    message = "MNIST is not here: set EBNN_DATA to the folder that holds mnist/, or run: ebnn datasets fetch mnist"
    pytest.fail(message) if os.environ.get("EBNN_NO_SKIP") else pytest.skip(message)


@pytest.fixture(scope="session")
def fashion_mnist() -> datasets.Dataset:
    """Fashion-MNIST, where EBNN_DATA or Debian's package has it; else the test is skipped, unless that is forbidden."""
    for folder in (os.environ.get("EBNN_DATA"), "/usr/share/datasets"):
        if folder and (Path(folder) / "fashion-mnist").is_dir():
            return datasets.load("fashion-mnist", folder=folder)
    message = "Fashion-MNIST is not here: install Debian's package dataset-fashion-mnist, or put it into EBNN_DATA"
    pytest.fail(message) if os.environ.get("EBNN_NO_SKIP") else pytest.skip(message)
