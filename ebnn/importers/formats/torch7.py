"""Torch7's binary files: see `ebnn.importers.torch7_network`."""

from __future__ import annotations

from ..torch7_network import import_torch7 as read

__all__ = ["read", "recognises"]


def recognises(head: bytes) -> bool:
    """Whether a file that begins so is a table or an object of Torch7 with a module in it."""
    return head[:4] in (b"\3\0\0\0", b"\4\0\0\0") and (b"nn." in head or b"BinActiveZ" in head)
