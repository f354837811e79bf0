"""Data that are broken: each is one clear line that names the file; nothing is written, nothing is waited for."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from ebnn.cli import main

ROWS = "".join(f"{i % 7}.5,{i % 5}.25,{'ab'[i % 2]}\n" for i in range(20))


def text(content: str | bytes, name: str = "x.csv") -> Callable[[Path], str]:
    def make(folder: Path) -> str:
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return name

    return make


def folder(files: dict[str, str | bytes]) -> Callable[[Path], str]:
    def make(parent: Path) -> str:
        for name, content in files.items():
            path = parent / "d" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        (parent / "d").mkdir(exist_ok=True)
        return "./d"

    return make


def packed(files: dict[str, str | bytes], name: str = "x.zip") -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for inside, content in files.items():
            archive.writestr(inside, content)
    return data.getvalue()


def no_permission(parent: Path) -> str:
    (parent / "x.csv").write_text(ROWS)
    (parent / "x.csv").chmod(0)
    return "x.csv"


def no_permission_inside(parent: Path) -> str:
    folder({"a/1.csv": ROWS, "b/1.csv": ROWS})(parent)
    (parent / "d" / "b").chmod(0)
    return "./d"


def pipe(parent: Path) -> str:
    os.mkfifo(parent / "x.csv")
    return "x.csv"


def saved(**arrays: object) -> bytes:
    data = io.BytesIO()
    np.savez(data, **arrays)  # type: ignore[arg-type]
    return data.getvalue()


def array(values: object) -> bytes:
    data = io.BytesIO()
    np.save(data, values, allow_pickle=True)  # type: ignore[arg-type]
    return data.getvalue()


def image(form: str = "PNG", side: int = 8) -> bytes:
    data = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (side, side), np.uint8)).save(data, form)
    return data.getvalue()


def huge(side: int) -> bytes:
    """A picture that says that it has sides of so many pixels."""
    data = image()
    header = b"IHDR" + struct.pack(">II", side, side) + data[24:29]
    return data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]


def idx(*sizes: int, count: int | None = None) -> bytes:
    body = bytes(int(np.prod(sizes)) if count is None else count)
    return bytes([0, 0, 8, len(sizes)]) + struct.pack(f">{len(sizes)}I", *sizes) + body


def sample(**changed: object) -> str:
    payload = {"interval_ms": 10, "sensors": [{"name": "x", "units": "g"}], "values": [[0.5]] * 20, **changed}
    return json.dumps({"protected": {}, "signature": "0", "payload": payload})


def encrypted() -> bytes:
    data = bytearray(packed({"a.csv": ROWS, "b.csv": ROWS}))
    for at in range(len(data) - 4):
        if data[at : at + 4] == b"PK\x01\x02":
            data[at + 8] |= 1
    return bytes(data)


MNIST = {
    f"{part}-{what}": content
    for part in ("train", "t10k")
    for what, content in (("images-idx3-ubyte", idx(4, 5, 5)), ("labels-idx1-ubyte", b"\0\0\x08\x01\0\0\0\4\0\1\0\1"))
}

BROKEN: dict[str, tuple[Callable[[Path], str], str]] = {
    "an empty file": (text(""), "x.csv is empty"),
    "blank lines only": (text("\n\n\n"), "x.csv is"),
    "a header only": (text("a,b,label\n"), "x.csv"),
    "one class": (text(ROWS.replace("b", "a")), "only the class 'a'"),
    "ragged rows": (text(ROWS.replace("1.5,1.25,b", "1.5,b", 1)), "line 2 has 2 cells, most lines have 3"),
    "text in numbers": (text(ROWS.replace("3.5", "three")), "line 4 has 'three' in 'column 1', which is no number"),
    "a NaN cell": (text(ROWS.replace("3.5", "nan")), "line 4 has no value in 'column 1' (nan)"),
    "an empty cell": (text(ROWS.replace("3.5", "")), "line 4 has no value in 'column 1' (empty)"),
    "several empty cells": (
        text(ROWS.replace("3.5", "").replace(",3.25", ",nan")),
        "line 4 has no value in 'column 1' (empty), and 6 of 20 rows lack one: fill them, or delete these",
    ),
    "an infinite cell": (text(ROWS.replace("3.5", "-inf")), "line 4 has no value in 'column 1' (-inf)"),
    "a number beyond float32": (text(ROWS.replace("3.5", "1e39")), "holds a value over 3.4e+38"),
    "a number beyond float64": (text(ROWS.replace("3.5", "1e999")), "line 4 has a number in 'column 1' that is too"),
    "a million columns": (text(",".join(["1"] * 1_000_000) + "\n"), "has 1,000,000 columns: at most 16,384"),
    "no label": (text("".join(f"{i}.5,{i * i}.25\n" for i in range(20))), "no column is known as the label"),
    "a label for each row": (text("".join(f"{i}.5,n{i}\n" for i in range(400))), "x.csv"),
    "labels and no values": (text("label\n" + "a\nb\n" * 9), "has no column of values beside the label"),
    "bytes of a picture called CSV": (text(image("PNG")), "x.csv is of no format that is known"),
    "a text without a number": (text("hello\nworld\n"), "x.csv is of no format that is known"),
    "a web page": (text("<html><body>404: 1,2,3</body></html>"), "x.csv is of no format that is known"),
    "no permission": (no_permission, "x.csv cannot be read: Permission denied"),
    "no permission inside": (no_permission_inside, "cannot be read: Permission denied"),
    "a pipe": (pipe, "x.csv is no file"),
    "no such file": (lambda _: "gone.csv", "gone.csv cannot be read: No such file"),
    "an empty folder": (folder({}), "holds no files"),
    "a folder of other things": (folder({"a.pdf": b"%PDF", "b.docx": b"PK"}), "give a folder of tables"),
    "a folder with one class": (
        folder({"wave/1.csv": "1,2\n" * 20, "wave/2.csv": "1,2\n" * 20}),
        "only the class 'wave'",
    ),
    "files that differ in columns": (
        folder({"a.csv": "1,2\n3,4\n", "b.csv": "1,2,3\n3,4,5\n"}),
        "b.csv has 3 columns of values, d/a.csv has 2",
    ),
    "an empty file in a folder": (folder({"a.csv": "1,2\n3,4\n", "b.csv": ""}), "b.csv is empty"),
    "a picture that is none": (
        folder({"a/1.png": image(), "b/1.png": image(), "b/2.png": b"no picture"}),
        "b/2.png is no picture",
    ),
    "a picture that is cut short": (
        folder({"a/1.png": image(), "b/1.png": image(side=64)[:2000]}),
        "b/1.png is a damaged picture",
    ),
    "an empty picture": (folder({"a/1.png": image(), "b/1.png": b""}), "b/1.png is no picture"),
    "pictures in no class folder": (folder({"1.png": image(), "2.png": image()}), "lies in no class folder"),
    "a picture of a billion pixels": (
        folder({"a/1.png": image(), "b/1.png": huge(32_000)}),
        "b/1.png has too many pixels: at most 50,000,000",
    ),
    "a picture of too many pixels": (
        folder({"a/1.png": image(), "b/1.png": huge(9000)}),
        "b/1.png has 9000×9000 pixels: at most 50,000,000",
    ),
    "a damaged archive": (text(packed({"a.csv": ROWS})[:60], "x.zip"), "x.zip is a damaged archive"),
    "a zip bomb": (
        text(packed({f"{i}.csv": b"0" * (24 << 20) for i in range(3)}), "x.zip"),
        "and unpacks to 75,497,472",
    ),
    "a path out of an archive": (text(packed({"../a.csv": ROWS, "b.csv": ROWS}), "x.zip"), "names a place outside"),
    "an absolute path in an archive": (text(packed({"/etc/a.csv": ROWS}), "x.zip"), "names a place outside of itself"),
    "an encrypted archive": (text(encrypted(), "x.zip"), "x.zip is encrypted: unpack it first"),
    "an archive with a wrong checksum": (
        text(packed({"a.csv": ROWS, "b.csv": ROWS}).replace(b"\x1f", b"\x1e"), "x.zip"),
        "x.zip",
    ),
    "an empty archive": (text(packed({}), "x.zip"), "x.zip"),
    "an array of objects": (text(array(np.array([{}, 1], object)), "x.npy"), "x.npy: has Python objects in it"),
    "arrays without labels": (text(saved(x=np.zeros((4, 3))), "x.npz"), "needs the arrays images and labels"),
    "arrays with NaN": (text(saved(x=np.full((4, 3), np.nan), y=[0, 1, 0, 1]), "x.npz"), "that is not finite"),
    "a lone array": (text(array(np.zeros((4, 3, 2, 2))), "x.npy"), "there are no labels"),
    "an export without a sample": (folder({"info.labels": '{"files": []}'}), "has no labelled sample"),
    "a damaged info.labels": (folder({"info.labels": "{", "a.1.json": sample()}), "info.labels is damaged"),
    "a sample cut short": (folder({"a.1.json": sample(), "b.1.json": sample()[:200]}), "b.1.json is no sample"),
    "a sample of other sensors": (
        folder({"a.1.json": sample(), "b.1.json": sample(sensors=[{"name": "y"}])}),
        "b.1.json has the sensors y, others have x",
    ),
    "a sample with ragged rows": (folder({"a.1.json": sample(values=[[1], [1, 2]])}), "rows that differ in length"),
    "a sample at another rate": (
        folder({"a.1.json": sample(), "b.1.json": sample(interval_ms=40)}),
        "record all of them at one rate",
    ),
    "MNIST's files, one missing": (folder(dict(list(MNIST.items())[:3])), "lacks the test labels"),
    "MNIST's files, one cut short": (
        folder({**MNIST, "t10k-images-idx3-ubyte": idx(4, 5, 5, count=9)}),
        "is cut short",
    ),
    "MNIST's files, a damaged gzip": (
        folder({**MNIST, "t10k-images-idx3-ubyte": gzip.compress(idx(4, 5, 5))[:-9]}),
        "is cut short: its gzip stream has no end",
    ),
}


@contextlib.contextmanager
def as_nobody(folder: Path) -> Iterator[None]:
    """Makes root nobody, whom permissions bind, once all modules are imported."""
    if os.geteuid() != 0:
        yield
        return
    (folder / "whole.csv").write_text(ROWS)
    assert CliRunner().invoke(main, ["data", "whole.csv"]).exit_code == 0
    (folder / "whole.csv").unlink()
    folder.chmod(0o755)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("case", BROKEN)
def test_broken_data_is_one_clear_line(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make, message = BROKEN[case]
    monkeypatch.chdir(tmp_path)
    path = make(tmp_path)
    before = set(tmp_path.rglob("*"))
    with as_nobody(tmp_path) if "permission" in case else contextlib.nullcontext():
        result = CliRunner().invoke(main, ["data", path, "--json", "found.json"])
    assert result.exit_code == 1, result.output
    assert len(result.output.splitlines()) == 1, result.output
    assert message in result.output
    assert set(tmp_path.rglob("*")) == before


def test_there_are_forty() -> None:
    assert len(BROKEN) >= 40


@pytest.mark.chainer
@pytest.mark.parametrize("case", ["one class", "a NaN cell", "a zip bomb"])
def test_training_on_it_is_the_same_line_and_makes_no_folder(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, message = BROKEN[case]
    monkeypatch.chdir(tmp_path)
    path = make(tmp_path)
    result = CliRunner().invoke(main, ["train", "--data", path])
    assert (result.exit_code, len(result.output.splitlines())) == (1, 1), result.output
    assert message in result.output
    assert not (tmp_path / "runs").exists()
