"""platformio.ini: read by PlatformIO, and in step with the catalogue of boards."""

import json
from pathlib import Path

import pytest
from support.platformio_core import pio

from ebnn.boards import board_names, load_board
from ebnn.platformio import bundled_project

TOP = Path(__file__).parents[2]
ASKED_FOR = (
    "genuino101 uno nanoatmega328 megaatmega2560 leonardo zero nano_33_iot nano33ble due bluepill_f103c8 pico esp32dev "
    "esp32-c3-devkitm-1 native"
).split()
OPTIONS = ("platform", "board")


@pytest.fixture(scope="module")
def sections() -> dict[str, dict[str, object]]:
    text = pio("project", "config", "--json-output", "-d", TOP)
    return {name: dict(options) for name, options in json.loads(text[text.index("[[") :])}


def test_platformio_finds_no_fault_in_it():
    assert "free from linting errors" in pio("project", "config", "--lint", "-d", TOP)


def test_every_board_has_an_environment(sections):
    environments = [name.removeprefix("env:") for name in sections if name.startswith("env:")]
    assert environments == ASKED_FOR
    assert sections["platformio"]["default_envs"] == ["genuino101"]
    assert bundled_project().environments == tuple(ASKED_FOR)


def test_environments_and_catalogue_name_each_other(sections):
    assert {load_board(name).environment for name in board_names()} - {None} == set(ASKED_FOR)
    for name in board_names():
        environment = load_board(name).environment
        if environment is not None:
            assert environment in (name, "native")
            options = {key: value for key, value in sections[f"env:{environment}"].items() if key in OPTIONS}
            assert {key: [value] if isinstance(value, str) else value for key, value in options.items()} == {
                key: [value] for key, value in load_board(name).platformio.items()
            }


def test_every_environment_says_its_name_to_the_firmware(sections):
    for name in ASKED_FOR:
        assert sections[f"env:{name}"]["build_flags"] == ["-DEBNN_BOARD=$PIOENV", "-Ifirmware/include"]
        assert sections[f"env:{name}"].get("framework") == (None if name == "native" else ["arduino"])


def test_it_knows_nothing_of_the_offline_folder():
    text = (TOP / "platformio.ini").read_text()
    assert "offline" not in text
    assert "extra_scripts" not in text
