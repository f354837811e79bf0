"""Other people's networks → Network."""

from .ebnn_network import import_ebnn_header
from .finding import import_network
from .flat_export import flat_file
from .imported import Imported
from .model_def import model_def_text

__all__ = ["Imported", "flat_file", "import_ebnn_header", "import_network", "model_def_text"]
