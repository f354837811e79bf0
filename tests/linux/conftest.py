"""A cache for the tests of compiled networks: the library is built once for all of them."""

import pytest


@pytest.fixture(scope="session")
def session_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def cache(session_cache, monkeypatch):
    """ebnn's cache, without what the user's has."""
    monkeypatch.setenv("EBNN_CACHE", str(session_cache))
    return session_cache
