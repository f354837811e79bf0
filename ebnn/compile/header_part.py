"""What a header has beside its layers, where the network has it: an encoder, names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HeaderPart:
    """A part of a header, in the texts that stand at its places.

    Attributes:
        facts: rows of the opening comment, name and text.
        macros: after the network's own.
        types: before the prototypes.
        prototypes: inside ``extern "C"``.
        inline: functions that use the prototypes.
        definitions: constants and functions, once in a program.
        aliases: names without a name.
    """

    facts: tuple[tuple[str, str], ...] = ()
    macros: str = ""
    types: str = ""
    prototypes: str = ""
    inline: str = ""
    definitions: str = ""
    aliases: str = ""


def needs_library(macro: str, emitted: str) -> str:
    """Stops the compiler at a library that lacks the part: ``macro`` guards the file that holds it."""
    return f"""
#if !defined({macro})
#error "{emitted}: take the ebnn library of that version or a later one"
#endif
"""
