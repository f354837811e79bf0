"""PlatformIO without its registry: a core folder made of the system's compilers and PyPI's SCons.

PlatformIO takes what lies in its core folder, under ``platforms`` and ``packages``, as installed if a ``.piopm`` file
says so. The build scripts are in ``offline-core``, beside this file; the rest is made here from what the machine has.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformio import __version__
from platformio.dependencies import get_core_dependencies

from ebnn.atomic import copy_tree, folder_in_full
from ebnn.boards import load_board
from ebnn.errors import BuildError
from ebnn.extras import missing_extra

from .project import check_path

__all__ = ["PLATFORMS", "prepare_offline"]

_SOURCE = Path(__file__).resolve().parent / "offline-core"
_MARK = ".ebnn-offline"  # in a core folder that was made here
_SHARED = ("platforms", "packages")  # where others may have installed something too
_ARDUINO_AVR = Path("/usr/share/arduino/hardware/arduino/avr")
_AVR_TOOLS = ("gcc", "g++", "gcc-ar", "gcc-ranlib", "objcopy", "objdump", "size", "nm")
_ARC_TOOLS = ("gcc", "g++", "gcc-ar", "gcc-ranlib", "objcopy", "objdump", "size", "nm")
# PlatformIO's name of a board: its name and its processor's in the Arduino core's boards.txt.
_AVR_BOARDS = {
    "uno": ("uno", None),
    "nanoatmega328": ("nano", "atmega328old"),
    "nanoatmega328new": ("nano", "atmega328"),
    "megaatmega2560": ("mega", "atmega2560"),
    "leonardo": ("leonardo", None),
}


@dataclass(frozen=True)
class _Need:
    """What must be installed, and the Debian package that has it."""

    what: str
    package: str
    found: Callable[[], bool]


def _program(name: str, package: str) -> _Need:
    return _Need(name, package, lambda: shutil.which(name) is not None)


def _file(path: Path, package: str) -> _Need:
    return _Need(str(path), package, path.exists)


_NEEDS: Mapping[str, Sequence[_Need]] = {
    "atmelavr": (
        *(_program(f"avr-{tool}", "gcc-avr") for tool in ("gcc", "g++")),
        *(_program(f"avr-{tool}", "binutils-avr") for tool in ("objcopy", "size")),
        _Need("avr/io.h", "avr-libc", lambda: _includes("avr-gcc", "avr/io.h")),
        _file(_ARDUINO_AVR / "boards.txt", "arduino-core-avr"),
        _program("avrdude", "avrdude"),
    ),
    "intel_arc32": (
        _program("arc-linux-gnu-gcc", "gcc-arc-linux-gnu"),
        _program("arc-linux-gnu-g++", "g++-arc-linux-gnu"),
        _program("arc-linux-gnu-size", "binutils-arc-linux-gnu"),
    ),
    "native": (_program("gcc", "gcc"), _program("g++", "g++")),
}
PLATFORMS: tuple[str, ...] = tuple(_NEEDS)
"""The platforms that can be prepared, by PlatformIO's names."""


def prepare_offline(folder: str | os.PathLike[str], platforms: Sequence[str] = PLATFORMS) -> Path:
    """Makes ``folder`` a core folder for PlatformIO (``PLATFORMIO_CORE_DIR``) that needs no network; returns its path.

    A folder that was made here before is brought up to date; any other that is not empty is refused. It is written
    whole or not at all. The compilers stay where the system has them: links lead to them.

    Raises `ebnn.errors.BuildError` for an unknown platform, for a compiler or core that is not installed (with the
    command that installs it), `ebnn.errors.MissingDependencyError` without SCons, and `ebnn.errors.WriteError` for a
    folder that is not empty or cannot be written.
    """
    folder = Path(folder).expanduser().resolve()
    for name in platforms:
        if name not in _NEEDS:
            raise BuildError(f"no platform {name!r} can be prepared without the registry; there is {', '.join(_NEEDS)}")
    check_path(folder, "name a folder with a plain name")
    _check_needs(platforms)
    scons = _scons_package()
    ours = (folder / _MARK).is_file()
    with folder_in_full(folder, merge=_SHARED if ours else None) as new:
        (new / _MARK).touch()
        _prepare_scons(new, scons)
        for name in platforms:
            copy_tree(_SOURCE / "platforms" / name, new / "platforms" / name)
            _mark_installed(new / "platforms" / name, "platform", name, _version_of(new, name))
            _PREPARE[name](new)
    return folder


