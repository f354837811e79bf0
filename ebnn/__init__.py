"""ebnn: train a binarized neural network on a laptop, run it on an Arduino-class board.

``ebnn.load`` reads a trained network, a file or a published one by its name; ``Network.predict`` runs it here,
``ebnn.write_header`` emits it as C; ``ebnn.fit`` trains one on data, ``ebnn.lower`` makes one from a trained Chainer
chain; ``ebnn.stream`` sends samples to a board. A name, or a module of the package, is imported when it is first used;
only ``ebnn.fit`` and ``ebnn.lower`` import Chainer.
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
    from .streaming import stream_samples as stream
    from .training.fit import fit

__all__ = ["EbnnError", "Network", "__version__", "fit", "load", "lower", "stream", "write_header"]

_MODULES = {
    "EbnnError": ("errors", "EbnnError"),
    "Network": ("model.network", "Network"),
    "fit": ("training.fit", "fit"),
    "load": ("published", "load"),
    "lower": ("frontends.chainer.lowering", "lower"),
    "stream": ("streaming", "stream_samples"),
    "write_header": ("compile", "write_header"),
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        module, attribute = _MODULES[name]
        value = getattr(importlib.import_module(f".{module}", __name__), attribute)
        if name in ("Network", "fit", "load", "lower"):
            importlib.import_module(".compile.shortcuts", __name__)
        globals()[name] = value
        return value
    if not name.startswith("_") and importlib.util.find_spec(f"{__name__}.{name}") is not None:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
