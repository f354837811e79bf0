"""Writing a project of one's own: the firmware, the library, a network, and a script that streams samples."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from ebnn.errors import BuildError, WriteError
from ebnn.firmware_sources import firmware_folder

from .project import Project, bundled_project, open_project

_FILES = Path(__file__).resolve().parent / "project-files"
_SOURCES = ("*.c", "*.cpp", "*.h")


def write_project(folder: str | os.PathLike[str], board: str, header: bytes, model: bytes) -> Project:
    """Writes a project to ``folder``, which must not exist or be empty.

    Args:
        folder: receives platformio.ini, src, host, include/network.h, lib/ebnn, network.ebnn, stream.py and README.md.
        board: the environment that PlatformIO builds by default.
        header: the network's, as emitted.
        model: the network's file.

    Raises `ebnn.errors.BuildError` for a board that there is no environment for, and `ebnn.errors.WriteError` where
    the folder is not empty or cannot be written.
    """
    folder = Path(folder).expanduser().resolve()
    bundled = bundled_project()
    bundled.check_board(board)
    firmware = firmware_folder()
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise WriteError(f"{folder} is not empty: name a new folder for the project")
        for part in ("src", "host"):
            (folder / part).mkdir(parents=True)
            for pattern in _SOURCES:
                for source in sorted((firmware / part).glob(pattern)):
                    shutil.copyfile(source, folder / part / source.name)
        shutil.copytree(firmware / "lib" / "ebnn", folder / "lib" / "ebnn")
        (folder / "include").mkdir()
        (folder / "include" / "network.h").write_bytes(header)
        (folder / "network.ebnn").write_bytes(model)
        configuration = (bundled.folder / "platformio.ini").read_text(encoding="utf-8")
        (folder / "platformio.ini").write_text(_own_configuration(configuration, board), encoding="utf-8")
        for template in sorted(_FILES.iterdir()):
            text = template.read_text(encoding="utf-8").replace("@board@", board)
            (folder / template.name).write_text(text, encoding="utf-8")
        (folder / ".gitignore").write_text(".pio/\n", encoding="utf-8")
    except OSError as error:
        raise WriteError(f"{folder} cannot be written: {error.strerror or error}") from None
    return open_project(folder)


def _own_configuration(text: str, board: str) -> str:
    """The bundled platformio.ini for a folder where the firmware's parts lie at the top."""
    text = text.replace("firmware/", "")
    text, count = re.subn(r"^default_envs = .*$", f"default_envs = {board}", text, flags=re.MULTILINE)
    if count != 1:
        raise BuildError("ebnn's platformio.ini names no default board: install ebnn again")
    return text
