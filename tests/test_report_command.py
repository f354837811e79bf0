"""`ebnn report`: one file, whole and closed, whose figures are those of other programs."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from PIL import Image
from sklearn.metrics import accuracy_score, confusion_matrix

import ebnn
from ebnn import datasets
from ebnn.cli import main
from ebnn.published import network_file
from ebnn.show.markdown_page import markdown_text
from ebnn.show.page import Code, Page, Section, Text, grid
from ebnn.show.sample_pictures import sample_picture

NAMES = ("<script>alert(1)<", "a & b", '" onerror="x', *"3456789")
Truth = tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]
VOID = {"meta", "img"}
REFERRING = {"href", "src", "srcset", "action", "data", "poster", "background", "style"}


class Reader(HTMLParser):
    """Elements, tables and attributes of a page; fails where tags are not balanced."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.tables: list[list[list[str]]] = []
        self.captions: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        assert len(dict(attributes)) == len(attributes)
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("th", "td"):
            self.tables[-1][-1].append("")
        if tag == "caption":
            self.captions.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("th", "td"):
            self.tables[-1][-1][-1] += data
        if self.open and self.open[-1] == "caption":
            self.captions[-1] += data

    def table(self, caption: str) -> list[list[str]]:
        """The rows of the one table whose caption begins so."""
        (found,) = [rows for name, rows in zip(self.captions, self.tables, strict=True) if name.startswith(caption)]
        return found

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def report(*words: object) -> str:
    result = CliRunner().invoke(main, ["report", *map(str, words)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def refusal(*words: object) -> str:
    result = CliRunner().invoke(main, ["report", *map(str, words)])
    assert result.exit_code == 1, result.output
    assert result.stderr.count("\n") == 1
    return result.stderr


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network whose classes have hostile names, and pictures of them, most of which it takes for others."""
    folder = tmp_path_factory.mktemp("own")
    network = ebnn.load("mnist-tiny")
    network.with_meta(replace(network.meta, class_names=NAMES, rejection=0.9)).save(folder / "own.ebnn")
    rng = np.random.default_rng(4)
    for name in NAMES[:3]:
        (folder / "pictures" / name).mkdir(parents=True)
        for k in range(12):
            picture = rng.integers(0, 256, (7, 7), np.uint8).repeat(4, 0).repeat(4, 1)
            Image.fromarray(picture).save(folder / "pictures" / name / f"{k}.png")
    return folder


@pytest.fixture(scope="module")
def page(own: Path) -> Reader:
    report(own / "own.ebnn", "-o", own / "own.html", "--data", own / "pictures")
    return Reader((own / "own.html").read_text())


@pytest.fixture(scope="module")
def answers(own: Path) -> Truth:
    """The test part of the pictures, labels by the network's classes, and what the reference answers."""
    data = datasets.load(str(own / "pictures"))
    labels = [NAMES.index(data.class_names[k]) for k in data.test_labels]
    network = ebnn.load(own / "own.ebnn")
    return (
        data.test_images,
        np.array(labels),
        network.predict(data.test_images),
        network.probabilities(data.test_images),
    )


def check_closed(text: str) -> None:
    """Nothing is fetched, nothing runs."""
    for tag, attributes in Reader(text).tags:
        assert tag not in ("script", "link", "iframe", "object", "embed", "base", "form", "a")
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            assert name not in REFERRING or (tag, name) == ("img", "src"), (tag, name)
            if name == "src":
                assert re.match("data:image/(png|svg[+]xml);base64,", value or "")
    assert "://" not in text
    assert "url(" not in text
    assert "@import" not in text


def test_nothing_in_it_refers_outside_or_runs(own: Path, page: Reader) -> None:
    check_closed((own / "own.html").read_text())
    (policy,) = [each["content"] for each in page.all("meta") if each.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none'")


def test_tables_have_headers_and_pictures_words(page: Reader) -> None:
    assert {each["scope"] for each in page.all("th")} == {"row", "col"}
    assert len(page.captions) == len(page.tables) >= 5
    for rows in page.tables:
        assert {len(row) for row in rows} == {len(rows[0])}
    assert page.all("img")
    assert all(each["alt"] for each in page.all("img"))
    assert any("width=device-width" in (each.get("content") or "") for each in page.all("meta"))


def test_accuracy_and_confusion_are_those_of_scikit_learn(own: Path, page: Reader, answers: Truth) -> None:
    _, labels, predicted, _ = answers
    header, *rows = page.table("Confusion")
    assert header == ["label", *NAMES, "right"]
    assert [row[0] for row in rows] == list(NAMES)
    found = [[int(cell) for cell in row[1:-1]] for row in rows]
    assert found == confusion_matrix(labels, predicted, labels=range(10)).tolist()
    text = (own / "own.html").read_text()
    assert f"{100 * accuracy_score(labels, predicted):.2f} % right: " in text


def test_wrong_answers_are_the_surest_ones_with_their_pictures(page: Reader, answers: Truth) -> None:
    images, labels, predicted, probabilities = answers
    wrong = [i for i in range(len(labels)) if labels[i] != predicted[i]]
    wrong.sort(key=lambda i: (-probabilities[i][predicted[i]], i))
    assert wrong
    _, *rows = page.table("Wrong answers")
    assert rows == [
        [
            str(i),
            NAMES[labels[i]],
            NAMES[predicted[i]],
            f"{100 * probabilities[i][predicted[i]]:.1f} %",
            f"{100 * probabilities[i][labels[i]]:.1f} %",
        ]
        for i in wrong[:24]
    ]
    pictures = page.all("img")
    assert len(pictures) == len(rows)
    for i, shown in zip(wrong, pictures, strict=False):
        content = base64.b64decode((shown["src"] or "").split(",")[1])
        brightest = images.max()
        expected = np.round(images[i, 0] * (255 / brightest))
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(content))), expected)
        assert shown["alt"] == f"test sample {i}: {NAMES[labels[i]]}, taken for {NAMES[predicted[i]]}"


