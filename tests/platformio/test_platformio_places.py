"""Where builds lie: caches with hostile names, without a home, full of garbage; checkouts and projects stay clean."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from emitted import emit
from support.platformio_core import pio

import ebnn
from ebnn.build_folders import kept_folder
from ebnn.compile.header import header_text
from ebnn.device import Device
from ebnn.errors import BuildError
from ebnn.firmware_sources import default_header
from ebnn.platformio import build_firmware, bundled_project, open_project, prepare_offline, upload, write_project
from ebnn.platformio.upload import _uploads_part
from ebnn.simulation import board_url, program_url

TOP = Path(__file__).parents[2]
HOSTILE = ("it's", "a&b", "(x", "$HOME", "`touch pwned`", 'say "hi"', "100%", "new\nline")


def answers(program: Path, header: Path) -> None:
    """The program runs the header's network."""
    network = ebnn.load(header.with_name("network.ebnn"))
    with Device(program_url(program), network_hash=network.hash32) as device:
        assert device.hello().board == "native"


@pytest.mark.usefixtures("platformio_core")
@pytest.mark.parametrize("name", ['it\'s `touch pwned` & (a) "$b"\n100% é'])
@pytest.mark.parametrize("variable", ["EBNN_CACHE", "TMPDIR", "XDG_CACHE_HOME"])
def test_names_of_folders_are_no_commands(tmp_path, small_header, monkeypatch, variable, name):
    place = tmp_path / name
    place.mkdir()
    monkeypatch.setenv("EBNN_CACHE", str(tmp_path / "cache"))
    if variable == "XDG_CACHE_HOME":
        monkeypatch.delenv("EBNN_CACHE")
    monkeypatch.setenv(variable, str(place))
    monkeypatch.chdir(tmp_path)
    header = place / "network.h"
    shutil.copy(small_header, header)
    shutil.copy(small_header.with_name("network.ebnn"), place)
    answers(build_firmware("native", header, place / "out"), header)
    with Device(board_url("host", header=header)) as device:
        assert device.hello().board == "host"
    assert not list(tmp_path.rglob("pwned"))
    assert {path.name for path in place.iterdir()} <= {"network.h", "network.ebnn", "out"}


@pytest.mark.usefixtures("platformio_core")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_project_in_such_a_folder_is_refused_before_anything_runs(tmp_path, small_header, monkeypatch, name):
    folder = tmp_path / name / "mine"
    write_project(folder, "native", small_header.read_bytes(), b"")
    monkeypatch.chdir(tmp_path)
    said: list[str] = []
    with pytest.raises(BuildError) as caught:
        upload("uno", "/dev/null", project=open_project(folder), show=said.append)
    assert "move the project to a folder with a plain name" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert said == []


@pytest.mark.usefixtures("platformio_core")
@pytest.mark.parametrize("name", ["a b", "é"])
def test_a_project_in_a_folder_with_a_space_or_an_accent_is_built(tmp_path, small_header, name):
    folder = tmp_path / name / "mine"
    write_project(folder, "uno", small_header.read_bytes(), b"")
    assert re.search(r"native +SUCCESS", pio("run", "-d", folder, "-e", "native"))


