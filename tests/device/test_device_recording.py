"""Recording from simulated boards that print as real ones do: nothing that was whole is lost, nothing torn is kept."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.printing_board import printing_board

from ebnn.datasets.own import load_recordings
from ebnn.datasets.recordings import Recordings
from ebnn.device.motion import MotionMeter
from ebnn.device.recording import Plan, Recorder, Recording, record_port
from ebnn.device.recording_files import NOTES, Facts, RecordingFolder
from ebnn.device.sensor import Break, Sample, SensorPort
from ebnn.errors import DeviceError, InputError, NoAnswerError, PortError, WriteError

HEADER = "aX,aY,aZ,gX,gY,gZ\r\n"


def values(i: int) -> list[str]:
    return [f"{math.sin(i / 7):.3f}", f"{math.cos(i / 5):.3f}", str(i)]


def lines(first: int, last: int) -> list[str]:
    return [",".join(values(i)) + "\r\n" for i in range(first, last)]


def six(i: int) -> str:
    return ",".join(f"{math.sin(i / 9 + k):.3f}" for k in range(6)) + "\r\n"


class Until:
    """A watch that stops like Ctrl-C after so many samples."""

    def __init__(self, samples: int) -> None:
        self.left = samples

    def sample(self, *told: Any) -> None:
        self.left -= 1

    def state(self, *told: Any) -> None:
        if self.left <= 0:
            raise KeyboardInterrupt

    def recorded(self, *told: Any) -> None: ...

    def pressed(self) -> bool:
        return False


def record(
    folder: Path, script: list[Any], plan: Plan | None = None, *, until: int = 10**9, **settings: Any
) -> list[Recording]:
    with printing_board(folder, script) as port:
        files = RecordingFolder(folder / "data", "wave")
        try:
            with SensorPort(port, **settings) as board:
                return record_port(board, files, plan or Plan(), watch=Until(until))
        finally:
            files.close()


def table(path: Path) -> tuple[list[str], list[float], list[list[str]]]:
    """Header, times and values of a file."""
    header, *rows = [line.split(",") for line in path.read_text().splitlines()]
    return header, [float(row[0]) for row in rows], [row[1:] for row in rows]


def test_every_whole_line_and_nothing_else(tmp_path: Path) -> None:
    """Garbage first, half a line, lines that lost bytes; what is lost leaves a hole in time, not a wrong value."""
    rows = lines(0, 400)
    torn = {57: rows[57][:4] + rows[57][9:], 101: rows[101].replace(",", "."), 250: "\x1b\x00,,\r\n", 251: "1,2\r\n"}
    sent = [torn.get(i, row) for i, row in enumerate(rows)]
    script = [{"bytes": "00ff8013fe"}, "23,0.9,7\r\n", {"rows": sent, "hz": 200}]
    [recording] = record(tmp_path, script, until=396)
    header, times, found = table(recording.path)
    assert header == ["time_ms", "ch1", "ch2", "ch3"]
    kept = [i for i in range(400) if i not in torn]
    assert found == [values(i) for i in kept]
    [notes] = map(json.loads, (tmp_path / "data" / NOTES).read_text().splitlines())
    assert notes["file"] == "wave/wave-0001.csv"
    assert (notes["label"], notes["channels"], notes["baud"]) == ("wave", ["ch1", "ch2", "ch3"], 115200)
    assert times == [pytest.approx(1000 * i / notes["rate"], abs=0.001) for i in kept]
    assert 180 <= notes["rate"] <= 220


def test_captures_parted_by_blank_lines(tmp_path: Path) -> None:
    """As Arduino's IMU capture sketch: a header once, silence until something moves, a blank line behind a capture."""
    capture = {"rows": [six(i) for i in range(30)], "hz": 119}
    script = [HEADER, 0.4, capture, "\r\n", 0.8, capture, "\r\n", 0.3, capture, "\r\n"]
    recordings = record(tmp_path, script, Plan(count=3))
    assert [one.path.name for one in recordings] == ["wave-0001.csv", "wave-0002.csv", "wave-0003.csv"]
    for one in recordings:
        header, times, found = table(one.path)
        assert header == ["time_ms", *HEADER.strip().split(",")]
        assert found == [six(i).strip().split(",") for i in range(30)]
        assert times[0] == 0


