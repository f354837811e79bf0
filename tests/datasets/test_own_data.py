"""Data as people have them: every dialect of a table, recordings, class folders of pictures, exports, archives."""

from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile
from pathlib import Path

import cbor2
import numpy as np
import pytest
from PIL import Image

from ebnn import datasets
from ebnn.datasets import Dataset, Reading, Span
from ebnn.datasets.own import load_own
from ebnn.errors import DatasetError, UnknownNameError

RANDOM = np.random.default_rng(5)
ROWS = np.round(RANDOM.normal(size=(24, 3)) * 4, 3)
LABELS = [("left", "right", "up and down")[i % 3] for i in range(24)]


def write(path: Path, data: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def table(delimiter: str = ",", header: bool = True, comma: bool = False, end: str = "\n", last: str = "") -> str:
    """The rows and labels as a text of some dialect."""
    lines = [delimiter.join(["ax", "ay", "az", "label"])] if header else []
    for row, label in zip(ROWS, LABELS, strict=True):
        cells = [f"{value:.3f}".replace(".", ",") if comma else f"{value:.3f}" for value in row]
        lines.append(delimiter.join([*cells, label.replace(" ", "_")]))
    return end.join(lines) + end + last


DIALECTS: dict[str, str | bytes] = {
    "commas": table(),
    "commas and blanks": table(", "),
    "semicolons": table(";"),
    "semicolons and decimal commas": table(";", comma=True),
    "tabs": table("\t"),
    "tabs and decimal commas": table("\t", comma=True),
    "blanks": table("  "),
    "bars": table("|"),
    "no header": table(header=False),
    "CRLF": table(end="\r\n"),
    "CR": table(end="\r"),
    "UTF-8 with its mark": b"\xef\xbb\xbf" + table().encode(),
    "UTF-16 little-endian": table().encode("utf-16"),
    "UTF-16 big-endian": b"\xfe\xff" + table().encode("utf-16-be"),
    "UTF-16 without a mark": table().encode("utf-16-le"),
    "no end of the last line": table().rstrip("\n"),
    "blank lines at the end": table(last="\n\n"),
    "a torn last line": table(last="0.12"),
    "comments": "# made by hand\n" + table(),
    "Excel's first line": "sep=;\n" + table(";"),
    "quotes": table().replace("ax", '"ax"').replace("left", '"left"'),
    "commas at the ends of lines": table().replace("\n", ",\n"),
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_of_a_table_is_the_same_data(dialect: str, tmp_path: Path) -> None:
    path = write(tmp_path / "moves.csv", DIALECTS[dialect])
    data = load_own(path, Reading(window=Span(rows=1)))
    assert data.class_names == ("left", "right", "up_and_down")
    assert (data.name, data.kind, data.shape) == ("moves", "raw", (3, 1, 1))
    found = np.concatenate([data.train_images, data.test_images])[:, :, 0, 0]
    assert sorted(map(tuple, found.tolist())) == sorted(map(tuple, ROWS.astype(np.float32).tolist()))
    if dialect != "no header":
        assert data.channels == ("ax", "ay", "az")
    for row, label in zip(data.train_images[:, :, 0, 0], data.train_labels, strict=True):
        at = int(np.flatnonzero((ROWS.astype(np.float32) == row).all(axis=1))[0])
        assert data.class_names[label] == LABELS[at].replace(" ", "_")


def test_columns_that_are_no_values(tmp_path: Path) -> None:
    """A running number, a comment, units in the header; labels that are numbers, first or last."""
    lines = ["id,temp (°C),light [lx],note,class"]
    lines += [f"{i},{row[0]},{row[1]},n{i % 5},{i % 2}" for i, row in enumerate(ROWS)]
    data = load_own(write(tmp_path / "a.csv", "\n".join(lines)))
    assert (data.channels, data.units) == (("temp", "light"), ("°C", "lx"))
    assert data.class_names == ("0", "1")
    assert "'note' is text and left out" in data.notes
    first = "\n".join(f"{1 + i % 3},{row[0]},{row[1]}" for i, row in enumerate(ROWS))
    assert load_own(write(tmp_path / "b.csv", first)).class_names == ("1", "2", "3")
    with pytest.raises(UnknownNameError, match=r"no column of .* is called 'clas'; .* did you mean class|'clas'"):
        load_own(tmp_path / "a.csv", Reading(label="clas"))
    assert load_own(tmp_path / "a.csv", Reading(label="note")).classes == 5


def test_dates_of_other_forms_are_the_time(tmp_path: Path) -> None:
    for name, day, first in (("Datum", "27.11.2026 ", 10), ("time", "11/27/2026 ", 10), ("Uhrzeit", "", 10)):
        lines = [f"{name},x,label"]
        lines += [f"{day}{first + i // 60}:{i % 60:02}:00,{i % 7},{'ab'[i // 60]}" for i in range(120)]
        data = load_own(write(tmp_path / f"{name}.csv", "\n".join(lines)))
        assert f"'{name}' is the time" in data.notes
        assert data.rate == pytest.approx(1 / 60)
    assert data.shape == (1, 1, 16)  # one recording of each class is cut, else none could test


def test_what_is_no_value_or_no_label_is_named(tmp_path: Path) -> None:
    percent = "\n".join(f"{i}.5%,{'ab'[i % 2]}" for i in range(9))
    with pytest.raises(DatasetError, match=r"no column of values beside the label, 'load' holds text such as '0.5%'"):
        load_own(write(tmp_path / "p.csv", f"load,label\n{percent}"))
    with pytest.raises(DatasetError, match="'label' would be the label, but differs in nearly every row: give several"):
        load_own(write(tmp_path / "o.csv", "a,b,label\n1,2,x\n3,4,y\n5,6,z\n"))


def test_floats_of_two_long_axes_are_pictures_and_labels_need_not_begin_at_0(tmp_path: Path) -> None:
    x = np.random.default_rng(0).random((20, 24, 32)).astype(np.float32)
    np.savez(tmp_path / "warm.npz", x=x, y=np.arange(20)[:, None] % 2 + 1)
    data = load_own(tmp_path / "warm.npz")
    assert (data.shape, data.kind, data.class_names) == ((1, 24, 32), "raw", ("1", "2"))
    assert Dataset.from_arrays(x[:, :, :9], np.arange(20) % 2).shape == (9, 1, 24)


def test_a_label_column_of_what_has_none_is_refused(tmp_path: Path) -> None:
    label = Reading(label="kind")
    for k in range(8):
        picture = Image.fromarray(np.full((8, 8), 20 * k, np.uint8))
        (tmp_path / "pictures" / "ab"[k % 2]).mkdir(parents=True, exist_ok=True)
        picture.save(tmp_path / "pictures" / "ab"[k % 2] / f"{k}.png")
        write(tmp_path / "tables" / "ab"[k % 2] / f"{k}.csv", "x,y\n" + "1,2\n" * 4)
    np.savez(tmp_path / "x.npz", x=np.zeros((8, 3)), y=np.arange(8) % 2)
    write(tmp_path / "x.py", "def load(): pass")
    for name in ("pictures", "x.npz", "x.py"):
        with pytest.raises(DatasetError, match=f"{name} is no table, so no column 'kind' is its label: leave --label"):
            load_own(tmp_path / name, label)
    with pytest.raises(UnknownNameError, match=r"no column of .* is called 'kind'"):
        load_own(tmp_path / "tables", label)


def test_a_running_number_is_one_in_all_files_or_in_none(tmp_path: Path) -> None:
    def files(name: str, *columns: tuple[list[int], ...]) -> Path:
        for label, each in zip(("left", "right"), columns, strict=True):
            for k, count in enumerate(each):
                rows = [f"{n},{row[0]},{row[1]}" for n, row in zip(count, ROWS, strict=False)]
                write(tmp_path / name / label / f"{k}.csv", "\n".join(["n,x,y", *rows]))
        return tmp_path / name

    ten = list(range(10))
    goes_on = files("goes-on", (ten, list(range(10, 20))), (list(range(20, 30)), ten[:2]))
    assert load_own(goes_on).channels == ("x", "y")
    anew = files("anew", ([0, 1, 2, 3, 4] * 2,), (ten,))
    assert load_own(anew).channels == ("x", "y")
    a_value = files("a-value", (ten,), ([3, 1, 4, 1, 5, 9, 2, 6, 5, 3],))
    assert load_own(a_value).channels == ("n", "x", "y")


def test_the_files_of_scikit_learn_and_pandas(tmp_path: Path) -> None:
    """A first line that counts; a running number without a name."""
    with_summary = load_own(_bundled("iris.csv"))
    assert with_summary.class_names == ("setosa", "versicolor", "virginica")
    assert (len(with_summary.labels), with_summary.shape) == (150, (4, 1, 1))
    assert np.bincount(with_summary.test_labels).tolist() == [13, 12, 13]
    names = ",".join(f"{part} (cm)" for part in ("sepal length", "sepal width", "petal length", "petal width"))
    rows = _bundled("iris.csv").read_text().splitlines()[1:]
    numbered = (f"{i},{row}" for i, row in enumerate(rows))
    frame = load_own(write(tmp_path / "frame.csv", "\n".join([f",{names},target", *numbered])))
    assert (len(frame.labels), frame.channels[0], frame.units[0]) == (150, "sepal length", "cm")
    np.testing.assert_array_equal(frame.test_images, with_summary.test_images)
    assert load_own(_bundled("wine_data.csv")).shape == (13, 1, 1)
    assert load_own(_bundled("breast_cancer.csv")).class_names == ("benign", "malignant")


def _bundled(name: str) -> Path:
    import sklearn.datasets

    return Path(sklearn.datasets.__file__).parent / "data" / name


def wave(rows: int, frequency: float, offset: float) -> np.ndarray:
    moments = np.arange(rows) + RANDOM.uniform(0, 9)
    return np.stack([np.sin(moments * frequency) + offset, np.cos(moments * frequency), moments * 0 + offset], axis=1)


def as_csv(values: np.ndarray, header: str = "x,y,z\n") -> str:
    return header + "".join(",".join(f"{value:.4f}" for value in row) + "\n" for row in values)


def recordings(count: int, rows: int, frequency: float) -> list[np.ndarray]:
    return [wave(rows, frequency, RANDOM.normal() * 9) for _ in range(count)]


def check_recordings(data: Dataset, count: int, rows: int) -> None:
    """So many recordings a class, each a sample, and no two parts with one of them."""
    assert data.shape == (3, 1, rows)
    assert np.bincount(data.labels).tolist() == [count, count]
    assert data.train_groups is not None
    assert data.test_groups is not None
    assert not set(data.train_groups.tolist()) & set(data.test_groups.tolist())


def test_recordings_parted_by_blank_lines_or_headers(tmp_path: Path) -> None:
    for between in ("\n", "x,y,z\n", "\n\nx,y,z\n"):
        for label, frequency in (("slow", 0.1), ("fast", 0.5)):
            parts = recordings(6, 30, frequency)
            write(tmp_path / f"{label}.csv", "x,y,z\n" + between.join(as_csv(part, "") for part in parts))
        check_recordings(load_own(tmp_path), 6, 30)


def test_recordings_parted_by_nothing_or_by_a_length(tmp_path: Path) -> None:
    """Where nothing parts them the values jump, also in a file that begins within a recording."""
    for label, frequency in (("slow", 0.1), ("fast", 0.5)):
        parts = recordings(6, 40, frequency)
        whole = np.concatenate([wave(13, frequency, 3.0), *parts] if label == "slow" else parts)
        write(tmp_path / f"{label}.csv", as_csv(whole))
    data = load_own(tmp_path)
    check_recordings(data, 6, 40)
    assert "recordings of 40 rows, parted where the values jump" in data.notes
    assert "13 rows of torn recordings are left out" in data.notes
    asked = load_own(tmp_path, Reading(recording=Span(rows=20)))
    assert asked.shape == (3, 1, 20)


def test_one_folder_for_each_class_and_one_file_for_each_recording(tmp_path: Path) -> None:
    for label, frequency in (("slow", 0.1), ("fast", 0.5)):
        for i, part in enumerate(recordings(5, 30, frequency)):
            write(tmp_path / "folders" / label / f"{i}.csv", as_csv(part))
            write(tmp_path / "names" / f"{label}_{i}.csv", as_csv(part))
            write(tmp_path / "parts" / ("test" if i == 4 else "train") / label / f"{i}.csv", as_csv(part))
    for folder in ("folders", "names"):
        check_recordings(load_own(tmp_path / folder), 5, 30)
    parted = load_own(tmp_path / "parts")
    assert (len(parted.train_labels), len(parted.test_labels), parted.own_split) == (8, 2, True)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for file in sorted((tmp_path / "folders").rglob("*.csv")):
            archive.write(file, Path("made") / file.relative_to(tmp_path / "folders"))
        archive.writestr("__MACOSX/._x.csv", b"\0\1")
    zipped = load_own(write(tmp_path / "z.zip", packed.getvalue()))
    np.testing.assert_array_equal(zipped.train_images, load_own(tmp_path / "folders").train_images)


def test_one_long_recording_of_each_class_is_tested_on_pieces_of_its_own(tmp_path: Path) -> None:
    """No row is in a training and in a test sample."""
    for label, frequency in (("slow", 0.02), ("fast", 0.3)):
        values = wave(1600, frequency, 0.0)
        values[:, 2] = np.arange(1600)
        write(tmp_path / f"{label}.csv", as_csv(values))
    data = load_own(tmp_path)
    assert data.shape == (3, 1, 100)
    for label in (0, 1):
        train, test = (
            set(images[labels == label][:, 2].ravel().tolist())
            for images, labels in ((data.train_images, data.train_labels), (data.test_images, data.test_labels))
        )
        assert train
        assert test
        assert not train & test


@pytest.mark.parametrize("rows", [(88, 92, 374), (30, 92, 374), (60, 90, 100), (40, 100, 100)])
def test_the_window_fits_every_class(rows: tuple[int, int, int], tmp_path: Path) -> None:
    """Recordings of unequal length: the default window loses no class; one that is too long says what fits."""
    for length, label in zip(rows, ("circle", "shake", "wave"), strict=True):
        for i, values in enumerate(recordings(6, length, 3)):
            write(tmp_path / "d" / label / f"{i}.csv", as_csv(values))
    data = load_own(tmp_path / "d")
    assert data.class_names == ("circle", "shake", "wave")
    assert data.shape[2] == min(rows)
    assert (np.bincount(data.train_labels) > 0).all()
    with pytest.raises(DatasetError, match=rf"all recordings of 'circle': give a --window of at most {min(rows)} rows"):
        load_own(tmp_path / "d", Reading(window=Span(rows=min(rows) + 1)))
    assert load_own(tmp_path / "d", Reading(window=Span(rows=min(rows)))).shape[2] == min(rows)


def test_a_torn_recording_does_not_shorten_the_window(tmp_path: Path) -> None:
    for length, label in ((88, "shake"), (374, "wave")):
        for i in range(6):
            write(tmp_path / "d" / label / f"{i}.csv", as_csv(recordings(1, 9 if i == 0 else length, 3)[0]))
    data = load_own(tmp_path / "d")
    assert data.shape[2] == 88
    assert "2 recordings shorter than a window of 88 rows are left out" in data.notes


def test_time_gives_rate_and_recordings(tmp_path: Path) -> None:
    """A column of milliseconds that begins anew; a monitor's stamps; names before the values."""
    for label, frequency in (("slow", 0.1), ("fast", 0.5)):
        text = "time (ms),x,y,z\n"
        for part in recordings(4, 50, frequency):
            text += "".join(f"{20 * i},{a:.4f},{b:.4f},{c:.4f}\n" for i, (a, b, c) in enumerate(part))
        write(tmp_path / "timed" / f"{label}.csv", text)
        lines = (f"12:00:{i // 50:02}.{i % 50 * 20:03} -> x:{a:.3f} y:{b:.3f}\n" for i, (a, b, _) in
                 enumerate(wave(800, frequency, 0)))  # fmt: skip
        write(tmp_path / "monitor" / f"{label}.txt", "".join(lines))
    data = load_own(tmp_path / "timed")
    check_recordings(data, 4, 50)
    assert data.rate == pytest.approx(50)
    shorter = load_own(tmp_path / "timed", Reading(window=Span.parse("500ms"), step=Span.parse("0.2 s")))
    assert (shorter.shape, shorter.step, np.bincount(shorter.labels).tolist()) == ((3, 1, 25), 10, [12, 12])
    monitor = load_own(tmp_path / "monitor")
    assert (monitor.channels, monitor.shape, monitor.step) == (("x", "y"), (2, 1, 50), 25)


def test_a_first_column_without_a_name_that_rises_evenly_is_the_time(tmp_path: Path) -> None:
    """A log of ``millis(),x,y,z`` with no header, a slow moment in it, and a last line that is torn."""
    times = np.arange(300) * 20 + np.arange(300) % 2
    times[150:] += 130
    for label, frequency in (("circle", 0.2), ("wave", 0.6)):
        for i, values in enumerate(recordings(2, 300, frequency)):
            lines = as_csv(values, "").splitlines()
            text = "".join(f"{at + 40 * i},{line}\n" for at, line in zip(times, lines, strict=True))
            write(tmp_path / "d" / f"{label}_{i + 1}.csv", text + "6200,0.1")
    data = load_own(tmp_path / "d")
    assert data.channels == ("column 2", "column 3", "column 4")
    assert data.rate is not None
    assert 48 < data.rate < 50
    assert "'column 1' always rises by nearly the same: it is the time, and left out" in data.notes
    # Values that rise unevenly, or in one file only, are values.
    for i in range(2):
        rising = np.cumsum(RANDOM.integers(1, 90, 300))
        write(tmp_path / "d" / f"wave_{i + 1}.csv", "".join(f"{at},1,2,3\n" for at in rising))
    assert load_own(tmp_path / "d").shape[0] == 4


BOOT = """ets Jun  8 2016 00:22:57

rst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)
configsip: 0, SPIWP:0xee
clk_drv:0x00,q_drv:0x00,d_drv:0x00,cs0_drv:0x00,hd_drv:0x00,wp_drv:0x00
mode:DIO, clock div:1
load:0x3fff0030,len:1344
ho 0 tail 12 room 4
entry 0x400805f0
"""


@pytest.mark.parametrize("joint", [",", ", ", ";", "\t", " "])
@pytest.mark.parametrize("columns", [2, 3, 5])
@pytest.mark.parametrize(("before", "left_out"), [("Setup done\n", 1), (BOOT, 8), (BOOT + "Setup done\n", 9)])
@pytest.mark.parametrize("header", [False, True])
def test_what_a_board_says_before_its_first_row_is_left_out(
    before: str, left_out: int, columns: int, joint: str, header: bool, tmp_path: Path
) -> None:
    values = np.round(np.sin(np.arange(60)[:, None] * (1 + np.arange(columns)) / 7), 4)
    names = [f"a{c}" for c in range(columns)] + ["label"]
    rows = "".join(joint.join([*map(str, row), "ab"[i // 30]]) + "\n" for i, row in enumerate(values.tolist()))
    table = (joint.join(names) + "\n" if header else "") + rows
    path = write(tmp_path / "log.txt", before + table)
    reading = Reading(window=Span(rows=1))
    data, plain = load_own(path, reading), load_own(write(tmp_path / "plain.txt", table), reading)
    np.testing.assert_array_equal(data.train_images, plain.train_images)
    assert data.channels == plain.channels
    lines = "line is no row" if left_out == 1 else f"{left_out} lines are no rows"
    assert f"{path}: the first {lines} of the table and left out" in data.notes


@pytest.mark.parametrize(("joint", "comma"), [(";", True), ("\t", True), (";", False), ("\t", False)])
def test_marks_for_thousands_are_read_where_a_column_has_them(joint: str, comma: bool, tmp_path: Path) -> None:
    swap = str.maketrans(",.", ".,") if comma else {}
    pressures = [999.5 + 0.25 * i for i in range(19)] + [1012, 1234567.5]
    values = [[f"{pressure:,}".translate(swap), f"{i / 8}".translate(swap)] for i, pressure in enumerate(pressures)]
    rows = [joint.join([*cells, "ab"[i % 2]]) for i, cells in enumerate(values)]
    data = load_own(write(tmp_path / "t.csv", "\n".join([joint.join(["p", "t", "label"]), *rows]) + "\n"))
    found = np.concatenate([data.train_images, data.test_images])[:, 0].ravel()
    np.testing.assert_array_equal(np.sort(found), np.array(pressures, np.float32))
    rows[3] = joint.join(["12.5" if comma else "12,5", "1", "a"])
    with pytest.raises(DatasetError, match=r"line 5 has '12.5' in 'p', where .* for thousands: write all"):
        load_own(write(tmp_path / "t.csv", "\n".join([joint.join(["p", "t", "label"]), *rows]) + "\n"))


def test_labels_that_change_within_a_table(tmp_path: Path) -> None:
    text = "x,y,z,activity,session\n"
    for i in range(8):
        part = wave(30, 0.1 + 0.4 * (i % 2), i)
        text += "".join(f"{a:.4f},{b:.4f},{c:.4f},{'walk' if i % 2 else 'rest'},s{i}\n" for a, b, c in part)
    check_recordings(load_own(write(tmp_path / "log.csv", text)), 4, 30)


@pytest.mark.parametrize("form", ["png", "jpg", "bmp"])
def test_class_folders_of_pictures(form: str, tmp_path: Path) -> None:
    for label, colour in (("red", (220, 30, 30)), ("green", (30, 200, 40))):
        for i in range(5):
            picture = Image.new("RGB", (20, 20), colour)
            (tmp_path / "p" / label).mkdir(parents=True, exist_ok=True)
            picture.save(tmp_path / "p" / label / f"{i}.{form}")
    data = load_own(tmp_path / "p")
    assert (data.kind, data.shape, data.class_names) == ("uint8", (3, 20, 20), ("green", "red"))
    assert (len(data.train_labels), len(data.test_labels)) == (7, 3)
    assert abs(int(data.train_images[data.train_labels == 1][0, 0, 5, 5]) - 220) < 3
    assert load_own(tmp_path / "p", Reading(size=(8, 12), colour=False)).shape == (1, 8, 12)
    Image.new("L", (90, 60), 7).save(tmp_path / "p" / "red" / "large.png")
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(tmp_path / "p" / "red" / "clear.png")
    Image.fromarray(np.full((20, 20), 51400, np.uint16)).save(tmp_path / "p" / "red" / "deep.png")
    mixed = load_own(tmp_path / "p", Reading(colour=False))
    assert mixed.shape == (1, 32, 32)
    assert {7, 255, 200} <= set(np.concatenate([mixed.train_images, mixed.test_images])[:, 0, 9, 9].tolist())


def acquisition(label: str, i: int, form: str) -> tuple[str, bytes]:
    values = wave(40, 0.1 if label == "slow" else 0.5, 0)
    sample = {
        "protected": {"ver": "v1", "alg": "HS256"},
        "signature": "00",
        "payload": {
            "device_name": "a",
            "device_type": "b",
            "interval_ms": 20,
            "sensors": [{"name": n, "units": "m/s2"} for n in ("accX", "accY", "accZ")],
            "values": values.tolist(),
        },
    }
    return f"{label}.{i}.{form}", cbor2.dumps(sample) if form == "cbor" else json.dumps(sample).encode()


@pytest.mark.parametrize("form", ["json", "cbor"])
def test_exports_of_edge_impulse(form: str, tmp_path: Path) -> None:
    files = []
    for label in ("slow", "fast"):
        for i in range(5):
            category = "testing" if i == 4 else "training"
            name, sample = acquisition(label, i, form)
            write(tmp_path / "export" / category / name, sample)
            labelled = {"type": "label", "label": f"{label} one"}
            files.append({"path": f"{category}/{name}", "name": name, "category": category, "label": labelled})
    plain = load_own(tmp_path / "export")
    assert (plain.class_names, plain.channels) == (("fast", "slow"), ("accX", "accY", "accZ"))
    assert (plain.units, plain.rate, plain.own_split) == (("m/s2",) * 3, 50.0, True)
    assert (plain.shape, len(plain.train_labels), len(plain.test_labels)) == ((3, 1, 40), 8, 2)
    files[0]["label"] = {"type": "unlabeled"}
    write(tmp_path / "export" / "info.labels", json.dumps({"version": 1, "files": files}))
    named = load_own(tmp_path / "export")
    assert (named.class_names, len(named.train_labels)) == (("fast one", "slow one"), 7)
    assert "1 samples without a label are left out" in named.notes


def test_folders_of_mnists_format(tmp_path: Path) -> None:
    """Labels from 1, the names of EMNIST's characters, plain and gzip."""
    for part, count in (("train", 12), ("test", 4)):
        pixels = RANDOM.integers(0, 255, (count, 5, 4), np.uint8)
        labels = np.arange(count, dtype=np.uint8) % 2 + 1
        images = b"\0\0\x08\x03" + struct.pack(">3I", *pixels.shape) + pixels.tobytes()
        write(tmp_path / f"emnist-letters-{part}-images-idx3-ubyte.gz", gzip.compress(images))
        write(
            tmp_path / f"emnist-letters-{part}-labels-idx1-ubyte",
            b"\0\0\x08\x01" + struct.pack(">I", count) + labels.tobytes(),
        )
    data = load_own(tmp_path)
    assert (data.class_names, data.shape, len(data.test_labels)) == (("1", "2"), (1, 5, 4), 4)
    write(tmp_path / "emnist-letters-mapping.txt", "1 65 97\n2 66 98\n")
    assert load_own(tmp_path).class_names == ("A", "B")


def test_arrays_with_labels_of_any_form(tmp_path: Path) -> None:
    x = RANDOM.normal(size=(16, 5)).astype(np.float32)
    numbers = np.arange(16) % 4
    names = np.array(["n", "e", "s", "w"])[numbers]
    hot = np.eye(4)[numbers]
    for labels, class_names in ((numbers, "0123"), (names, "ensw"), (hot, "0123"), (numbers + 0.0, "0123")):
        data = Dataset.from_arrays(x, labels)
        assert (data.class_names, data.kind, data.shape) == (tuple(class_names), "raw", (5, 1, 1))
        np.savez(tmp_path / "x.npz", x=x, y=labels)
        np.testing.assert_array_equal(load_own(tmp_path / "x.npz").test_images, data.test_images)
        np.save(tmp_path / "samples.npy", x)
        np.save(tmp_path / "labels.npy", labels)
        np.testing.assert_array_equal(load_own(tmp_path / "samples.npy").test_labels, data.test_labels)
    series = Dataset.from_arrays(RANDOM.normal(size=(16, 30, 6)), names, groups=np.arange(16) // 2 * 4 % 64)
    assert series.shape == (6, 1, 30)
    assert Dataset.from_arrays(np.zeros((16, 8, 9, 3), np.uint8), names, class_names=list("wsen")).shape == (3, 8, 9)
    both = np.zeros(16, [("a", "f4"), ("b", "i2"), ("label", "U3")])
    both["label"], both["a"], both["b"] = names, x[:, 0], numbers
    np.save(tmp_path / "fields.npy", both)
    (tmp_path / "labels.npy").unlink()
    assert load_own(tmp_path / "fields.npy").channels == ("a", "b")
    np.save(tmp_path / "table.npy", np.column_stack([x, numbers]))
    assert load_own(tmp_path / "table.npy").shape == (5, 1, 1)


def test_folds_hold_every_recording_once(tmp_path: Path) -> None:
    groups = np.repeat(np.arange(12), 3)
    data = Dataset.from_arrays(np.arange(36)[:, None] + 0.5, np.array(["a", "b"])[groups % 2], groups=groups)
    tested = []
    for fold in data.folds(3):
        assert fold.train_groups is not None
        assert fold.test_groups is not None
        assert not set(fold.train_groups.tolist()) & set(fold.test_groups.tolist())
        assert np.bincount(fold.test_labels).tolist() == [6, 6]
        tested += fold.test_images.ravel().tolist()
    assert sorted(tested) == (np.arange(36) + 0.5).tolist()
    with pytest.raises(DatasetError, match="a class has 6 recordings only"):
        data.folds(7)


def test_classes_that_become_unknown(tmp_path: Path) -> None:
    for label in ("wave", "noise", "idle"):
        for i, part in enumerate(recordings(4, 30, 0.3)):
            write(tmp_path / label / f"{i}.csv", as_csv(part))
    data = load_own(tmp_path, Reading(unknown=("noise", "idle")))
    assert data.class_names == ("unknown", "wave")
    assert np.bincount(data.labels).tolist() == [8, 4]


def test_a_folder_that_changes_is_read_anew(tmp_path: Path) -> None:
    for label in "ab":
        write(tmp_path / f"{label}.csv", as_csv(ROWS))
    assert load_own(tmp_path) is load_own(tmp_path)
    write(tmp_path / "c.csv", as_csv(ROWS))
    assert load_own(tmp_path).classes == 3
    assert datasets.info(str(tmp_path)).classes == 3
