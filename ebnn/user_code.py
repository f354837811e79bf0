"""Python files of the user's own: what fails in them is one error that names the file and the line."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from ebnn.errors import EbnnError


def load_module(path: Path, error: type[EbnnError]) -> ModuleType:
    """Returns the module of a Python file, executed. Raises ``error`` where it cannot be read, or fails."""
    if not path.is_file():
        raise error(f"{path} is no file: name a Python file")
    name = f"ebnn_user_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise error(f"{path} cannot be imported: a Python file's name ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses look for it
    call(path, error, spec.loader.exec_module, module)
    return module


def function_of(path: Path, module: ModuleType, name: str, error: type[EbnnError]) -> Callable[..., Any]:
    """Returns a module's function of that name. Raises ``error`` where it has none."""
    function = getattr(module, name, None)
    if not callable(function):
        raise error(f"{path} has no function {name}()")
    result: Callable[..., Any] = function
    return result


def call(path: Path, error: type[EbnnError], function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Returns what a function of a user's file returns; an exception of it becomes ``error``, an EbnnError stays."""
    try:
        return function(*arguments, **options)
    except EbnnError:
        raise
    except Exception as reason:
        said = " ".join(str(reason).split())
        raise error(f"{path} fails{_place(path, reason)}: {type(reason).__name__}: {said}") from reason


def _place(path: Path, reason: Exception) -> str:
    if isinstance(reason, SyntaxError):
        return f" on line {reason.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(reason.__traceback__) if frame.filename == str(path)]
    return f" on line {lines[-1]}" if lines else ""