@pytest.mark.parametrize(
    ("form", "header"),
    [
        ("ax:{0}\tay:{1}\tn:{2}\r\n", ["time_ms", "ax", "ay", "n"]),
        ("{0}\t{1}\t{2}\n", ["time_ms", "ch1", "ch2", "ch3"]),
        ("{0} {1} {2} \n", ["time_ms", "ch1", "ch2", "ch3"]),
        ("{0}, {1}, {2}\r\n\r\n", ["time_ms", "ch1", "ch2", "ch3"]),
        ("{0};{1};{2}\r", ["time_ms", "ch1", "ch2", "ch3"]),
    ],
)
def test_what_sketches_print(tmp_path: Path, form: str, header: list[str]) -> None:
    rows = [form.format(*values(i)) for i in range(100)]
    [recording] = record(tmp_path, ["\n", {"rows": rows, "hz": 100}], until=99)
    found = table(recording.path)
    assert (found[0], found[2][:99]) == (header, [values(i) for i in range(99)])


def test_the_boards_own_clock_is_taken(tmp_path: Path) -> None:
    """millis() in front of the numbers: its column becomes the time, whether a header names it or not."""
    for name, first in (("named", "millis,x,y,n\n"), ("unnamed", "\n")):
        rows = [f"{5000 + 20 * i}," + row for i, row in enumerate(lines(0, 120))]
        (tmp_path / name).mkdir()
        [recording] = record(tmp_path / name, [first, {"rows": rows, "hz": 50}], until=120)
        _, times, found = table(recording.path)
        assert times == [20.0 * i for i in range(120)]
        assert found == [values(i) for i in range(120)]


def test_a_clock_that_lost_a_byte_parts_nothing(tmp_path: Path) -> None:
    """The line is left out, also among those from which the layout is found; a clock that begins anew is a reset."""
    rows = [f"{1_005_000 + 20 * i}," + row for i, row in enumerate(lines(0, 160))]
    for i, torn in ((3, 1_0050), (40, 100_580), (41, 9), (120, 91_007_400)):
        rows[i] = f"{torn}," + lines(i, i + 1)[0]
    rows += [f"{20 * i}," + row for i, row in enumerate(lines(500, 560))]
    recordings = record(tmp_path, ["\n", {"rows": rows, "hz": 50}], until=216)
    kept = [i for i in range(160) if i not in (3, 40, 41, 120)]
    assert [table(one.path)[1:] for one in recordings] == [
        ([20.0 * i for i in kept], [values(i) for i in kept]),
        ([20.0 * i for i in range(60)], [values(i) for i in range(500, 560)]),
    ]


def test_a_reset_parts_recordings(tmp_path: Path) -> None:
    """What is before and after it never stands in one recording."""
    script = ["a,b,c\r\n", {"rows": lines(0, 200), "hz": 100}, "0.1,0.", 1.2, {"bytes": "ff00"}, "\r\na,b,c\r\n"]
    recordings = record(tmp_path, [*script, {"rows": lines(500, 560), "hz": 100}], until=260)
    assert [table(one.path)[2] for one in recordings] == [
        [values(i) for i in range(200)],
        [values(i) for i in range(500, 560)],
    ]


def test_silence_parts_recordings(tmp_path: Path) -> None:
    script = ["\n", {"rows": lines(0, 200), "hz": 100}, 1.5, {"rows": lines(500, 560), "hz": 100}]
    recordings = record(tmp_path, script, until=260)
    assert [one.samples for one in recordings] == [200, 60]


def test_lines_that_are_only_late_part_nothing(tmp_path: Path) -> None:
    """Held up for longer than a reset takes, on their way, they then come at once."""
    script = [
        "\n",
        {"rows": lines(0, 200), "hz": 100},
        1.0,
        "".join(lines(200, 300)),
        {"rows": lines(300, 330), "hz": 100},
    ]
    [recording] = record(tmp_path, script, until=330)
    assert table(recording.path)[2] == [values(i) for i in range(330)]


