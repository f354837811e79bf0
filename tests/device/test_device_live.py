"""Live answers: of the network here on what a board prints, and of boards that print their own."""

from __future__ import annotations

import itertools
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.printing_board import printing_board

from ebnn.device.layouts import Layout
from ebnn.device.live import UNKNOWN, Answer, AnswerLines, LiveNetwork, Printed, probabilities, watch_port
from ebnn.device.sensor import Sample
from ebnn.errors import DeviceError, InputError, NoAnswerError
from ebnn.model.encoders import Affine
from ebnn.model.kinds import Input, Shape
from ebnn.model.layers import Block, Dense
from ebnn.model.meta import Meta
from ebnn.model.network import Network
from ebnn.model.probabilities import SURE, softmax
from ebnn.model.transforms import Scores

WINDOW, NAMES = 20, ("idle", "wave", "punch")


def make(**meta: Any) -> Network:
    """Two channels, windows of 20 samples, three classes."""
    rng = np.random.default_rng(3)
    weights = rng.choice([-1, 1], (3, 1, WINDOW, 2)).astype(np.int8)
    block = Block(Dense(weights), None, Scores([9, 7, 8], [0, 5, -3], 0.0005))
    told = {"class_names": NAMES, "channel_names": ("x", "y"), "sample_rate": 100.0, "window_step": 5, **meta}
    return Network(Input("int8", Shape(2, 1, WINDOW)), [block], Affine.of_ranges([-1, -2], [1, 2]), Meta(**told))


def values(i: int) -> tuple[str, str]:
    return f"{math.sin(i / 6):.3f}", f"{2 * math.cos(i / 17):.3f}"


def rows(first: int, last: int) -> list[str]:
    return [",".join(values(i)) + "\r\n" for i in range(first, last)]


def shares(network: Network, end: int) -> np.ndarray[Any, Any]:
    """Probabilities of the window before sample ``end``."""
    raw = np.array([[float(v) for v in values(i)] for i in range(end - WINDOW, end)], np.float32)  # (20, 2)
    return softmax(network.scores(network.encode(raw.T[None, :, None])), network.scale)[0] / SURE


def samples(first: int, last: int) -> list[Sample]:
    return [Sample(10.0 * i, values(i)) for i in range(first, last)]


LAYOUT = Layout(2, ("ch1", "ch2"), None, 100.0)


def test_windows_and_steps_are_the_networks() -> None:
    """Fed one by one, every fifth sample from the twentieth on is answered, each with its own window."""
    network = make()
    live = LiveNetwork(network, LAYOUT, smooth=1)
    answers = {i + 1: found for i in range(60) if (found := live.feed(samples(i, i + 1))) is not None}
    assert list(answers) == list(range(20, 61, 5))
    for end, answer in answers.items():
        expected = shares(network, end)
        assert answer.probabilities == tuple(expected)
        assert answer.name == NAMES[int(np.argmax(expected))]
        assert answer.probability == max(answer.probabilities or ())
    assert len({answer.name for answer in answers.values()}) > 1


def test_of_many_windows_at_once_the_last_is_answered() -> None:
    network = make()
    answer = LiveNetwork(network, LAYOUT, smooth=1).feed(samples(0, 43))
    assert answer is not None
    assert answer.probabilities == tuple(shares(network, 40))


def test_probabilities_are_averaged_over_windows_and_not_over_a_break() -> None:
    network = make()
    live = LiveNetwork(network, LAYOUT, smooth=3)
    ends = (20, 25, 30, 35)
    found = [live.feed(samples(a, b)) for a, b in itertools.pairwise((0, *ends))][-1]
    assert found is not None
    expected = np.mean([shares(network, end) for end in ends[-3:]], axis=0)
    np.testing.assert_allclose(found.probabilities, expected, rtol=1e-12)
    live.clear()
    assert live.feed(samples(50, 69)) is None
    again = live.feed(samples(69, 70))
    assert again is not None
    assert again.probabilities == tuple(shares(network, 70))


