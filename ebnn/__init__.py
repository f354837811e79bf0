"""ebnn: train a binarized neural network on a laptop, run it on an Arduino-class board.

``ebnn.load`` reads a trained network, a file or a published one by its name; ``Network.predict`` runs it here,
``ebnn.write_header`` emits it as C; ``ebnn.lower`` makes one from a trained Chainer chain. A name, or a module of the
package, is imported when it is first used; only ``ebnn.lower`` imports Chainer.
"""

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

from .version import __version__

if TYPE_CHECKING:
    from .compile import write_header
    from .errors import EbnnError
    from .frontends.chainer.lowering import lower
    from .model.network import Network
    from .published import load

__all__ = ["EbnnError", "Network", "__version__", "load", "lower", "write_header"]

_MODULES = {
    "EbnnError": "errors",
    "Network": "model.network",
    "load": "published",
    "lower": "frontends.chainer.lowering",
    "write_header": "compile",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        value = getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)
        if name in ("Network", "load", "lower"):
            importlib.import_module(".compile.shortcuts", __name__)
        globals()[name] = value
        return value
    if not name.startswith("_") and importlib.util.find_spec(f"{__name__}.{name}") is not None:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
