"""A network as a shared library of this computer, behind NumPy arrays: what ``ebnn.compile(network)`` gives."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import operator
import os
import platform
import subprocess
import weakref
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...build_folders import kept_folder
from ...c_compiler import find_compiler, run_compiler
from ...errors import BuildError, InputError
from ...firmware_sources import linux_library
from ...model.network import Network
from ...model.probabilities import SURE, softmax
from ...model.ranking import top_classes
from ...names import unknown_name
from .source_files import linux_header, linux_source

FLAGS = ("-std=c99", "-O3", "-fPIC", "-pthread")
MAX_THREADS = 1024
PATHS = ("avx512", "avx512bw", "avx2", "neon", "portable")
"""The instructions that the library is written for; a core runs some of them."""
_REASON = "ebnn.compile makes a program of the network; network.predict needs none."
_LIBRARY = "network.so"


class CompiledNetwork:
    """A network in machine code: `predict` and `scores` take, check and answer as the Network's own.

    Calls from several threads wait for each other; several CompiledNetworks run side by side.

    Attributes:
        network: what was compiled.
        threads: how many threads share the work, the caller's among them.
        path: the instructions that are used, one of :data:`PATHS`.
    """

    network: Network
    threads: int
    path: str

    def __init__(self, network: Network, library: ctypes.CDLL, threads: int, path: str | None) -> None:
        """Opens a network of a library that was built. Raises BuildError where it does not run here."""
        self.network, self.threads = network, threads
        self._library = library
        handle = ctypes.c_void_p()
        description = ctypes.addressof(ctypes.c_char.in_dll(library, "net_network"))
        error = library.ebnn_linux_open(
            ctypes.byref(handle),
            ctypes.c_void_p(description),
            None,
            ctypes.c_uint32(threads),
            None if path is None else path.encode(),
        )
        if error:
            raise BuildError(f"the compiled network cannot be opened: {library.ebnn_linux_error(error).decode()}")
        self._handle = handle
        self.path = library.ebnn_linux_path(handle).decode()
        self._close = weakref.finalize(self, library.ebnn_linux_close, handle)

    def predict(self, x: ArrayLike) -> NDArray[np.int64]:
        """Classes of the samples, (n,) int64; ``x`` and errors as in `Network.predict`."""
        packed = self.network.pack_input(x)
        classes = np.empty(len(packed), np.uint32)
        self._library.ebnn_linux_predict(self._handle, _address(packed), len(packed), _address(classes))
        return classes.astype(np.int64)

    def predict_raw(self, raw: ArrayLike) -> NDArray[np.int64]:
        """Classes of raw samples, (n,) int64; ``raw`` and errors as in `Network.predict_raw`."""
        return self.predict(self.network.encode(raw))

    def probabilities(self, x: ArrayLike) -> NDArray[np.float64]:
        """Probabilities of the classes, (n, classes), as `Network.probabilities` gives them."""
        return softmax(self.scores(x), self.network.scale) / SURE

    def top(self, x: ArrayLike, k: int) -> NDArray[np.int64]:
        """The ``k`` classes of the largest scores, (n, k) int64, as `Network.top` gives them."""
        return top_classes(self.scores(x), k)

    def scores(self, x: ArrayLike) -> NDArray[np.int32]:
        """Integer scores of the samples, (n, classes) int32; ``x`` as in :meth:`predict`."""
        return self.packed_scores(self.network.pack_input(x))

    def packed_scores(self, packed: NDArray[np.uint8]) -> NDArray[np.int32]:
        """Scores of samples as `Network.pack_input` gives them, (n, input bytes) uint8, their values unchecked.

        Raises InputError for an array of another shape or type.
        """
        if packed.dtype != np.uint8 or packed.shape != (len(packed), self.network.input.bytes):
            raise InputError(
                f"packed samples are {packed.dtype} of shape {packed.shape}: give uint8 (n, {self.network.input.bytes})"
            )
        packed = np.ascontiguousarray(packed)
        scores = np.empty((len(packed), self.network.classes), np.int32)
        self._library.ebnn_linux_scores(self._handle, _address(packed), len(packed), _address(scores))
        return scores

    def __repr__(self) -> str:
        return f"<CompiledNetwork of {self.network!r}, {self.path}, threads {self.threads}>"


def _address(array: NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def compile_network(network: Network, *, threads: int = 1, path: str | None = None) -> CompiledNetwork:
    """Compiles ``network`` for this computer; what was built once is kept in ebnn's cache.

    Args:
        network: what to compile.
        threads: that share the work of a call, at most; 1 makes none beside the caller's.
        path: the instructions to use, see `path_names`; None for the fastest that this core has.

    Raises BuildError where there is no compiler, it fails, or the core lacks ``path``, UnknownNameError where there is
    no such path, InputError where ``threads`` is out of range.
    """
    if path is not None and path not in PATHS:
        raise unknown_name("path", str(path), PATHS)
    try:
        count = operator.index(threads)
    except TypeError:
        count = 0
    if not 1 <= count <= MAX_THREADS:
        raise InputError(f"threads is {threads!r}: give a whole number from 1 to {MAX_THREADS}")
    library = build_library(network)
    if path is not None and path not in (runs := _runs(library)):
        raise BuildError(f"this core does not run the path {path}: give {' or '.join(runs)}, or none")
    return CompiledNetwork(network, library, count, path)


def path_names(network: Network) -> tuple[str, ...]:
    """The instructions that a compiled network can use on this core, the fastest first."""
    return _runs(build_library(network))


def _runs(library: ctypes.CDLL) -> tuple[str, ...]:
    names: list[bytes] = []
    while name := library.ebnn_linux_path_name(len(names)):
        names.append(name)
    return tuple(name.decode() for name in names if library.ebnn_linux_path_runs(name))


def build_library(network: Network, *, constants: bool = True) -> ctypes.CDLL:
    """Builds, or finds in the cache, the shared library of a network, whose names begin with ``net``.

    Without ``constants`` it is one of all networks of its shape, and has no weights.
    """
    if os.name != "posix":
        raise BuildError("ebnn.compile needs Linux or the like: on Windows work in WSL (wsl --install)")
    compiler = find_compiler(_REASON)
    key = _library_key(compiler)
    with kept_folder("linux", f"{network.hash[:16] if constants else _shape_key(network)}-{key}") as folder:
        library = folder / _LIBRARY
        if library.is_file():
            with contextlib.suppress(OSError, AttributeError):
                return _load(library)
        _link(network, constants, compiler, key, folder)
        try:
            return _load(library)
        except OSError as error:
            raise BuildError(f"what {compiler[0]} made of the network does not load: {error}") from None


def _library_key(compiler: Sequence[str]) -> str:
    """What a compiler makes of the library is made again where this changes."""
    key = hashlib.sha256("\n".join([_identity(tuple(compiler)), *FLAGS]).encode())
    for file in sorted(linux_library().glob("*/*.[ch]")):
        key.update(file.read_bytes())
    return key.hexdigest()[:16]


def _shape_key(network: Network) -> str:
    """What tells networks of other shapes apart: the source has all but weights."""
    return (
        "shape-" + hashlib.sha256(linux_source(network, "net", "network.h", constants=False).encode()).hexdigest()[:16]
    )


def _link(network: Network, constants: bool, compiler: Sequence[str], key: str, folder: Path) -> None:
    """Makes the library of a network in ``folder``, where it takes its name in one step."""
    source, unfinished = folder / "network.c", folder / f"{_LIBRARY}.new"
    source.write_text(linux_source(network, "net", "network.h", constants=constants))
    (folder / "network.h").write_text(linux_header(network, "net"))
    command = [*compiler, *FLAGS, f"-I{linux_library() / 'include'}"]
    with kept_folder("linux", f"library-{key}") as objects:
        built = [_object(each, command, objects) for each in sorted(linux_library().glob("src/*.c"))]
        made = [*command, f"-I{folder}", "-shared", str(source), *map(str, built), "-o", str(unfinished)]
        run_compiler(made, source, folder)
    unfinished.replace(folder / _LIBRARY)


def _object(source: Path, command: Sequence[str], folder: Path) -> Path:
    """The object file of one of the library's sources, the same for all networks."""
    made, unfinished = folder / f"{source.stem}.o", folder / f"{source.stem}.new"
    if not made.is_file():
        run_compiler([*command, "-c", str(source), "-o", str(unfinished)], source, folder)
        unfinished.replace(made)
    return made


def _load(path: Path) -> ctypes.CDLL:
    library = ctypes.CDLL(str(path))
    pointer, text = ctypes.c_void_p, ctypes.c_char_p
    for name, result, arguments in (
        ("open", ctypes.c_int, [pointer, pointer, text, ctypes.c_uint32, text]),
        ("scores", None, [pointer, pointer, ctypes.c_size_t, pointer]),
        ("predict", None, [pointer, pointer, ctypes.c_size_t, pointer]),
        ("close", None, [pointer]),
        ("path", text, [pointer]),
        ("path_name", text, [ctypes.c_uint32]),
        ("path_runs", ctypes.c_int, [text]),
        ("error", text, [ctypes.c_int]),
    ):
        function = getattr(library, f"ebnn_linux_{name}")
        function.restype, function.argtypes = result, arguments
    return library


@lru_cache
def _identity(compiler: tuple[str, ...]) -> str:
    """What tells a compiler from others: its command, its version, and the machine."""
    with contextlib.suppress(OSError):
        done = subprocess.run([*compiler, "--version"], capture_output=True, text=True, errors="replace", check=False)
        return f"{compiler} {done.stdout} {platform.machine()}"
    return f"{compiler} {platform.machine()}"
