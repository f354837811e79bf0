"""Other people's networks → Network."""

from .ebnn_network import Imported, import_ebnn_header
from .finding import import_network

__all__ = ["Imported", "import_ebnn_header", "import_network"]