def test_a_board_that_leaves_its_port_and_comes_back(tmp_path: Path) -> None:
    """As one with its own USB does at a reset."""
    script = ["\n", {"rows": lines(0, 200), "hz": 100}, 0.2, {"leave": 0.5}, 0.3, {"rows": lines(500, 560), "hz": 100}]
    recordings = record(tmp_path, script, until=260)
    assert [table(one.path)[2] for one in recordings] == [
        [values(i) for i in range(200)],
        [values(i) for i in range(500, 560)],
    ]


def test_the_speed_is_found(tmp_path: Path) -> None:
    """A board at 57,600 bits per second sends garbage to a port at another speed."""
    script = [{"baud": 57600}, {"rows": lines(0, 1000), "hz": 100}]
    [recording] = record(tmp_path, script, Plan(seconds=1.0, count=1), rate=100.0)
    found = table(recording.path)[2]
    first = int(found[0][2])
    assert found == [values(i) for i in range(first, first + 100)]
    assert json.loads((tmp_path / "data" / NOTES).read_text())["baud"] == 57600


def test_lengths_and_numbers_go_on(tmp_path: Path) -> None:
    """Recordings of a length follow each other without a hole; the files' numbers go on in the next run."""
    script = ["\n", {"rows": lines(0, 400), "hz": 200}]
    for run in (0, 1):
        plan = Plan(seconds=0.25, count=3)
        recordings = record(tmp_path, script, plan, rate=200.0)
        assert [one.path.name for one in recordings] == [f"wave-{3 * run + i:04d}.csv" for i in (1, 2, 3)]
        assert [row for one in recordings for row in table(one.path)[2]] == [values(i) for i in range(150)]


def test_motion_begins_a_recording(tmp_path: Path) -> None:
    """Rest, a gesture of 60 samples, rest: the recording holds the gesture and a little before and after."""

    def at(i: int) -> str:
        moving = 300 <= i < 360
        x = 3 * math.sin(i) if moving else 0.01 * ((i * 7919) % 11 - 5)
        return f"{x:.3f},{1 + x / 3:.3f},{i}\r\n".replace(f",{i}\r", f",{i % 2}\r")

    rows = [at(i) for i in range(500)]
    [recording] = record(tmp_path, ["\n", {"rows": rows, "hz": 400}], Plan("motion", count=1), rate=100.0)
    found = table(recording.path)[2]
    text = [",".join(row) + "\r\n" for row in found]
    begin = next(i for i in range(500) if rows[i : i + len(text)] == text)
    assert 270 <= begin <= 300
    assert 360 <= begin + len(text) <= 430


def test_motion_of_a_fixed_length_begins_once(tmp_path: Path) -> None:
    rows = [f"{3 * math.sin(i) if 300 <= i < 390 else 0.01 * (i % 3):.3f},1\r\n" for i in range(500)]
    recordings = record(tmp_path, ["\n", {"rows": rows, "hz": 400}], Plan("motion", 0.4), until=500, rate=100.0)
    assert [one.samples for one in recordings] == [40]


def test_rest_is_known_of_quiet_channels() -> None:
    """A channel that never changed does not make every change motion for ever, nor hide it."""
    meter = MotionMeter(100.0)
    at_rest = [meter.feed((1.0 + 0.001 * (i % 2), 0.0)) for i in range(200)]
    assert max(value for value in at_rest[60:] if value is not None) < 3
    moving = [meter.feed((1.0 + i % 2, 5.0 * (i % 3))) for i in range(30)]
    assert moving[-1] is not None
    assert moving[-1] > 100


def test_half_a_line_is_not_completed_by_the_one_after_a_reset(tmp_path: Path) -> None:
    """Two halves with as many numbers as a line has are no line."""
    script = ["\n", {"rows": lines(0, 200), "hz": 100}, "0.", 1.2, "7,0.5,9\r\n", {"rows": lines(500, 560), "hz": 100}]
    recordings = record(tmp_path, script, until=260)
    assert [table(one.path)[2] for one in recordings] == [
        [values(i) for i in range(200)],
        [values(i) for i in range(500, 560)],
    ]


