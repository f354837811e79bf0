"""Whether PlatformIO has what a build needs, or can get it."""

from __future__ import annotations

import json
import os
import shutil
import socket
from pathlib import Path

import platformio

from ebnn.errors import BuildError, DeviceError

from .project import Project, check_path

_SECONDS = 3.0  # for a connection
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def check_platform(project: Project, board: str) -> None:
    """Raises `ebnn.errors.BuildError` if a board's platform is not installed and PlatformIO's registry is out of reach.

    PlatformIO itself tries for a minute, and says nothing.
    """
    check_core_folder()
    name = project.platforms[project.environments.index(board)]
    if name and not _is_installed(name) and not _registry_answers():
        raise BuildError(needs_download(f"the platform {name}"))


def check_upload(project: Project, board: str) -> None:
    """Raises `ebnn.errors.DeviceError` if the platform that is installed builds for a board but cannot write to it."""
    name = project.platforms[project.environments.index(board)]
    try:
        manifest = json.loads((_platforms_folder() / name / "platform.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    if isinstance(manifest, dict) and manifest.get("ebnn_uploads") is False:
        raise DeviceError(
            f"{board} cannot be written to with the folder {core_folder()}, which was made without PlatformIO's "
            "registry: the uploader comes from there. Connect to the network, and unset PLATFORMIO_CORE_DIR or name "
            "another folder in it; build alone with platformio run"
        )


def needs_download(what: str) -> str:
    """The message for something that cannot be downloaded."""
    return (
        f"PlatformIO needs to download {what} to {core_folder()}, and there is no network to its registry: connect "
        "once, or prepare a folder that needs none (AVR boards, Arduino 101, this computer): ebnn platformio-offline "
        "FOLDER, then export PLATFORMIO_CORE_DIR=FOLDER"
    )


def core_folder() -> Path:
    """Returns PlatformIO's folder: PLATFORMIO_CORE_DIR where that is set, else .platformio in the home folder.

    Raises `ebnn.errors.BuildError` where there is no home folder.
    """
    try:
        folder = Path(os.environ.get("PLATFORMIO_CORE_DIR") or "~/.platformio").expanduser()
    except RuntimeError:
        folder = Path()
    if not folder.is_absolute() and not os.environ.get("PLATFORMIO_CORE_DIR"):
        raise BuildError("this user has no home folder for PlatformIO's files: set PLATFORMIO_CORE_DIR to a folder")
    return folder.absolute()


def check_core_folder() -> None:
    """Raises `ebnn.errors.BuildError` where PlatformIO cannot keep its files, or cannot build with them."""
    folder = core_folder()
    check_path(folder, "set PLATFORMIO_CORE_DIR to a folder with a plain name")
    if not folder.exists():
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BuildError(
                f"{folder}, where PlatformIO keeps its files, cannot be made ({error.strerror}): set "
                "PLATFORMIO_CORE_DIR to a folder of yours"
            ) from None


def core_variables(folder: Path) -> dict[str, str]:
    """Returns environment variables with which PlatformIO finds its core folder from wherever it runs.

    Where this user cannot write the core folder, PlatformIO keeps its locks and its state in ``folder``, with links to
    the platforms and packages that are installed. Raises OSError.
    """
    core = core_folder()
    if os.access(core, os.W_OK):
        return {"PLATFORMIO_CORE_DIR": str(core)}
    own = folder / "core"
    own.mkdir(exist_ok=True)
    for name in ("platforms", "packages"):
        if not (own / name).is_symlink() and (core / name).is_dir():
            (own / name).symlink_to((core / name).resolve())
    if (core / "appstate.json").is_file():
        shutil.copyfile(core / "appstate.json", own / "appstate.json")
    return {"PLATFORMIO_CORE_DIR": str(own)}


def toolchain_stamp() -> str:
    """Returns a text that is another one where PlatformIO's packages or the compilers have changed."""
    folder, stamps = core_folder(), []
    for path in sorted({*folder.glob("p*/*/.piopm"), *folder.glob("packages/toolchain-*/bin/*g++*")}):
        stamps.append(_stamp(path))
    stamps += [_stamp(Path(found)) for found in map(shutil.which, ("gcc", "g++")) if found is not None]
    return "\n".join(stamps)


def _stamp(path: Path) -> str:
    try:
        facts = path.stat()
    except OSError:
        return str(path)
    return f"{path} {facts.st_size} {facts.st_mtime_ns}"


def _platforms_folder() -> Path:
    return Path(os.environ.get("PLATFORMIO_PLATFORMS_DIR") or core_folder() / "platforms")


def _is_installed(name: str) -> bool:
    folder = _platforms_folder()
    return (folder / name).is_dir() or any(folder.glob(f"{name}@*"))


def _registry_answers() -> bool:
    """Whether a connection can be opened; behind a proxy PlatformIO finds out."""
    if any(os.environ.get(name) or os.environ.get(name.lower()) for name in _PROXIES):
        return True
    for host in getattr(platformio, "__registry_mirror_hosts__", ()):
        try:
            socket.create_connection((host, 443), timeout=_SECONDS).close()
            return True
        except OSError:
            continue
    return False
