"""Other people's networks → Network."""

from .ebnn_network import Imported, import_ebnn_header

__all__ = ["Imported", "import_ebnn_header"]