def test_a_line_that_is_printed_piece_by_piece_is_whole(tmp_path: Path) -> None:
    """Where a sketch waits for a slow sensor between two numbers of a line."""
    script: list[Any] = ["\n"]
    for i in range(5):
        script += [f"{i},", 0.6, f"{i + 0.5}\n"]
    [recording] = record(tmp_path, script, until=5)
    assert table(recording.path)[2] == [[str(i), str(i + 0.5)] for i in range(5)]


def test_a_socket(tmp_path: Path) -> None:
    """As of a board behind a network, or a serial port that another program shares."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                time.sleep(0.3)  # what comes while the port is opened is thrown away
                connection.sendall(b"\n")
                for row in lines(0, 300):
                    connection.sendall(row.encode())
                    time.sleep(0.005)
                connection.recv(1)

        threading.Thread(target=serve, daemon=True).start()
        files = RecordingFolder(tmp_path / "data", "wave")
        with SensorPort(f"socket://127.0.0.1:{server.getsockname()[1]}") as board:
            [recording] = record_port(board, files, Plan(), watch=Until(300))
        files.close()
    assert table(recording.path)[2] == [values(i) for i in range(300)]


# Plans


class Script:
    """A recorder that is fed samples without a board; what it has recorded."""

    def __init__(self, folder: Path, plan: Plan, rate: float | None = 10.0) -> None:
        self.next = 0
        self.files = RecordingFolder(folder / "data", "wave")
        self.recorder = Recorder(plan, self.files, Facts("wave", ("x",), rate, "port", 9600, ""))

    def feed(self, count: int) -> None:
        numbers = range(self.next, self.next + count)
        self.next += count
        self.recorder.feed([Sample(100.0 * i, (str(i),)) for i in numbers])

    def recorded(self) -> list[tuple[list[int], bool]]:
        return [([int(row[0]) for row in table(one.path)[2]], one.whole) for one in self.recorder.finished]


def test_a_key_begins_a_length(tmp_path: Path) -> None:
    script = Script(tmp_path, Plan("key", seconds=0.5, count=2))
    script.feed(3)
    for _ in range(2):
        assert not script.recorder.done
        script.recorder.press()
        script.feed(8)
    assert script.recorder.done
    assert script.recorded() == [([3, 4, 5, 6, 7], True), ([11, 12, 13, 14, 15], True)]


def test_a_key_ends_what_it_began(tmp_path: Path) -> None:
    script = Script(tmp_path, Plan("key"))
    for _ in range(2):
        script.recorder.press()
        script.feed(3)
    script.recorder.press()
    script.recorder.press()
    assert script.recorded() == [([0, 1, 2], True)]
    assert not script.recorder.armed


def test_what_a_reset_cut_off_is_kept_and_not_counted(tmp_path: Path) -> None:
    script = Script(tmp_path, Plan("now", seconds=0.5, count=1))
    script.feed(3)
    script.recorder.feed([Break("nothing for 2 s")])
    script.feed(9)
    assert script.recorded() == [([0, 1, 2], False), ([3, 4, 5, 6, 7], True)]


def test_the_end_of_all_keeps_what_there_is(tmp_path: Path) -> None:
    script = Script(tmp_path, Plan("now", seconds=0.5))
    script.feed(7)
    script.recorder.finish("Ctrl-C")
    assert script.recorded() == [([0, 1, 2, 3, 4], True), ([5, 6], False)]


def test_the_date_is_that_of_the_first_sample_though_many_came_at_once(tmp_path: Path) -> None:
    """What a board printed before its port was opened comes in one read; a break ends what is known of its time."""
    script = Script(tmp_path, Plan("now"))
    before = datetime.now().astimezone()
    samples = [Sample(100.0 * i, (str(i),)) for i in range(51)]
    script.recorder.feed([*samples[:21], Break("a blank line"), *samples[:51], Break("a blank line")])
    after = datetime.now().astimezone()
    notes = [json.loads(line) for line in (tmp_path / "data" / NOTES).read_text().splitlines()]
    for note, seconds in zip(notes, (2, 5), strict=True):
        date = datetime.fromisoformat(note["date"]) + timedelta(seconds=seconds)
        assert before - timedelta(milliseconds=1) <= date <= after


# Errors


def test_what_came_before_the_layout_is_known_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a board that is gone after a few lines."""
    monkeypatch.setattr("ebnn.device.sensor._REOPEN_SECONDS", 0.3)
    with pytest.raises(PortError, match="is gone"):
        record(tmp_path, ["\n", {"rows": lines(0, 30), "hz": 100}, 0.1, {"leave": 60}])
    assert table(tmp_path / "data/wave/wave-0001.csv")[2] == [values(i) for i in range(30)]