def _check_needs(platforms: Sequence[str]) -> None:
    missing = [need for name in platforms for need in _NEEDS[name] if not need.found()]
    if missing:
        packages = dict.fromkeys(need.package for need in missing)
        raise BuildError(
            f"{', '.join(need.what for need in missing)}: not installed, and PlatformIO builds with the system's "
            "compilers when it has no registry\n"
            f"  Debian, Ubuntu:  sudo apt install {' '.join(packages)}\n"
            "  or prepare fewer platforms, with --platform"
        )


def _scons_package() -> Path:
    found = importlib.util.find_spec("SCons")
    if found is None or found.origin is None:
        raise missing_extra("SCons", "PlatformIO without its registry")
    return Path(found.origin).parent


def _includes(compiler: str, header: str) -> bool:
    """Whether a compiler finds a header; True where there is no compiler, since that is missing then."""
    if shutil.which(compiler) is None:
        return True
    command = [compiler, "-mmcu=atmega328p", "-E", "-include", header, "-x", "c", os.devnull]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _prepare_scons(folder: Path, scons: Path) -> None:
    package = folder / "packages" / "tool-scons"
    copy_tree(_SOURCE / "packages" / "tool-scons", package)
    copy_tree(scons, package / "SCons")
    version = str(get_core_dependencies()["tool-scons"]).lstrip("~^=")
    _write_manifest(package, "tool-scons", version)
    # A version of PlatformIO that finds another one here looks for newer packages.
    _write_json(folder / "appstate.json", {"last_version": __version__})


def _prepare_avr(folder: Path) -> None:
    boards = _read_properties(_ARDUINO_AVR / "boards.txt")
    for name, (board, processor) in _AVR_BOARDS.items():
        _write_json(folder / "platforms/atmelavr/boards" / f"{name}.json", _avr_manifest(boards, board, processor))
    packages = folder / "packages"
    _link_tools(packages / "toolchain-atmelavr" / "bin", [f"avr-{tool}" for tool in _AVR_TOOLS])
    _write_manifest(packages / "toolchain-atmelavr", "toolchain-atmelavr", _version_from(["avr-gcc", "-dumpversion"]))
    core = packages / "framework-arduino-avr"
    core.mkdir(parents=True)
    for part in ("cores", "variants", "libraries", "bootloaders"):
        if (_ARDUINO_AVR / part).is_dir():
            (core / part).symlink_to(_ARDUINO_AVR / part)
    version = _read_properties(_ARDUINO_AVR / "platform.txt").get("version", "")
    _write_manifest(core, "framework-arduino-avr", _three_numbers(version))
    _link_tools(packages / "tool-avrdude" / "bin", ["avrdude"])
    _write_manifest(packages / "tool-avrdude", "tool-avrdude", _version_from(["avrdude", "-?"]))


