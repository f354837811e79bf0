"""Boards that ebnn knows: one TOML file each, in this folder."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import resources

from ebnn.errors import DeviceError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found]

__all__ = ["Board", "board_names", "load_board"]


@dataclass(frozen=True)
class Board:
    """What ebnn knows about a board."""

    name: str
    """As PlatformIO calls it, or "host"."""
    title: str
    """As people call it."""
    simulator: str | None
    """What runs its firmware behind ``sim://<name>``: "host", or None where nothing does."""


def board_names() -> list[str]:
    """The names of all boards, in alphabetical order."""
    files = (entry.name for entry in resources.files(__name__).iterdir())
    return sorted(name.removesuffix(".toml") for name in files if name.endswith(".toml"))


def load_board(name: str) -> Board:
    """The board of that name. Raises `ebnn.errors.DeviceError`, with the names there are, if there is none."""
    if name not in board_names():
        raise DeviceError(f"no board is called {name!r}; ebnn knows {', '.join(board_names())}")
    facts = tomllib.loads(resources.files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8"))
    return Board(name=facts["name"], title=facts["title"], simulator=facts.get("simulator"))