def test_sizes_and_times_are_those_of_info(own: Path, page: Reader) -> None:
    CliRunner().invoke(main, ["info", str(own / "own.ebnn"), "--json", str(own / "info.json")], catch_exceptions=False)
    told = json.loads((own / "info.json").read_text())
    _, *rows = page.table("Estimates")
    assert [row[1].split(" of ")[0].replace(",", "") for row in rows] == [
        str(each["flash_bytes"]) for each in told["estimates"]
    ]
    assert [row[4] == "yes" for row in rows] == [each["fits"] for each in told["estimates"]]
    _, *layers = page.table("Layers")
    assert [row[5].replace(",", "") for row in layers] == [str(each["macs"]) for each in told["layers"]]
    assert ["hash", told["hash"]] in page.table("What it is")


def test_a_published_network_brings_its_run_along(tmp_path: Path) -> None:
    output = tmp_path / "tiny.html"
    report("mnist-tiny", "-o", output)
    text = output.read_text()
    check_closed(text)
    reader = Reader(text)
    log = [json.loads(line) for line in network_file("mnist-tiny").with_name("log.jsonl").read_text().splitlines()]
    best = max(log, key=lambda line: (line["validation_accuracy"], -line["validation_loss"]))
    run = dict(reader.table("The run")[1:])
    assert run["epochs"] == f"{len(log)}, of which {best['epoch']} is kept"
    assert run["validation accuracy"] == f"{100 * best['validation_accuracy']:.2f} %"
    (curves,) = reader.all("img")
    assert ElementTree.fromstring(base64.b64decode((curves["src"] or "").split(",")[1])).tag.endswith("}svg")
    assert "ebnn train --recipe mnist-tiny --seed 1" in text
    assert f"ebnn report mnist-tiny -o {output}" in text
    report("mnist-tiny", "-o", output)
    assert output.read_text() == text


