"""The files of a sketch: sources with its settings, and what PlatformIO is told of it."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

FILES = Path(__file__).resolve().parent / "project-files"
_SKETCHES = FILES / "sketches"
_DECIMALS = {"imu": 4, "analog": 0, "serial": 4}
_ENVIRONMENTS = {  # of boards that have an IMU: flags, and libraries that PlatformIO downloads
    "nano33ble": ("-DIMU_LSM9DS1", "arduino-libraries/Arduino_LSM9DS1@^1.1.1"),
    "genuino101": ("-DIMU_CURIE", None),  # its library comes with the core
}


@dataclass(frozen=True)
class Sketch:
    """A program that reads a sensor.

    Attributes:
        sensor: imu, analog or serial.
        channels: values of a reading.
        period_us: microseconds from one reading to the next; 0 takes them as they come.
        smooth: answers whose probabilities are averaged.
        predicts: whether it prints a network's answers; else readings.
        names: of the channels.
        pins: where analog values come from, as C.
    """

    sensor: str
    channels: int
    period_us: int
    smooth: int
    predicts: bool
    names: tuple[str, ...]
    pins: tuple[str, ...] = ()


def write_sources(folder: Path, sketch: Sketch) -> None:
    """Writes the sources of a sketch to a new folder."""
    folder.mkdir()
    for name, source in (("main.cpp", "main.cpp"), ("sensor.h", "sensor.h"), ("sensor.cpp", f"{sketch.sensor}.cpp")):
        shutil.copyfile(_SKETCHES / source, folder / name)
    (folder / "settings.h").write_text(_settings(sketch), encoding="utf-8")


def is_sketch(folder: Path) -> bool:
    """Whether the project in a folder is one of a sketch."""
    return all((folder / "src" / name).is_file() for name in ("settings.h", "sensor.cpp"))


def _settings(sketch: Sketch) -> str:
    macros = {
        "PREDICTS": (int(sketch.predicts), "1: print the network's answers; 0: print the readings, for ebnn record"),
        "CHANNELS": (sketch.channels, "values of a reading"),
        "CHANNEL_NAMES": (f'"{",".join(sketch.names)}"', ""),
        "PERIOD_US": (f"{sketch.period_us}ul", "from one reading to the next; 0: as they come"),
        "SMOOTH": (sketch.smooth, "answers that are averaged, 1 to 32"),
        "DECIMALS": (_DECIMALS[sketch.sensor], "of a reading that is printed"),
    }
    if sketch.pins:
        macros["PINS"] = (", ".join(sketch.pins), "of the channels")
    lines = [f"#define {name} {value}" + (f" /* {what} */" if what else "") for name, (value, what) in macros.items()]
    guard = ["#ifndef SETTINGS_H", "#define SETTINGS_H", "", *lines, "", "#endif", ""]
    return "/* What the sketch is told. */\n" + "\n".join(guard)


def sketch_configuration(text: str) -> str:
    """The text of a project's platformio.ini for a sketch: no program for this computer, boards with their sensors."""
    text = re.sub(r"\n; This computer:.*\n\[env:native\]\n(?:.+\n)*", "", text)
    text = re.sub(r"\A(?:;.*\n)+", "; A sketch that reads a sensor, for every board below.\n", text)
    text = re.sub(r"; For all: the board says.*\n\[env\]\nbuild_flags =\n(?: .*\n)+", "; For all.\n[env]\n", text)
    for name, (flag, library) in _ENVIRONMENTS.items():
        lines = f"build_flags = {flag}\n"
        if library is not None:
            lines += f"lib_deps = {library}\n"
        text = re.sub(rf"\[env:{name}\]\n(?:.+\n)*", rf"\g<0>{lines}", text)
    return text


def sketch_templates(sketch: Sketch) -> dict[str, Path]:
    """The other files of a project with a sketch, by their names there."""
    names = {"README.md": "answers.md" if sketch.predicts else "readings.md"}
    if sketch.sensor == "serial":
        names["send.py"] = "send.py"
    return {name: _SKETCHES / file for name, file in names.items()}