def test_silence_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NoAnswerError, match="sent nothing for 0 s"):
        record(tmp_path, [], wait=0.3)
    assert list(tmp_path.glob("data")) == []


def test_text_without_numbers_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NoAnswerError, match=r"no line of numbers, but 'Hello world'"):
        record(tmp_path, [{"rows": ["Hello world\r\n"] * 50, "hz": 100}], wait=0.6)


def test_other_lines_than_before_are_an_error_and_lose_nothing(tmp_path: Path) -> None:
    script = ["\n", {"rows": lines(0, 200), "hz": 100}, {"rows": ["1,2\n"] * 300, "hz": 1000}]
    with pytest.raises(DeviceError, match="prints lines of 2 numbers now, not of 3"):
        record(tmp_path, script)
    assert table(tmp_path / "data/wave/wave-0001.csv")[2] == [values(i) for i in range(200)]


def test_a_board_that_is_gone_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ebnn.device.sensor._REOPEN_SECONDS", 0.3)
    with pytest.raises(PortError, match=r"is gone: .*Is the board still plugged in"):
        record(tmp_path, ["\n", {"rows": lines(0, 200), "hz": 100}, 0.2, {"leave": 60}])
    assert table(tmp_path / "data/wave/wave-0001.csv")[2] == [values(i) for i in range(200)]


def test_a_plan_that_needs_a_rate(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="give --rate"):
        record(tmp_path, ["\n", 0.2, "1,2\n"], Plan(seconds=1.0))


@pytest.mark.parametrize("label", ["", " wave", "a/b", "..", ".hidden", "a\x1b[2J", "x" * 200, "-x", "a:b"])
def test_labels_that_are_no_folder(tmp_path: Path, label: str) -> None:
    with pytest.raises(InputError, match="label"):
        RecordingFolder(tmp_path / "data", label)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("label", ["wave", "up and down", "Händeklatschen", "👋", "0", "a'b"])
def test_labels_of_any_text(tmp_path: Path, label: str) -> None:
    script = ["\n", {"rows": lines(0, 60), "hz": 200}]
    with printing_board(tmp_path, script) as port, SensorPort(port) as board:
        files = RecordingFolder(tmp_path / "data", label)
        [recording] = record_port(board, files, Plan(), watch=Until(60))
        files.close()
    assert recording.path == tmp_path / "data" / label / f"{label}-0001.csv"
    assert json.loads((tmp_path / "data" / NOTES).read_text())["label"] == label


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(WriteError, match="data cannot be written"):
        RecordingFolder(tmp_path / "data", "wave")


def test_folders_that_were_there_stay(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    RecordingFolder(tmp_path / "empty", "wave").close()
    RecordingFolder(tmp_path / "new" / "data", "wave").close()
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]
    assert list((tmp_path / "empty").iterdir()) == []


# The command


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system of its own, of 100 KB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def ebnn(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "ebnn", *map(str, words)]


