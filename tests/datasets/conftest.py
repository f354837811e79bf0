"""What the tests of the data sets share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_server import FaultServer

from ebnn import datasets


@pytest.fixture
def server() -> Iterator[FaultServer]:
    """A web server on this machine that serves what a test tells it to, faults included."""
    with FaultServer() as running:
        yield running


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and no folder of the user; the folder in it where data sets are kept."""
    monkeypatch.setenv("EBNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("EBNN_DATA", raising=False)
    return tmp_path / "cache" / "datasets"


@pytest.fixture
def require_mnist() -> Path:
    """The folder that holds mnist/, from EBNN_DATA or the cache; a skip that says so where there is none."""
    folder = os.environ.get("EBNN_DATA")
    if folder:
        return Path(folder)
    location = datasets.locate("mnist")
    if location.state == "present" and location.path is not None:
        return location.path.parent
    message = "needs all of MNIST: set EBNN_DATA to the folder that holds mnist/, or run: ebnn datasets fetch mnist"
    if os.environ.get("EBNN_NO_SKIP") == "1":
        pytest.fail(message)
    pytest.skip(message)