def _avr_manifest(boards: Mapping[str, str], board: str, processor: str | None) -> dict[str, Any]:
    """PlatformIO's description of a board, from the Arduino core's."""
    facts: dict[str, str] = {}
    for start in (f"{board}.", f"{board}.menu.cpu.{processor}."):
        facts.update({key[len(start) :]: value for key, value in boards.items() if key.startswith(start)})
    build = {
        "core": facts["build.core"],
        "variant": facts["build.variant"],
        "mcu": facts["build.mcu"],
        "f_cpu": facts["build.f_cpu"],
        "extra_flags": f"-DARDUINO_{facts['build.board']}",
    }
    if "build.usb_product" in facts:
        product = facts["build.usb_product"].strip('"')
        build["extra_flags"] += (
            f" -DUSB_VID={facts['build.vid']} -DUSB_PID={facts['build.pid']}"
            f" '-DUSB_PRODUCT=\"{product}\"' '-DUSB_MANUFACTURER=\"Arduino\"'"
        )
    upload: dict[str, Any] = {
        "protocol": facts["upload.protocol"],
        "speed": int(facts["upload.speed"]),
        "maximum_size": int(facts["upload.maximum_size"]),
        "maximum_ram_size": int(facts["upload.maximum_data_size"]),
        "require_upload_port": True,
    }
    for option in ("use_1200bps_touch", "wait_for_upload_port"):
        if facts.get(f"upload.{option}") == "true":
            upload[option] = True
    ids = [[facts[f"vid.{i}"], facts[f"pid.{i}"]] for i in range(9) if f"vid.{i}" in facts]
    return {
        "name": facts["name"],
        "url": "https://www.arduino.cc",
        "vendor": "Arduino",
        "build": {**build, **({"hwids": ids} if ids else {})},
        "frameworks": ["arduino"],
        "upload": upload,
    }


def _prepare_arc(folder: Path) -> None:
    board = load_board("genuino101")
    manifest = {
        "name": board.title,
        "url": "https://www.arduino.cc",
        "vendor": "Intel",
        "build": {"mcu": "ARCv2EM", "f_cpu": f"{board.clock_hz}L"},
        "frameworks": ["arduino"],
        "upload": {"maximum_size": board.flash_bytes, "maximum_ram_size": board.ram_bytes},
    }
    _write_json(folder / "platforms/intel_arc32/boards/genuino101.json", manifest)
    packages = folder / "packages"
    _link_tools(packages / "toolchain-intelarc32" / "bin", [f"arc-linux-gnu-{tool}" for tool in _ARC_TOOLS])
    version = _version_from(["arc-linux-gnu-gcc", "-dumpfullversion"])
    _write_manifest(packages / "toolchain-intelarc32", "toolchain-intelarc32", version)
    core = packages / "framework-arduinointel"
    copy_tree(_SOURCE / "packages" / "framework-arduinointel", core)
    _write_manifest(core, "framework-arduinointel", "1.0.0")


def _prepare_native(folder: Path) -> None:
    """The computer's compiler needs no package."""


_PREPARE: Mapping[str, Callable[[Path], None]] = {
    "atmelavr": _prepare_avr,
    "intel_arc32": _prepare_arc,
    "native": _prepare_native,
}


def _read_properties(path: Path) -> dict[str, str]:
    """The ``key=value`` lines of an Arduino file."""
    pairs = (line.split("=", 1) for line in path.read_text(encoding="utf-8", errors="replace").splitlines())
    return {pair[0].strip(): pair[1].strip() for pair in pairs if len(pair) == 2 and not pair[0].startswith("#")}


def _link_tools(folder: Path, names: Sequence[str]) -> None:
    """Links to the programs there are; a manifest is written beside their folder afterwards."""
    folder.mkdir(parents=True)
    for name in names:
        path = shutil.which(name)
        if path is not None:
            (folder / name).symlink_to(path)


def _version_from(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    return _three_numbers(done.stdout + done.stderr)


def _three_numbers(text: str) -> str:
    """The first version in a text as PlatformIO wants it, three numbers; 0.0.0 where there is none."""
    found = re.search(r"(?<!\d)(\d+)\.(\d+)(?:\.(\d+))?", text)
    return ".".join(str(int(part or 0)) for part in found.groups()) if found else "0.0.0"


def _version_of(folder: Path, platform: str) -> str:
    manifest = json.loads((folder / "platforms" / platform / "platform.json").read_text(encoding="utf-8"))
    return str(manifest["version"])


def _write_manifest(package: Path, name: str, version: str) -> None:
    _write_json(package / "package.json", {"name": name, "version": version})
    _mark_installed(package, "tool", name, version)


def _mark_installed(folder: Path, kind: str, name: str, version: str) -> None:
    spec = {"owner": "platformio", "id": None, "name": name, "requirements": None, "uri": None}
    _write_json(folder / ".piopm", {"type": kind, "name": name, "version": version, "spec": spec})


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
