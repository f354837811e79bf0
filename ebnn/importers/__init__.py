"""Other people's networks → Network."""

from .ebnn_network import import_ebnn_header
from .finding import import_network
from .imported import Imported
from .model_def import model_def_text

__all__ = ["Imported", "import_ebnn_header", "import_network", "model_def_text"]