@pytest.mark.usefixtures("platformio_core")
def test_without_a_cache_it_is_built_in_a_temporary_folder_that_goes(tmp_path, small_header, monkeypatch):
    """The cache's place is a file."""
    (tmp_path / "file").write_text("")
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("EBNN_CACHE", str(tmp_path / "file/cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    answers(build_firmware("native", small_header, tmp_path / "out"), small_header)
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.usefixtures("platformio_core")
def test_garbage_in_the_cache_is_built_anew(tmp_path, small_header, monkeypatch):
    monkeypatch.setenv("EBNN_CACHE", str(tmp_path / "cache"))
    build_firmware("native", small_header, tmp_path / "out")
    for number, path in enumerate(sorted((tmp_path / "cache").rglob("*"))):
        if path.is_file():
            path.write_bytes(path.read_bytes()[: number % 3 * 7])
    answers(build_firmware("native", small_header, tmp_path / "out"), small_header)


@pytest.mark.usefixtures("platformio_core")
def test_the_cache_knows_the_compilers(tmp_path, small_header, monkeypatch):
    """After another compiler has come, nothing that the one before has built is taken."""
    monkeypatch.setenv("EBNN_CACHE", str(tmp_path / "cache"))
    compilers = tmp_path / "bin"
    compilers.mkdir()
    for name in ("gcc", "g++"):
        (compilers / name).write_text(f'#!/bin/sh\nexec {shutil.which(name)} "$@"\n')
        (compilers / name).chmod(0o755)
    for expected in (1, 2):
        build_firmware("native", small_header, tmp_path / "out")
        assert len(list((tmp_path / "cache/platformio").iterdir())) == expected
        monkeypatch.setenv("PATH", f"{compilers}{os.pathsep}{os.environ['PATH']}")


def git_status() -> str:
    return subprocess.run(["git", "status", "--porcelain"], cwd=TOP, capture_output=True, text=True, check=True).stdout


@pytest.mark.usefixtures("platformio_core")
def test_the_readme_s_words_leave_a_checkout_clean(tmp_path, small_header):
    """Exported to firmware/own, a network is the one that PlatformIO builds and simulated boards run."""
    own = TOP / "firmware/own/network.h"
    assert not own.exists(), "this test writes it and deletes it"
    before = git_status()
    model = small_header.with_name("network.ebnn")
    words = [sys.executable, "-m", "ebnn", "export", model, "-o", "firmware/own/network.h"]
    try:
        subprocess.run(words, cwd=TOP, check=True, capture_output=True)
        assert git_status() == before
        assert default_header() == own
        workspace = {"PLATFORMIO_WORKSPACE_DIR": str(tmp_path)}
        assert "SUCCESS" in pio("run", "-d", TOP, "-e", "native", environment=workspace)
    finally:
        own.unlink(missing_ok=True)
    answers(tmp_path / "build/native/program", small_header)
    assert default_header() == TOP / "firmware/include/network.h"
    assert bundled_project().include / "network.h" == default_header()


@pytest.mark.parametrize(("arithmetic", "optimize"), [("integer", "balanced"), ("float", "size"), ("integer", "speed")])
def test_a_project_s_simulated_board_runs_the_project_s_header(tmp_path, monkeypatch, arithmetic, optimize):
    model = emit("d10", tmp_path).with_name("network.ebnn")
    network = ebnn.load(model)
    header = header_text(network, name="kiwi", arithmetic=arithmetic, optimize=optimize)
    write_project(tmp_path / "mine", "uno", header.encode(), model.read_bytes())
    words = [sys.executable, "stream.py", "--port", "sim://host"]
    done = subprocess.run(words, cwd=tmp_path / "mine", capture_output=True, text=True, check=False)
    assert "host runs kiwi" in done.stdout
    assert "0 of 10 answers differ" in done.stdout
    monkeypatch.chdir(tmp_path / "mine")
    with Device("sim://host") as device:
        assert (device.hello().network, device.hello().network_hash) == ("kiwi", network.hash32)


def test_a_folder_in_use_is_waited_for_though_its_owner_was_killed(tmp_path, monkeypatch):
    """What the killed process has started still builds there."""
    monkeypatch.setenv("EBNN_CACHE", str(tmp_path))
    owner = (
        "import os, subprocess\nfrom ebnn.build_folders import kept_folder\nwith kept_folder('x'):\n"
        "    subprocess.Popen(['sleep', '1'], close_fds=False)\n    os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", owner], check=False)
    begin = time.monotonic()
    with kept_folder("x") as folder:
        assert folder == tmp_path / "x"
    assert time.monotonic() - begin > 0.3


def test_platformio_s_log_is_shown_once():
    """Its second run, for the upload, builds nothing new and says all again."""
    shown: list[str] = []
    show = _uploads_part(shown.append)
    for line in (
        "Processing uno (platform: atmelavr)\n",
        "RAM:   [==] 20%\n",
        "Configuring upload protocol...\n",
        "ok\n",
    ):
        show(line)
    assert shown == ["Configuring upload protocol...\n", "ok\n"]


@pytest.mark.parametrize("name", HOSTILE)
def test_platformio_s_own_files_do_not_lie_in_such_a_folder(tmp_path, small_header, monkeypatch, name):
    with pytest.raises(BuildError, match="name a folder with a plain name"):
        prepare_offline(tmp_path / name)
    monkeypatch.setenv("PLATFORMIO_CORE_DIR", str(tmp_path / name))
    with pytest.raises(BuildError, match="set PLATFORMIO_CORE_DIR to a folder with a plain name"):
        build_firmware("native", small_header, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_platformio_s_folder_may_be_named_from_here(platformio_core, tmp_path, small_header, monkeypatch):
    monkeypatch.setenv("EBNN_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(platformio_core.parent)
    monkeypatch.setenv("PLATFORMIO_CORE_DIR", platformio_core.name)
    answers(build_firmware("native", small_header, tmp_path / "out"), small_header)