def test_what_is_not_probable_enough_is_unknown() -> None:
    best = float(shares(make(), 20).max())
    for rejection, name in ((best + 1e-6, UNKNOWN), (best - 1e-6, NAMES[int(shares(make(), 20).argmax())])):
        answer = LiveNetwork(make(rejection=rejection), LAYOUT).feed(samples(0, 20))
        assert answer is not None
        assert answer.name == name
        assert answer.probability == pytest.approx(best)


def test_channels_are_found_by_name() -> None:
    """In any order and among others; without names they must be as many."""
    network = make()
    expected = LiveNetwork(network, LAYOUT).feed(samples(0, 20))
    named = Layout(3, ("y", "light", "x"), None, 100.0)
    mixed = [Sample(0.0, (y, "7", x)) for x, y in map(values, range(20))]
    assert LiveNetwork(network, named).feed(mixed) == expected
    with pytest.raises(InputError, match=r"prints 3 numbers a sample \(a, b, c\), the network takes 2 \(x, y\)"):
        LiveNetwork(network, Layout(3, ("a", "b", "c"), None, 100.0))


def test_another_rate_is_said() -> None:
    notes = LiveNetwork(make(), Layout(2, ("x", "y"), None, 50.0)).notes
    assert notes[0].startswith("the board prints 50 samples a second, the network has learned from 100")
    assert LiveNetwork(make(), LAYOUT).notes == []


@pytest.mark.parametrize("shape", [Shape(3, 1, 1), Shape(1, 1, 3)])
def test_a_row_can_be_a_sample(shape: Shape) -> None:
    weights = np.ones((2, shape.height, shape.width, shape.channels), np.int8)
    weights[1] = -1
    network = Network(Input("int8", shape), [Block(Dense(weights), None, Scores([1, 1], [0, 0], 1.0))])
    live = LiveNetwork(network, Layout(3, ("a", "b", "c"), None, None), smooth=1)
    assert [live.feed([Sample(0.0, row)]).name for row in (("1", "2", "3"), ("-9", "2", "3"))] == [  # type: ignore[union-attr]
        "class 0",
        "class 1",
    ]


LINES = [
    ("wave", [Printed("wave", ())]),
    ("wave,0.93", [Printed("wave", (0.93,))]),
    ("wave\t93%", [Printed("wave", (93.0,))]),
    ("punch, -120, 30, 250", [Printed("punch", (-120.0, 30.0, 250.0))]),
    ("idle:0.1 wave:0.7 punch:0.2", [Printed("wave", (0.1, 0.7, 0.2))]),
    ("Predictions (DSP: 1 ms.):\nidle: 0.2\nwave: 0.1\npunch: 0.7\n", [Printed("punch", (0.2, 0.1, 0.7))]),
    ("unknown,0.4", [Printed("unknown", (0.4,))]),
    *[(text, []) for text in ("1,2", "jump,0.5", "wave,x", "wave,1,2", "wav", "wave:0.9", "", "ready")],
]


@pytest.mark.parametrize(("text", "found"), LINES, ids=[text for text, _ in LINES])
def test_lines_of_boards_that_predict(text: str, found: list[Printed]) -> None:
    lines = AnswerLines(make())
    assert [one for line in text.split("\n") if (one := lines.read(line)) is not None] == found


def test_scores_and_probabilities_of_all_classes() -> None:
    network = make()
    lines = AnswerLines(network, smooth=1)
    scores = np.array([-120, 30, 250])
    expected = probabilities(network, scores)
    assert lines.answer(Printed("punch", (-120.0, 30.0, 250.0))).probabilities == tuple(expected)
    assert lines.answer(Printed("wave", (0.1, 0.7, 0.2))) == Answer("wave", 0.7, pytest.approx((0.1, 0.7, 0.2)))  # type: ignore[arg-type]
    assert lines.answer(Printed("wave", (10.0, 70.0, 20.0))).probability == pytest.approx(0.7)
    assert lines.answer(Printed("wave", (0.93,))) == Answer("wave", 0.93, None)
    assert lines.answer(Printed("wave", ())) == Answer("wave", None, None)


