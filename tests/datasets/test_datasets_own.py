"""A user's own data set: a NumPy archive or a Python file, by its path or by name in EBNN_DATA's folder."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from ebnn import datasets
from ebnn.cli import main
from ebnn.datasets import Reading
from ebnn.datasets.formats import format_names
from ebnn.errors import DatasetError, UnknownNameError

PYTHON = """
import numpy as np
from ebnn.datasets import Dataset


def load():
    images = np.arange(16 * 64, dtype=np.uint8).reshape(16, 1, 8, 8)
    labels = np.arange(16, dtype=np.int32) % 2
    return Dataset("mine", images[:12], labels[:12], images[12:], labels[12:], "uint8", ("off", "on"))
"""


def save(path, **arrays):
    np.savez_compressed(path, **arrays)
    return path


def images(count, *shape):
    return np.random.default_rng(0).integers(0, 256, (count, *shape), np.uint8)


def test_an_archive_of_images_and_labels_is_split(tmp_path):
    x, y = images(40, 8, 8), np.arange(40) % 4
    path = save(tmp_path / "leaves.npz", images=x, labels=y, class_names=["ash", "elm", "fir", "oak"])
    data = datasets.load(path.as_posix())
    assert (data.name, data.shape, data.kind, data.class_names[3]) == ("leaves", (1, 8, 8), "uint8", "oak")
    assert np.bincount(data.test_labels).tolist() == [3, 2, 3, 2]
    both = np.concatenate([data.train_images, data.test_images])[:, 0]
    assert sorted(map(bytes, both)) == sorted(map(bytes, x))
    info = datasets.info(str(path))
    assert (info.shape, info.classes, info.train, info.test) == ((1, 8, 8), 4, 30, 10)


def test_an_archive_in_two_parts_keeps_them(tmp_path):
    x, y = images(6, 3, 4, 5), np.array([0, 1, 0, 1, 2, 2], np.uint8)
    for names in (("train_images", "train_labels", "test_images", "test_labels"), ("x_train", "y_train", "x_test")):
        names = (*names, "y_test")[:4]
        path = save(tmp_path / f"{names[0]}.npz", **dict(zip(names, (x[:4], y[:4, None], x[4:], y[4:]), strict=True)))
        data = datasets.load(str(path))
        np.testing.assert_array_equal(data.train_images, x[:4])
        np.testing.assert_array_equal(data.test_labels, [2, 2])
        assert (data.train_labels.tolist(), data.classes) == ([0, 1, 0, 1], 3)
    path = save(tmp_path / "bits.npz", images=x % 2, labels=[0, 1, 0, 1, 0, 1])
    assert datasets.load(str(path)).kind == "bits"


def test_a_python_file_and_names_in_the_folder(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(PYTHON)
    data = datasets.load(str(tmp_path / "mine.py"))
    assert (data.name, data.classes, len(data.test_labels)) == ("mine", 2, 4)
    with pytest.raises(UnknownNameError, match="no data set is called 'mine'"):
        datasets.load("mine")
    monkeypatch.setenv("EBNN_DATA", str(tmp_path))
    assert datasets.load("mine") is data
    with pytest.raises(UnknownNameError, match="'mime', did you mean mine"):
        datasets.load("mime")


@pytest.mark.chainer
def test_commands_train_and_run_on_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "dots.npz", images=images(24, 6, 6), labels=np.arange(24) % 3)
    command = ["train", "--dataset", "dots.npz", "--architecture", "d8", "--epochs", "1", "-o", "dots.ebnn"]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "runs" / "dots" / "log.jsonl").is_file()
    result = CliRunner().invoke(main, ["train", "--dataset", "dots.npz", "--folder", ".", "--epochs", "1"])
    assert "--folder has no effect here" in result.output
    result = CliRunner().invoke(main, ["run", "dots.ebnn", "--dataset", "dotz"])
    assert (result.exit_code, result.output[:38]) == (1, "Error: no data set is called 'dotz'; t")


WRONG = {
    "nothing": ({}, r"needs the arrays images and labels, or train_images, .*; it has unused$"),
    "other names": (
        {"foo": images(4, 2, 2), "bar": [0, 1, 0, 1]},
        r"or x and y, x_train and y_train …; it has bar, foo, unused$",
    ),
    "nan": ({"images": np.full((4, 2, 2), np.nan), "labels": [0, 1, 0, 1]}, "holds a value that is not finite"),
    "one number": ({"images": images(4), "labels": [0, 1, 0, 1]}, r"samples are uint8 of shape \(4,\): give"),
    "labels": ({"images": images(4, 2, 2), "labels": [0.5, 1, 0, 1]}, "labels hold 0.5: give whole numbers or names"),
    "not one-hot": ({"images": images(2, 2, 2), "labels": [[1, 1], [0, 1]]}, "are not one-hot: give a single 1"),
    "few": ({"images": images(4, 2, 2), "labels": [0, 1]}, "there are 4 samples and 2 labels"),
    "range": ({"images": images(4, 2, 2), "labels": [0, 1, 0, 300]}, "labels run from 0 to 300: .*, leave others out$"),
    "from 300": ({"images": images(4, 2, 2), "labels": [300, 301, 300, 302]}, ", subtract 300 from all$"),
    "negative": ({"images": images(4, 2, 2), "labels": [0, -1, 0, 1]}, "labels run from -1 to 1: .*, add 1 to all$"),
    "none": ({"images": images(0, 2, 2), "labels": np.zeros(0, int)}, "there are 0 training"),
    "names": ({"images": images(8, 2, 2), "labels": [0, 1] * 4, "class_names": ["a"]}, "class_names has 1 names"),
    "objects": ({"images": np.array([{}, 1]), "labels": [0, 1]}, r"'images' has .* with .astype\('float32'\)$"),
    "objects by a short name": ({"x_train": np.array([{}, 1]), "y": [0, 1]}, r"'x_train' has .*\('float32'\)$"),
    "labels as pandas gives them": (
        {"x": images(2, 2, 2), "y": np.array(["left", "right"], object)},
        r"the array 'y' has Python objects in it, as pandas gives: save it with .astype\(str\)$",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_archive_is_one_line(case, tmp_path):
    arrays, message = WRONG[case]
    path = save(tmp_path / "x.npz", unused=1, **arrays)
    with pytest.raises(DatasetError, match=message) as caught:
        datasets.load(str(path))
    assert str(path) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


PROGRAMS = {
    "": r"has no function load\(\)",
    "def load(": "fails on line 1: SyntaxError",
    "\n\nraise OSError('no\\nmore')": "fails on line 3: OSError: no more",
    "def load():\n    return 1 / 0": "fails on line 2: ZeroDivisionError",
    "def load():\n    return {}": r"load\(\) returns dict, it must return an",
}


@pytest.mark.parametrize("text", PROGRAMS)
def test_a_wrong_program_is_one_line(text, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(DatasetError, match=PROGRAMS[text]) as caught:
        datasets.load(str(path))
    assert len(str(caught.value).splitlines()) == 1


def test_files_that_are_none(tmp_path):
    assert "npz" in format_names()
    (tmp_path / "text.npz").write_text("a,b,c")
    (tmp_path / "cut.npz").write_bytes(save(tmp_path / "x.npz", images=images(9, 9, 9)).read_bytes()[:200])
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", bytes(100_000))
    sizes = bomb.getvalue().replace((100_000).to_bytes(4, "little"), (0xFFFF_FFF0).to_bytes(4, "little"))
    (tmp_path / "bomb.npz").write_bytes(sizes)
    os.mkfifo(tmp_path / "pipe.npz")
    for name in ("text.npz", "cut.npz", "bomb.npz", "pipe.npz", "gone.npz", ".", "x\0y.npz"):
        with pytest.raises(DatasetError) as caught:
            datasets.load(str(tmp_path / name))
        assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("ending", ["csv", "npz"])
def test_classes_of_samples_are_taken_for_unknown(ending, tmp_path):
    labels = np.arange(60) % 4
    samples = np.stack([labels * 3.0 + np.arange(60) % 7 / 9, np.arange(60) % 5], axis=1)
    path = tmp_path / f"x.{ending}"
    if ending == "npz":
        np.savez(path, samples=samples, labels=labels)
    else:
        lines = [f"{a},{b},{label}" for (a, b), label in zip(samples, labels, strict=True)]
        path.write_text("\n".join(["a,b,label", *lines]) + "\n")
    plain = datasets.load(str(path))
    found = datasets.load(str(path), reading=Reading(unknown=("1", "3")))
    assert found.class_names == ("0", "2", "unknown")
    assert np.array_equal(found.labels, np.array([0, 2, 1, 2])[plain.labels])
    assert np.array_equal(found.train_images, plain.train_images)
    with pytest.raises(DatasetError, match="there is no class 'foo', of 0, 1, 2, 3"):
        datasets.load(str(path), reading=Reading(unknown=("foo",)))
    with pytest.raises(DatasetError, match="every class is unknown"):
        datasets.load(str(path), reading=Reading(unknown=("0", "1", "2", "3")))


def test_a_name_that_is_none_says_what_is_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EBNN_DATA", raising=False)

    def said():
        with pytest.raises(UnknownNameError) as caught:
            datasets.load("fruit")
        return str(caught.value)

    assert said().endswith("; no file or folder of that name is here")
    Path("fruit.csv").write_text("a")
    assert said().endswith("; for the file here give fruit.csv")
    Path("fruit").write_text("a")
    assert said().endswith("; for the file of that name give ./fruit")


def test_a_command_without_data_says_that_ones_own_will_do():
    done = CliRunner().invoke(main, ["run", "mnist-tiny"])
    assert done.exit_code == 2
    assert "cifar10, or a file or folder of your own." in done.output
    assert "Choose from" not in done.output
