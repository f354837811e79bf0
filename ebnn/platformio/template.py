"""Writing a project of one's own: the firmware and a script that streams samples, or a sketch that reads a sensor."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from ebnn.atomic import copy_tree, folder_in_full
from ebnn.boards import Board
from ebnn.errors import BuildError
from ebnn.firmware_sources import firmware_folder
from ebnn.updatable import Updatable

from .build import known_board
from .project import Project, bundled_project, environment_text, open_project
from .sketch_files import FILES, Sketch, sketch_configuration, sketch_templates, write_sources

_SOURCES = ("*.c", "*.cpp", "*.h")
_TEMPLATES = {name: FILES / name for name in ("README.md", "stream.py")}
_OWN_BOARD = (  # what the templates say of a board that ebnn knows, and of one that has a file in the project
    ('BOARD = "@board@"', 'BOARD = Path(__file__).with_name("@board@.toml")'),
    ("sim://@board@", "sim://./@board@.toml"),
    ("--board @board@ --project FOLDER", "--board FOLDER/@board@.toml --project FOLDER"),
    ("--board @board@", "--board ./@board@.toml"),
)


def write_project(
    folder: str | os.PathLike[str],
    board: str | Board,
    header: bytes | None,
    model: bytes | None,
    sketch: Sketch | None = None,
    updatable: Updatable | None = None,
) -> Project:
    """Writes a project to ``folder``, which must not exist or be empty.

    Args:
        folder: receives platformio.ini, src, host, include/network.h, lib/ebnn, network.ebnn, stream.py and README.md.
        board: the environment that PlatformIO builds by default, or a user's board, whose file is copied as well.
        header: the network's, as emitted; None for a sketch without one.
        model: the network's file; None for a sketch without one.
        sketch: what is written to src in place of the firmware; then there is no host and no stream.py.
        updatable: how the firmware is built where it takes pushed networks.

    The folder is written whole or not at all. Raises `ebnn.errors.BuildError` for a board that there is no environment
    for, and `ebnn.errors.WriteError` where the folder is not empty or cannot be written.
    """
    folder = Path(folder).expanduser().resolve()
    own = board if isinstance(board, Board) and board.file is not None else None
    board = board if isinstance(board, str) else board.environment or board.name
    bundled = bundled_project(own)
    bundled.check_board(board)
    firmware = firmware_folder()
    configuration = _own_configuration((bundled.folder / "platformio.ini").read_text(encoding="utf-8"), board)
    with folder_in_full(folder) as new:
        if sketch is not None:
            write_sources(new / "src", sketch)
            configuration = sketch_configuration(configuration)
        for part in ("src", "host") if sketch is None else ():
            (new / part).mkdir()
            for pattern in _SOURCES:
                for source in sorted((firmware / part).glob(pattern)):
                    shutil.copyfile(source, new / part / source.name)
        copy_tree(firmware / "lib" / "ebnn", new / "lib" / "ebnn")
        (new / "include").mkdir()
        if header is not None and model is not None:
            (new / "include" / "network.h").write_bytes(header)
            (new / "network.ebnn").write_bytes(model)
        if own is not None and own.file is not None:
            shutil.copyfile(own.file, new / f"{board}.toml")
        configuration += environment_text(own)
        if updatable is not None:
            configuration = _with_flags(configuration, board, updatable.flags(known_board(board, own)))
        (new / "platformio.ini").write_text(configuration, encoding="utf-8")
        templates = _TEMPLATES if sketch is None else sketch_templates(sketch)
        for name, template in templates.items():
            text = template.read_text(encoding="utf-8")
            if own is not None:
                for known, path in _OWN_BOARD:
                    text = text.replace(known, path)
            text = text.replace("@board@", board)
            (new / name).write_text(text, encoding="utf-8")
        (new / ".gitignore").write_text(".pio/\n", encoding="utf-8")
    return open_project(folder)


def _own_configuration(text: str, board: str) -> str:
    """The bundled platformio.ini for a folder where the firmware's parts lie at the top."""
    text = text.replace("    -Ifirmware/include\n", "").replace("firmware/own", "include").replace("firmware/", "")
    text = re.sub(r": include/network.h where.*\n.*\n", ": include/network.h.\n", text)
    text = text.replace(" The include_dir is searched first.", "")
    text, count = re.subn(r"^default_envs = .*$", f"default_envs = {board}", text, flags=re.MULTILINE)
    if count != 1:
        raise BuildError("ebnn's platformio.ini names no default board: install ebnn again")
    return text


def _with_flags(configuration: str, board: str, flags: Sequence[str]) -> str:
    """A platformio.ini where the environment of a board has these flags of the compiler too."""
    start = configuration.index(f"[env:{board}]\n")
    end = configuration.find("\n[", start)
    section = configuration[start : end if end >= 0 else None]
    more = "".join(f"\n    {flag}" for flag in flags)
    if "\nbuild_flags =" in section:
        changed = re.sub(r"\nbuild_flags =.*(\n[ \t]+\S.*)*", lambda found: found[0] + more, section, count=1)
    else:
        changed = section.replace("]\n", "]\nbuild_flags =\n    ${env.build_flags}" + more + "\n", 1)
    return configuration.replace(section, changed, 1)