def test_numbers_are_no_names() -> None:
    """A network of digits does not take a sensor's numbers for its classes."""
    lines = AnswerLines(make(class_names=("0", "1", "2")))
    assert lines.read("1,0.5") is None
    assert lines.read("class 1,0.5") == Printed("1", (0.5,))


# With boards


def test_the_network_runs_here_on_what_a_board_prints(tmp_path: Path) -> None:
    network = make()
    with printing_board(tmp_path, ["x,y\r\n", {"rows": rows(0, 500), "hz": 100}]) as port:
        told: list[str] = []
        answers = watch_port(network, port, smooth=1, begun=told.append)
        found = [answer for answer in itertools.islice(answers, 60) if answer is not None]
        answers.close()
    assert told == [f"{port} prints x, y, 100 times a second; the network runs here"]
    every = {tuple(shares(network, end)) for end in range(WINDOW, 500, 5)}
    assert len(found) > 5
    assert {answer.probabilities for answer in found} <= every


def test_a_board_that_predicts_by_itself(tmp_path: Path) -> None:
    script = ["Gestures, ready\r\n", 0.2, "wave,0.9\r\nidle,0.8\r\nidle,0.", 0.2, "7\r\npunch,0.6\r\n"]
    with printing_board(tmp_path, script) as port:
        answers = watch_port(make(), port)
        found = list(itertools.islice((answer for answer in answers if answer is not None), 4))
        answers.close()
    assert [(answer.name, answer.probability) for answer in found] == [
        ("wave", 0.9),
        ("idle", 0.8),
        ("idle", 0.7),
        ("punch", 0.6),
    ]


def test_silence_is_an_error(tmp_path: Path) -> None:
    with printing_board(tmp_path, []) as port, pytest.raises(NoAnswerError, match="sent nothing"):
        next(watch_port(make(), port, wait=0.2))


def ebnn(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "ebnn", *map(str, words)]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "gestures.ebnn"
    make().save(path)
    return path


def test_the_command_writes_a_line_for_each_answer(tmp_path: Path, model: Path) -> None:
    script = ["\n", {"rows": [f"{name},0.75\r\n" for name in ("wave", "wave", "idle")], "hz": 20}]
    with printing_board(tmp_path, script) as port:
        command = ebnn("live", model, "--port", port, "--count", "3", "--json", tmp_path / "live.json")
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.splitlines() == [
        f"{port} predicts by itself",
        "wave  75.0 %",
        "wave  75.0 %",
        "idle  75.0 %",
        "3 answers: wave 2, idle 1",
    ]
    assert json.loads((tmp_path / "live.json").read_text())["answers"] == {"wave": 2, "idle": 1}


def test_bars_on_a_terminal(tmp_path: Path, model: Path) -> None:
    """80 columns, a bar for each class, q is the end."""
    master, slave = os.openpty()
    with printing_board(tmp_path, ["\n", {"rows": rows(0, 3000), "hz": 100}]) as port:
        terminal = {**os.environ, "COLUMNS": "80", "LINES": "24", "TERM": "xterm-256color"}
        command = ebnn("live", model.name, "--port", Path(port).name)
        running = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=terminal, cwd=tmp_path)
        os.close(slave)
        shown = b""
        while shown.count(b"q is the end") < 4:
            shown += os.read(master, 10_000)
        os.write(master, b"q")
        while b"answers: " not in shown:
            shown += os.read(master, 10_000)
        assert running.wait(120) == 0
    os.close(master)
    plain = [part for part in re.split(r"\x1b\[[0-9;?]*[a-zA-Z]|[\r\n]+", shown.decode()) if part]
    assert max(map(len, plain)) <= 80
    for name in NAMES:
        assert any(re.fullmatch(rf"[> ] {name} +\d+\.\d % █*", line) for line in plain)


def test_a_board_with_the_firmware_is_told_apart(model: Path) -> None:
    """It is silent until it is asked."""
    with pytest.raises(DeviceError, match=r"sim://host runs ebnn's firmware with network .* prints nothing: ebnn run"):
        next(watch_port(make(), "sim://host", wait=0.3))
