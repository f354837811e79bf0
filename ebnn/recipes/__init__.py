"""Recipes: settings that a network is trained with, one TOML file each, in this folder.

A recipe's keys are the options of ``ebnn train`` with ``_`` for ``-``, and ``summary``, a line that says what it makes.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import resources
from typing import Any

from ebnn.names import unknown_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found]

__all__ = ["Recipe", "load_recipe", "recipe_names"]


@dataclass(frozen=True)
class Recipe:
    """A named set of options.

    Attributes:
        name: the file's, without its ending.
        summary: what the recipe makes, in a line.
        options: of ``ebnn train``, by the names of its parameters.
    """

    name: str
    summary: str
    options: dict[str, Any]


def recipe_names() -> list[str]:
    """Returns the names of all recipes, in alphabetical order."""
    files = (entry.name for entry in resources.files(__name__).iterdir())
    return sorted(name.removesuffix(".toml") for name in files if name.endswith(".toml"))


def load_recipe(name: str) -> Recipe:
    """Returns the recipe of that name.

    Raises:
        UnknownNameError: there is none; the message lists those there are.
    """
    names = recipe_names()
    if name not in names:
        raise unknown_name("recipe", name, names)
    text = resources.files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    options: dict[str, Any] = tomllib.loads(text)
    return Recipe(name, options.pop("summary"), options)