def test_a_full_disk_loses_nothing_that_came(tmp_path: Path, small_disk: Path) -> None:
    """Room is kept free for what has come when the disk is full; the error says how much is there."""
    padding = "0" * 100
    rows = [f"{i},1.{padding}\r\n" for i in range(2000)]
    with printing_board(tmp_path, ["\n", {"rows": rows, "hz": 250}]) as port:
        command = ebnn("record", "--port", port, "--label", "wave", "--out", small_disk / "data", "--start", "now")
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    path = small_disk / "data/wave/wave-0001.csv"
    found = table(path)[2]
    assert found == [[str(i), f"1.{padding}"] for i in range(len(found))]
    assert path.read_bytes().endswith(b"\n")
    assert f"No space left on device. {len(found):,} samples are in it; make room and go on" in done.stderr
    assert "did not find room" not in done.stderr
    assert path.stat().st_size > 28_000  # beyond what there was without the room kept free
    assert json.loads((small_disk / "data" / NOTES).read_text())["file"] == "wave/wave-0001.csv"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_signals_keep_all_that_came(tmp_path: Path, number: int, code: int) -> None:
    with printing_board(tmp_path, ["\n", {"rows": lines(0, 3000), "hz": 100}]) as port:
        command = ebnn("record", "--port", port, "--label", "wave", "--out", tmp_path / "data", "--start", "now")
        command += ["--json", str(tmp_path / "record.json")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
            path = tmp_path / "data/wave/wave-0001.csv"
            end = time.monotonic() + 120
            while not (path.exists() and path.read_text().count("\n") > 200):
                assert time.monotonic() < end
                time.sleep(0.02)
            running.send_signal(number)
            output, errors = running.communicate(timeout=120)
    assert (running.returncode, errors) == (code, "")
    found = table(path)[2]
    assert path.read_bytes().endswith(b"\n")
    assert found == [values(i) for i in range(len(found))]
    if number == signal.SIGINT:
        assert f"{path}: {len(found)} samples" in output
        assert "\x1b" not in output
        assert "ebnn train --data" in output
        told = json.loads((tmp_path / "record.json").read_text())
        assert (told["channels"], told["baud"]) == (["ch1", "ch2", "ch3"], 115200)
        assert [one["samples"] for one in told["recordings"]] == [len(found)]


def test_keys_and_curves_on_a_terminal(tmp_path: Path) -> None:
    """80 columns: curves that fit, space begins and ends a recording, q is the end; the terminal is as before."""
    master, slave = os.openpty()
    with printing_board(tmp_path, ["\n", {"rows": lines(0, 5000), "hz": 100}]) as port:
        command = ebnn("record", "--port", Path(port).name, "--label", "wave")
        terminal = {**os.environ, "COLUMNS": "80", "LINES": "24", "TERM": "xterm-256color"}
        running = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=terminal, cwd=tmp_path)
        os.close(slave)
        shown = b""

        def read_until(text: bytes) -> None:
            nonlocal shown
            end = time.monotonic() + 120
            begin = len(shown)
            while text not in shown[begin:]:
                assert time.monotonic() < end, shown[-2000:]
                shown += os.read(master, 10_000)

        read_until(b"space begins it")
        os.write(master, b" ")
        read_until(b"space ends it")
        begin = time.monotonic()
        [path] = (tmp_path / "recordings/wave").iterdir()
        while path.read_text().count("\n") < 40:
            assert time.monotonic() < begin + 120
            shown += os.read(master, 10_000)
        os.write(master, b" ")
        read_until(b"next: wave 2")
        os.write(master, b"q")
        read_until(b"ebnn train --data")
        assert running.wait(120) == 0
    os.close(master)
    text = shown.decode()
    found = table(path)[2]
    assert len(found) >= 30
    first = int(found[0][2])
    assert found == [values(i) for i in range(first, first + len(found))]
    assert "█" in text
    plain = [part for part in re.split(r"\x1b\[[0-9;?]*[a-zA-Z]|[\r\n]+", text) if part]
    assert max(map(len, plain)) <= 80


def test_recordings_are_read_as_data(tmp_path: Path) -> None:
    """Each file is one recording of its folder's class, with the board's channels and rate."""
    for label, first in (("wave", 0), ("up and down", 100)):
        rows = [f"{7000 + 20 * i},{row}" for i, row in enumerate(lines(first, first + 160))]
        script = ["ms,ax,ay,az\n", {"rows": rows[:80], "hz": 100}, "\n", {"rows": rows[80:], "hz": 100}, "\n"]
        with printing_board(tmp_path, script) as port, SensorPort(port) as board:
            files = RecordingFolder(tmp_path / "data", label)
            record_port(board, files, Plan(count=2))
            files.close()
    found = load_recordings(tmp_path / "data")
    assert isinstance(found, Recordings)
    assert (found.channels, found.rate) == (("ax", "ay", "az"), 50.0)
    assert [(item.label, item.values[:, 2].tolist()) for item in found.items] == [
        ("up and down", list(range(100, 180))),
        ("up and down", list(range(180, 260))),
        ("wave", list(range(80))),
        ("wave", list(range(80, 160))),
    ]
