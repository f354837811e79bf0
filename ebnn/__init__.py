"""ebnn: train a binarized neural network on a laptop, run it on an Arduino-class board.

``ebnn.load`` reads a trained network, a file or a published one by its name; ``Network.predict`` runs it here,
``ebnn.write_header`` emits it as C; ``ebnn.lower`` makes one from a trained Chainer chain. Importing this package never
imports Chainer.
"""

from typing import TYPE_CHECKING, Any

from .codegen import write_header
from .errors import EbnnError
from .network import Network
from .networks import load
from .version import __version__

if TYPE_CHECKING:
    from .lowering import lower

__all__ = ["EbnnError", "Network", "__version__", "load", "lower", "write_header"]


def __getattr__(name: str) -> Any:
    if name == "lower":  # the one public name that needs Chainer
        try:
            from .lowering import lower
        except ModuleNotFoundError as error:
            raise AttributeError(f"ebnn.lower needs {error.name}, which is not installed") from error
        return lower
    raise AttributeError(f"module 'ebnn' has no attribute {name!r}")
