"""The error for a name that nothing has, whatever was looked for."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from ebnn.errors import UnknownNameError

_LONGEST = 60
"""Characters of a name that a message shows."""


def unknown_name(
    what: str, name: str, known: Iterable[str], *, near: Sequence[str] | None = None, listed: str = "there are"
) -> UnknownNameError:
    """Returns the error for ``name``, which no ``what`` has: near names, and all names there are.

    Args:
        what: what was looked for, as in "board".
        name: what was asked for.
        known: all names there are.
        near: names that may be meant; None for those that are spelled alike.
        listed: what stands before the names.
    """
    names = list(known)
    if near is None:
        near = similar_names(name, names)
    shown = repr(name if len(name) <= _LONGEST else name[:_LONGEST] + "…")
    guess = f", did you mean {' or '.join(near)}?" if near else ";"
    return UnknownNameError(f"no {what} is called {shown}{guess} {listed} {', '.join(names) or 'none'}")


def similar_names(name: str, known: Iterable[str]) -> list[str]:
    """Returns the name that is meant by another spelling, capitals aside, as a list of one; else an empty list."""
    plain = {one.lower(): one for one in known}
    return [plain[near] for near in difflib.get_close_matches(name[:_LONGEST].lower(), plain, 1)]
