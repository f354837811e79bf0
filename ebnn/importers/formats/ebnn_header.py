"""The C header that the original eBNN generates: see `ebnn.importers.import_ebnn_header`."""

from __future__ import annotations

from ..ebnn_network import import_ebnn_header as read

__all__ = ["read", "recognises"]


def recognises(head: bytes) -> bool:
    """Whether a file that begins so may be a header: any text, of which the reader says what is wrong."""
    return b"\0" not in head
