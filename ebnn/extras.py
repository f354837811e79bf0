"""Packages that only a part of ebnn needs: the extras of ``pyproject.toml``."""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from .errors import MissingDependencyError

_PACKAGES = {
    "PIL": ("Pillow", "data"),
    "SCons": ("SCons", "offline"),
    "cbor2": ("cbor2", "data"),
    "chainer": ("Chainer", "train"),
    "matplotlib": ("Matplotlib", "plot"),
    "sklearn": ("scikit-learn", "train"),
    "tensorboardX": ("tensorboardX", "train"),
    "threadpoolctl": ("threadpoolctl", "train"),
    "torchfile": ("torchfile", "torch7"),
}
"""Modules, what their packages are called, and the extra that installs them."""


def import_extra(module: str, purpose: str) -> ModuleType:
    """Imports a package that an extra installs, and returns it.

    Args:
        module: its name, one of the table's; a submodule's name works too.
        purpose: what needs it, the beginning of the message.

    Raises:
        MissingDependencyError: it is not installed, or fails when it is imported; the message says what to install.
    """
    top = module.split(".")[0]
    try:
        return importlib.import_module(module)
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] == top:
            raise missing_extra(top, purpose) from error
        first = (str(error) or "no reason given").splitlines()[0]
        state = f"which does not work as it is installed here ({type(error).__name__}: {first})"
        raise missing_extra(top, purpose, state) from error


def missing_extra(module: str, purpose: str, state: str = "which is not installed") -> MissingDependencyError:
    """The error for a package that an extra installs: what needs it, and the command that installs it."""
    package, extra = _PACKAGES[module]
    return MissingDependencyError(
        f'{purpose} needs {package}, {state}: run {_install(extra)} (README, "Installing it", says how with each '
        "installer)",
        name=module,
    )


def _install(extra: str) -> str:
    """The command that adds an extra, by the installer that made this environment."""
    prefix = Path(sys.prefix)
    if (prefix / "uv-receipt.toml").exists():
        return f'uv tool install "ebnn[{extra}]"'
    if (prefix / "pipx_metadata.json").exists():
        return f'pipx install --force "ebnn[{extra}]"'
    return f'pip install "ebnn[{extra}]"'
