"""The flat files of weights of binarynet-tensorflow: see `ebnn.importers.import_flat_file`."""

from __future__ import annotations

from ..flat_file import import_flat_file as read

__all__ = ["read", "recognises"]


def recognises(head: bytes) -> bool:
    """Never: such a file has no header; it is read where an architecture is given."""
    return False
