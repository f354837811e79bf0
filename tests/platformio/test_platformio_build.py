"""build_firmware: the program of a header, nothing written beside it, and one error for what goes wrong."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import platformio
import pytest
from elftools.elf.elffile import ELFFile
from emitted import emit

import ebnn
from ebnn.device import Device
from ebnn.errors import BuildError, UnknownNameError
from ebnn.platformio import TooBigError, build_firmware
from ebnn.platformio.running import Outcome, build_error
from ebnn.simulation import program_url

TOP = Path(__file__).parents[2]


def tree() -> set[Path]:
    """The checkout's files where a build could leave something."""
    folders = [TOP / "firmware", TOP / ".pio"]
    return {*TOP.iterdir(), *(path for folder in folders for path in folder.rglob("*"))}


def symbols(elf: Path) -> set[str]:
    with elf.open("rb") as file:
        return {symbol.name for symbol in ELFFile(file).get_section_by_name(".symtab").iter_symbols()}


@pytest.mark.usefixtures("platformio_core")
def test_the_elf_is_the_header_s_and_the_checkout_stays_as_it_is(tmp_path, small_header):
    before = tree()
    header = tmp_path / "any name.h"
    header.write_bytes(small_header.read_bytes())
    elf = build_firmware("uno", header, tmp_path / "out")
    assert elf == tmp_path / "out/firmware.elf"
    assert {"setup", "loop"} & symbols(elf) or "main" in symbols(elf)
    assert (tmp_path / "out/firmware.hex").read_text().startswith(":")
    assert tree() == before


@pytest.mark.usefixtures("platformio_core")
def test_the_native_program_answers_as_python_does(tmp_path, small_header):
    program = build_firmware("native", small_header, tmp_path)
    network = ebnn.load(small_header.with_name("network.ebnn"))
    x = np.random.default_rng(0).integers(0, 256, (5, *network.input.shape), dtype=np.uint8)
    with Device(program_url(program), network_hash=network.hash32) as device:
        assert device.hello().board == "native"
        for sample, scores in zip(network.pack_input(x), network.scores(x), strict=True):
            np.testing.assert_array_equal(device.predict(sample).scores, scores)


BUILD = "import sys; from ebnn.platformio import build_firmware; build_firmware('native', sys.argv[1], sys.argv[2])"


@pytest.mark.usefixtures("platformio_core")
def test_builds_at_the_same_time_do_not_mix(tmp_path):
    """Four processes, four networks, one place to build in."""
    headers = [emit("d10", tmp_path / str(i), name=f"net{i}") for i in range(4)]
    started = [subprocess.Popen([sys.executable, "-c", BUILD, header, header.parent]) for header in headers]
    assert [process.wait(120) for process in started] == [0] * 4
    for i, header in enumerate(headers):
        with Device(program_url(header.parent / "program")) as device:
            assert device.hello().network == f"net{i}"


@pytest.mark.usefixtures("platformio_core")
@pytest.mark.parametrize(
    ("board", "architecture", "shape", "limit"),
    [
        ("uno", "conv", (1, 28, 28), "do not fit the RAM"),
        ("uno", "d300", (1, 28, 28), "B of flash; there are 32,256|more flash than there is"),
        ("megaatmega2560", "d400", (1, 28, 28), "weights of a layer"),
        ("genuino101", "d10", (1, 170, 170), "RAM"),
    ],
)
def test_a_network_too_big_for_the_board_says_which_limit(tmp_path, board, architecture, shape, limit):
    header = emit(architecture, tmp_path, shape)
    with pytest.raises(TooBigError, match=f"is too big for the board {board}: .*({limit}).*larger board"):
        build_firmware(board, header, tmp_path)
    assert not (tmp_path / "firmware.elf").exists()


@pytest.mark.usefixtures("platformio_core")
def test_a_compiler_s_errors_are_quoted(tmp_path, small_header):
    header = tmp_path / "network.h"
    header.write_text(small_header.read_text() + "\nint misspelled = nowhere;\n")
    with pytest.raises(
        BuildError, match=r"could not build the network 'network' for the board native:\n.*error.*nowhere"
    ):
        build_firmware("native", header, tmp_path / "out")


def test_what_is_not_there_is_named(tmp_path, small_header):
    with pytest.raises(UnknownNameError, match="no board is called 'toaster'; ebnn knows "):
        build_firmware("toaster", small_header, tmp_path)
    with pytest.raises(BuildError, match=r"nowhere\.h is missing: emit the network's header"):
        build_firmware("uno", tmp_path / "nowhere.h", tmp_path)


def test_a_platform_that_cannot_be_downloaded_is_named_at_once(tmp_path, small_header, monkeypatch):
    """The registry's place is taken by this computer, where nothing listens."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setattr(platformio, "__registry_mirror_hosts__", ["127.0.0.1"])
    monkeypatch.setenv("PLATFORMIO_CORE_DIR", str(tmp_path / "core"))
    with pytest.raises(
        BuildError, match=r"download the platform atmelsam to .*core.*offline FOLDER, then export .*_DIR=FOLDER"
    ):
        build_firmware("zero", small_header, tmp_path)


def test_a_download_that_fails_is_explained():
    """As PlatformIO says it, after a minute."""
    text = "Platform Manager: Installing atmelsam\nHTTPClientError: \n"
    error = build_error(Outcome(text, 1), "zero", "network.h")
    assert "needs to download atmelsam" in str(error)


def test_too_much_ram_is_an_error_though_platformio_only_warns():
    text = "Warning! The data size (25000 bytes) is greater than maximum allowed (20480 bytes)\n"
    error = build_error(Outcome(text, 0), "bluepill_f103c8", "network.h")
    assert isinstance(error, TooBigError)
    assert "25,000 B of RAM, the stack not counted; there are 20,480" in str(error)