def test_the_run_of_a_network_of_ones_own(tmp_path: Path) -> None:
    """It is found beside the network, or named."""
    run = tmp_path / "run"
    run.mkdir()
    shutil.copy(network_file("mnist-tiny"), run / "model.ebnn")
    lines = network_file("mnist-tiny").with_name("log.jsonl").read_text().splitlines(keepends=True)
    (run / "log.jsonl").write_text("".join(lines[:2]))
    shutil.copy(run / "model.ebnn", tmp_path / "net.ebnn")
    for words in ([run / "model.ebnn"], [tmp_path / "net.ebnn", "--run", run]):
        report(*words, "-o", tmp_path / "r.html")
        assert "epochs" in dict(Reader((tmp_path / "r.html").read_text()).table("The run")[1:])
    report(tmp_path / "net.ebnn", "-o", tmp_path / "r.html")
    assert "The run" not in (tmp_path / "r.html").read_text()
    shutil.copy(network_file("mnist-uno"), tmp_path / "other.ebnn")
    assert "trained another network" in refusal(tmp_path / "other.ebnn", "--run", run, "-o", tmp_path / "r.html")


def test_markdown_tells_the_same_without_pictures(own: Path, page: Reader) -> None:
    output = own / "own.md"
    report(own / "own.ebnn", "-o", output, "--data", own / "pictures", "--limit", "3")
    text = output.read_text()
    assert "the first 3 of " in text
    assert "<script" not in text
    assert "data:" not in text
    assert "&lt;script&gt;alert(1)&lt;" in text
    tables = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    for table in tables:
        cells = [len(re.split(r"(?<!\\)\|", line)) for line in table.splitlines()]
        assert len(set(cells)) == 1
    assert len(tables) == len(page.tables)


def test_markdown_obeys_no_text() -> None:
    names = grid("a|b", ("x", "y"), [("[l](h)", "*b*\n# c")])
    text = markdown_text(Page("<b>", (Section("_s_", (Text("`t`"), Code("a\n```\nb"), names)),)))
    assert "# &lt;b&gt;\n" in text
    assert "\\`t\\`" in text
    assert "````\na\n```\nb\n````" in text
    assert "| \\[l\\](h) | \\*b\\*\\\\n\\# c |" in text


@pytest.mark.parametrize("shape", [(3, 1, 50), (1, 1, 2)])
def test_a_series_is_a_curve_for_each_channel(shape: tuple[int, int, int]) -> None:
    series = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    picture = sample_picture(series, 0.0, "alt", "caption")
    assert picture is not None
    lines = [each.get("points", "").split() for each in ElementTree.fromstring(picture.data)]
    assert [len(points) for points in lines] == [shape[2]] * shape[0]
    heights = [[-float(point.split(",")[1]) for point in points] for points in lines]
    assert np.argmax(np.array(heights)) == np.argmax(series)


@pytest.mark.parametrize("shape", [(4, 1, 1), (1, 2, 3)])
def test_a_row_of_a_table_is_no_picture(shape: tuple[int, int, int]) -> None:
    assert sample_picture(np.zeros(shape, np.float32), 0.0, "alt", "caption") is None


def test_without_a_compiler_the_answers_are_the_same(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = (own / "own.ebnn", "-o", own / "again.html", "--data", own / "pictures", "--limit", "4")
    report(*words)
    text = (own / "again.html").read_text()
    monkeypatch.setenv("CC", "no-such-compiler")
    monkeypatch.setenv("EBNN_CACHE", str(own / "cache"))
    report(*words)
    assert (own / "again.html").read_text() == text


def test_a_page_without_matplotlib_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    report("mnist-tiny", "-o", tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text()
    assert "Without pictures of the epochs: " in text
    assert not Reader(text).all("img")


def test_what_cannot_be_reported_is_refused(tmp_path: Path, own: Path) -> None:
    output = tmp_path / "r.html"
    assert "end its name in .html or .md" in refusal("mnist-tiny", "-o", tmp_path / "r.pdf")
    assert "this network takes 1×28×28" in refusal("mnist-tiny", "-o", output, "--dataset", "digits")
    assert "leave --run out" in refusal("mnist-tiny", "-o", output, "--run", tmp_path)
    assert "has no log.jsonl" in refusal(own / "own.ebnn", "-o", output, "--run", tmp_path)
    assert "no file and no published network" in refusal("mnist-tyny", "-o", output)
    output.write_text("<!DOCTYPE html>\n<p>mine\n")
    assert "is there already, and no report of ebnn's" in refusal("mnist-tiny", "-o", output)
    assert output.read_text() == "<!DOCTYPE html>\n<p>mine\n"
