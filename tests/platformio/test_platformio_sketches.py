"""ebnn init --sketch: programs that read a sensor build for their boards, and answer as Python does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from support.c_networks import RUNTIME, WARNINGS, require
from support.platformio_core import pio
from support.raw_samples import encoder_network

from ebnn.device.live import SMOOTH, AnswerLines
from ebnn.errors import InputError
from ebnn.model.encoders import Affine
from ebnn.model.kinds import Shape
from ebnn.model.meta import Meta
from ebnn.model.network import Network
from ebnn.model.probabilities import SURE, least_probability, softmax
from ebnn.simulation import board_url
from ebnn.sketches import plan_sketch

STAND_INS = Path(__file__).parent / "stand-ins"
VECTORS = Path(__file__).parents[1] / "vectors"
WINDOW, STEP, RATE = 12, 5, 50.0  # readings, readings, readings a second
NAMES = ("idle", "wave", "3")


def gestures(channels: int = 6, window: int = WINDOW, raw: str = "float", **meta: object) -> Network:
    """A network of series of readings that gives each of its classes."""
    low, scale = np.resize([-2.0, -2, -2, -300, -300, -300], channels), np.resize([64.0] * 3 + [0.4] * 3, channels)
    known = {"class_names": NAMES, "window_step": STEP if window > 1 else None, "sample_rate": RATE, **meta}
    encoder = Affine(low, scale, "int8", raw)
    return encoder_network(encoder, Shape(channels, 1, window), Meta(**known))  # type: ignore[arg-type]


def recorded(count: int = WINDOW + 20 * STEP, channels: int = 6) -> list[list[str]]:
    """Readings of an IMU as texts."""
    t = np.arange(count)[:, None]
    phases = np.array([0.0, 1, 2, 3, 4, 5])
    values = np.sin(t / (7 + phases) + phases) * np.array([1.5, 1.2, 2.0, 250, 90, 310]) * (0.2 + (t // 25) % 3)
    return [[f"{value:.3f}" for value in row[:channels]] for row in values]


def answers(network: Network, texts: list[list[str]] | NDArray[np.float32]) -> list[str]:
    """The lines that a sketch prints for readings."""
    readings: NDArray[np.float32] = np.array(texts, np.float32)
    window = network.raw_shape.width
    step = network.meta.window_step or 1
    ends = range(window, len(readings) + 1, step if step < window or window == 1 else window // 4)
    raw = np.stack([readings[end - window : end].T[:, None] for end in ends])
    shares = softmax(network.scores(network.encode(raw)), network.scale).astype(np.int64)
    rejection = 0 if network.meta.rejection is None else least_probability(network.meta.rejection)
    lines = []
    for last in range(len(shares)):
        recent = shares[max(0, last + 1 - SMOOTH) : last + 1]
        sums, whole = recent.sum(axis=0), SURE * len(recent)
        name = network.meta.class_names[int(np.argmax(sums))]
        if sums.max() < rejection * len(recent):
            name = "unknown"
        elif name.isdigit():
            name = f"class {name}"
        thousandths = (sums * 1000 + whole // 2) // whole
        lines.append(",".join([name, *(f"{value // 1000}.{value % 1000:03}" for value in thousandths)]))
    return lines


def ebnn(*words: str | Path, code: int = 0) -> str:
    command = [sys.executable, "-m", "ebnn", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def make(folder: Path, network: Network | None, sensor: str, board: str = "uno", *more: str) -> Path:
    """A project with a sketch."""
    model: list[str | Path] = []
    if network is not None:
        network.save(folder / "own.ebnn")
        model = ["--model", folder / "own.ebnn"]
    ebnn("init", folder / sensor, "--sketch", sensor, "--board", board, *model, *more)
    return folder / sensor


def build(project: Path, *boards: str) -> None:
    output = pio("run", "-d", project, *(word for board in boards for word in ("-e", board)))
    assert [board for board in boards if not re.search(rf"{board} +SUCCESS", output)] == []
    core = "framework-arduino-avr"  # its own libraries have warnings
    assert [line for line in output.splitlines() if "warning" in line.lower() and core not in line] == []


def send(project: Path, texts: list[list[str]]) -> list[str]:
    """What the simulated Uno says to recorded readings."""
    rows = ["time_ms," + ",".join(f"ch{i}" for i in range(len(texts[0])))]
    rows += [",".join([str(20 * i), *row]) for i, row in enumerate(texts)]
    (project / "recorded.csv").write_text("\n".join(rows) + "\n")
    url = board_url("uno", program=project / ".pio/build/uno/firmware.elf")
    command: list[str | Path] = [sys.executable, project / "send.py", project / "recorded.csv", "--port", url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.usefixtures("platformio_core")
def test_numbers_over_serial_get_the_answers_of_python(tmp_path: Path) -> None:
    """A network of whole recordings, whose windows overlap on the board."""
    network = gestures(window_step=WINDOW)
    expected = answers(network, recorded())
    assert len(expected) == 34
    assert len({line.split(",")[0] for line in expected}) == 3
    project = make(tmp_path, network, "serial")
    build(project, "uno", "megaatmega2560")
    assert send(project, recorded()) == expected
    lines = AnswerLines(network, smooth=1)
    read = [lines.read(line) for line in expected]
    assert [found.name for found in read if found is not None] == [
        line.split(",")[0].removeprefix("class ") for line in expected
    ]


@pytest.mark.usefixtures("platformio_core")
def test_single_readings_of_whole_numbers_and_a_class_that_is_rejected(tmp_path: Path) -> None:
    texts = [[str(value) for value in (i % 5 - 2, i // 5 % 5 - 2, i * i % 5 - 2)] for i in range(30)]
    shares = [float(share) for line in answers(gestures(3, 1, "int16"), texts) for share in line.split(",")[1:]]
    network = gestures(3, 1, "int16", rejection=sorted(shares)[-15])
    expected = answers(network, texts)
    assert "unknown" in {line.split(",")[0] for line in expected} != {"unknown"}
    project = make(tmp_path, network, "serial")
    build(project, "uno")
    assert send(project, texts) == expected


@pytest.mark.usefixtures("platformio_core")
@pytest.mark.parametrize(("sensor", "channels"), [("imu", 6), ("imu", 3), ("analog", 4)])
def test_sketches_that_answer_build_for_avr_boards(sensor: str, channels: int, tmp_path: Path) -> None:
    build(make(tmp_path, gestures(channels), sensor), "uno", "megaatmega2560")


@pytest.mark.usefixtures("platformio_core")
def test_a_sketch_that_prints_an_imu_s_readings_builds(tmp_path: Path) -> None:
    build(make(tmp_path, None, "imu"), "uno")


@pytest.mark.usefixtures("platformio_core")
def test_analog_pins_of_the_simulated_uno_are_recorded(tmp_path: Path) -> None:
    project = make(tmp_path, None, "analog", "uno", "--rate", "20")
    build(project, "uno")
    url = board_url("uno", program=project / ".pio/build/uno/firmware.elf")
    words = ["--label", "still", "--out", tmp_path / "recordings", "--seconds", "1", "--count", "1", "--rate", "20"]
    assert "3 channels" in ebnn("record", "--port", url, *words)
    _, *rows = (tmp_path / "recordings/still/still-0001.csv").read_text().splitlines()
    assert len(rows) > 10
    assert [row for row in rows if not re.fullmatch(r"\d+,\d{1,4},\d{1,4},\d{1,4}", row)] == []


def run_with_stand_ins(project: Path, folder: Path, text: str, *flags: str) -> list[str]:
    """What a project's sketch prints on this computer, with the stand-ins of a core and of a sensor's library."""
    sources = [STAND_INS / "board.cpp", project / "src/main.cpp", project / "src/sensor.cpp"]
    include = [f"-I{STAND_INS}", f"-I{project / 'include'}", f"-I{RUNTIME}", f"-I{project / 'src'}"]
    command = [require("g++"), "-std=c++11", *WARNINGS, *flags, *include, *sources, "-o", folder / "program"]
    subprocess.run(command, check=True)
    done = subprocess.run([folder / "program"], input=text, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


BOARDS = {"nano33ble": "-DIMU_LSM9DS1", "genuino101": "-DIMU_CURIE"}


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("predicts", [True, False])
def test_boards_with_an_imu_run_with_a_stand_in_of_its_library(board: str, predicts: bool, tmp_path: Path) -> None:
    """The stand-ins have what the sketch calls; the libraries themselves are not here."""
    network = gestures() if predicts else None
    project = make(tmp_path, network, "imu", board)
    flags = re.search(rf"\[env:{board}\]\n(?:.+\n)*?build_flags = (.+)", (project / "platformio.ini").read_text())
    assert flags is not None
    assert flags[1] == BOARDS[board]
    text = ",\n".join(",".join(row) for row in recorded()) + ","
    lines = run_with_stand_ins(project, tmp_path, text, flags[1])
    if network is not None:
        assert lines == ["ready", *answers(network, recorded())]
    else:
        rows = [",".join(f"{value}0" for value in row) for row in recorded()]
        assert lines == ["ax,ay,az,gx,gy,gz", *rows]


@pytest.mark.parametrize("channels", [3, 6])
def test_an_mpu6050_is_read_by_wire_alone(channels: int, tmp_path: Path) -> None:
    """The stand-in has its registers; what they hold is in g and degrees a second."""
    network = gestures(channels)
    units = np.array([8192, 8192, 8192, 16.4, 16.4, 16.4], np.float32)
    counts = np.clip(np.rint(np.array(recorded(), np.float64) * units), -(2**15), 2**15 - 1).astype(np.int16)
    temperature = np.full((len(counts), 1), 0x1234, np.int16)
    registers = np.hstack([counts[:, :3], temperature, counts[:, 3:]]).astype(">i2")
    text = "\n".join(row.tobytes().hex() for row in registers)
    project = make(tmp_path, network, "imu")
    readings = counts.astype(np.float32) / units
    assert run_with_stand_ins(project, tmp_path, text) == ["ready", *answers(network, readings[:, :channels])]


def test_libraries_are_named_for_the_boards_that_need_one(tmp_path: Path) -> None:
    text = (make(tmp_path, None, "imu") / "platformio.ini").read_text()
    assert re.findall(r"lib_deps = (.*)", text) == ["arduino-libraries/Arduino_LSM9DS1@^1.1.1"]
    assert "[env:native]" not in text
    assert "EBNN_BOARD" not in text


def test_a_sketch_is_not_flashed_as_firmware(tmp_path: Path) -> None:
    """ebnn flash would wait for an answer that never comes."""
    project = make(tmp_path, None, "analog")
    output = " ".join(ebnn("flash", "--board", "uno", "--project", project, "--port", "/dev/null", code=1).split())
    assert "has a sketch, which answers no commands: platformio run -d" in output


@pytest.mark.parametrize(
    ("network", "sensor", "error"),
    [
        (gestures(4), "imu", "takes 4 numbers a reading, an IMU gives 3 or 6"),
        (gestures(7), "analog", "takes 7 numbers a reading, uno has 6 analog inputs"),
        (gestures(raw="int16"), "imu", "takes whole numbers, --sketch imu gives g"),
        (gestures(window_step=None), "serial", "does not say how windows follow each other"),
        (None, "serial", "--sketch serial gives numbers to a network: name it with --model"),
        (gestures(sample_rate=1e6), "analog", "1e+06 readings a second cannot be taken"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_written(
    network: Network | None, sensor: str, error: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=re.escape(error)):
        plan_sketch(sensor, "uno", network)
    model: list[str | Path] = []
    if network is not None:
        network.save(tmp_path / "own.ebnn")
        model = ["--model", tmp_path / "own.ebnn"]
    output = ebnn("init", tmp_path / "mine", "--sketch", sensor, "--board", "uno", *model, code=1)
    assert error in " ".join(output.split())
    assert not (tmp_path / "mine").exists()


def test_readings_that_are_kept_count_as_ram(tmp_path: Path) -> None:
    gestures(window=100).save(tmp_path / "own.ebnn")
    words = ["--sketch", "imu", "--model", tmp_path / "own.ebnn", "--board"]
    output = " ".join(ebnn("init", tmp_path / "mine", *words, "uno", code=1).split())
    assert re.search(r"the sketch needs about 798 B of RAM beside the network, 600 .* Arduino Uno has \d+ left", output)
    assert not (tmp_path / "mine").exists()
    ebnn("init", tmp_path / "mine", *words, "megaatmega2560")


def test_a_network_of_pictures_has_no_sketch(tmp_path: Path) -> None:
    model = VECTORS / "uint8-conv.ebnn"
    output = ebnn("init", tmp_path / "mine", "--sketch", "serial", "--model", model, "--board", "uno", code=1)
    assert "takes uint8, no sensor's numbers: it has no encoder" in " ".join(output.split())
    assert not (tmp_path / "mine").exists()


def test_a_rate_is_the_network_s_or_the_user_s() -> None:
    assert plan_sketch("imu", "uno", gestures()).sketch.period_us == 20_000
    assert plan_sketch("imu", "uno", gestures(sample_rate=None), rate=40).sketch.period_us == 25_000
    assert plan_sketch("imu", "uno", None).sketch.period_us == 10_000
    assert plan_sketch("analog", "uno", gestures(3, 1, sample_rate=None)).sketch.period_us == 100_000
    with pytest.raises(InputError, match="has learned from 50 readings a second"):
        plan_sketch("imu", "uno", gestures(), rate=100)
    with pytest.raises(InputError, match="--rate has no effect here"):
        plan_sketch("serial", "uno", gestures(), rate=50)
