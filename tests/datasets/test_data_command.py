"""``ebnn data``: what was understood, and what looks wrong."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from ebnn.cli import main
from ebnn.datasets import Dataset
from ebnn.datasets.findings import look_at


def kinds(data: Dataset) -> dict[str, str]:
    return {finding.kind: finding.text for finding in look_at(data).findings}


def test_what_looks_wrong_is_found() -> None:
    random = np.random.default_rng(1)
    x = random.normal(size=(200, 5)).astype(np.float32)
    y = np.array(["common"] * 190 + ["rare"] * 6 + ["other"] * 4)
    assert kinds(Dataset.from_arrays(x, np.arange(200) % 2)) == {}
    x[:, 1] = 7
    x[:, 2] = np.minimum(x[:, 2], 1)
    x[:, 4] = x[:, 0]
    x[50] = x[51] = x[195]
    x[0, 3] = 4000
    found = kinds(Dataset.from_arrays(x, y))
    assert found["few samples"] == "class 'rare' has 6 samples only: record more of it"
    assert found["uneven"] == "class 'common' has 48 times the samples of 'other': --class-weights"
    assert found["duplicates"] == "2 of 200 samples are there more than once"
    assert found["contradictions"] == "1 samples are there with different labels"
    assert found["constant"] == "constant: channel 2; they say nothing"
    assert found["clipped"].startswith("channel 3 has its highest value, 1, 1")
    assert found["equal"] == "channel 1 and channel 5 are the same: leave one out"
    assert found["outlier"] == "channel 4 has a value far from all others, 4000"


def test_few_recordings_and_samples_of_both_parts() -> None:
    x = np.random.default_rng(1).normal(size=(40, 12, 2)).astype(np.float32)
    x[39] = x[0]
    groups = np.arange(40) // 10
    parts = ["train"] * 30 + ["test"] * 10
    data = Dataset.from_arrays(x, np.array(["a", "b", "a", "c"])[groups], groups=groups, parts=parts)
    found = kinds(data)
    assert found["few recordings"] == "class 'c' has 1 recordings only: make more of it"
    assert found["no samples"] == "class 'c' has no training sample: record more of it"
    assert found["leak"] == "1 test samples are training samples too: accuracy will look too good"


def test_the_command_shows_it_and_writes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    moments = np.arange(40)
    for label, frequency in (("slow", 0.1), ("fast", 0.5)):
        (tmp_path / "d" / label).mkdir(parents=True)
        for i in range(6):
            rows = np.stack([np.sin(moments * frequency + i), np.cos(moments * frequency + i)], axis=1)
            lines = [f"{20 * t},{a:.4f},{b:.4f}" for t, (a, b) in enumerate(rows)]
            (tmp_path / "d" / label / f"{i}.csv").write_text("\n".join(["time_ms,x (g),y (g)", *lines]))
    result = CliRunner().invoke(main, ["data", "./d", "--json", "d.json"])
    assert result.exit_code == 0, result.output
    for line in (
        "d: 12 samples of 2×1×40 (channels×height×width), 2 classes",
        "'time_ms' is the time",
        "12 recordings, a file each",
        "each sample is a recording of 40 rows (0.8 s)",
        "50 rows a second",
        "class 'slow' has 6 samples only",
        "train --data ./d",
    ):
        assert line in result.output
    found = json.loads((tmp_path / "d.json").read_text())
    assert found["classes"][0] == {"name": "fast", "train": 4, "test": 2, "recordings": 6}
    assert (found["rate"], found["window"], found["channels"][1]["unit"]) == (50, 40, "g")
    assert [finding["kind"] for finding in found["findings"]] == ["few samples", "few samples"]
    assert found["recipe"]["architecture"].endswith("-ow8")
    pictures = CliRunner().invoke(main, ["data", "digits"])
    assert pictures.exit_code == 0, pictures.output
    assert "@@" in pictures.output


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_pictures_fit_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    done = CliRunner().invoke(main, ["data", "digits"])
    assert done.exit_code == 0
    pictures = [line.rstrip() for line in done.output.splitlines() if line.startswith("╭")]
    assert max(map(len, pictures)) <= columns
    assert pictures[0].count("╭") == {40: 1, 80: 3, 120: 5}[columns]
