"""What is known of a kind of values stands in the table of kinds, and nowhere else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import ebnn
from ebnn.model import kinds
from ebnn.model.kinds import KINDS

PACKAGE = Path(ebnn.__file__).parent
NAMES = {*KINDS, *(name for name, value in vars(kinds).items() if isinstance(value, kinds.Kind))}


def keyed_by_kinds(source: str) -> Iterator[int]:
    """Lines of the dictionaries of two kinds or more, and of nothing else, by their names or their constants."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Dict) and len(node.keys) > 1:
            found = [
                key.value if isinstance(key, ast.Constant) else key.id if isinstance(key, ast.Name) else None
                for key in node.keys
            ]
            if NAMES.issuperset(found):
                yield node.lineno


def test_such_dictionaries_are_found() -> None:
    assert list(keyed_by_kinds('x = 1\ny = {BITS: 1, INT8: 2}\nz = f({"uint8": 0, "float": 1}[kind])')) == [2, 3]
    assert list(keyed_by_kinds('{BITS: 1}\n{"int8": 1, "int16": 2}\n{**x, "bits": 1}')) == []


def test_no_other_file_has_a_dictionary_of_kinds() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{line}"
        for path in PACKAGE.rglob("*.py")
        for line in keyed_by_kinds(path.read_text())
    ]
    assert found == []


def test_facts_of_kinds() -> None:
    """By hand."""
    facts = {kind.name: (kind.number, kind.signed, kind.offset) for kind in KINDS.values() if kind.input}
    assert facts == {
        "bits": (0, True, 1),
        "uint8": (1, False, 0),
        "int8": (2, True, 128),
        "float": (3, True, 0),
    }
    assert [KINDS[name].unit for name in ("bits", "uint8", "int8")] == [1.0, 1 / 255, 1 / 127]
