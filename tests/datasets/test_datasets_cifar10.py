"""CIFAR-10 from small batches, pickled here byte by byte as Python 2 pickled the published ones."""

import gzip
import hashlib
import io
import os
import pickle
import struct
import tarfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from fault_server import FaultServer, Reply

from ebnn.datasets import Dataset, cifar10, info
from ebnn.datasets.cifar10_batches import parse_batch
from ebnn.errors import DatasetError

PIXELS = 3 * 32 * 32


def text(data: bytes) -> bytes:
    """A Python 2 str."""
    return b"T" + struct.pack("<I", len(data)) + data


def array(raw: bytes, shape: tuple[int, ...], dtype: bytes = b"u1", fortran: bool = False) -> bytes:
    """numpy.ndarray as NumPy 1 pickled it in Python 2, protocol 2."""
    build = b"cnumpy.core.multiarray\n_reconstruct\n" + b"cnumpy\nndarray\n" + b"K\0\x85" + text(b"b") + b"\x87R"
    sizes = b"(" + b"".join(b"J" + struct.pack("<i", size) for size in shape) + b"t"
    kind = b"cnumpy\ndtype\n" + text(dtype) + b"K\0K\1\x87R"
    kind += b"(K\3" + text(b"|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
    return build + b"(K\1" + sizes + kind + (b"\x88" if fortran else b"\x89") + text(raw) + b"tb"


def pickled(data: bytes, labels: bytes) -> bytes:
    return b"\x80\2}(" + text(b"data") + data + text(b"labels") + labels + b"u."


def numbers(*labels: int) -> bytes:
    return b"](" + b"".join(b"K" + bytes([label]) for label in labels) + b"e"


def images(first: int, count: int) -> np.ndarray:
    return ((np.arange(count * PIXELS) + first) % 251).astype(np.uint8).reshape(count, PIXELS)


def batch(first: int, *labels: int) -> bytes:
    rows = images(first, len(labels))
    return pickled(array(rows.tobytes(), rows.shape), numbers(*labels))


BATCHES = {"one": batch(0, 3, 9), "two": batch(7, 0), "test_batch": batch(50, 1, 2)}
COUNTS = {"one": 2, "two": 1, "test_batch": 2}


def archive_of(batches: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, data in {"batches.meta": b"not read", **batches}.items():
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


ARCHIVE = archive_of(BATCHES)


def source_of(batches: dict[str, bytes], archive: bytes = ARCHIVE, *urls: str) -> cifar10.Source:
    specs = [cifar10.Batch(name, COUNTS[name], hashlib.md5(data).hexdigest()) for name, data in batches.items()]
    return cifar10.Source(urls, len(archive), hashlib.md5(archive).hexdigest(), tuple(specs[:-1]), specs[-1], timeout=5)


SOURCE = source_of(BATCHES)


def write_folder(folder: Path, batches: dict[str, bytes]) -> Path:
    (folder / "cifar-10-batches-py").mkdir()
    for name, data in batches.items():
        (folder / "cifar-10-batches-py" / name).write_bytes(data)
    return folder


def check(loaded: Dataset) -> None:
    assert (loaded.name, loaded.kind, loaded.shape, loaded.classes) == ("cifar10", "uint8", (3, 32, 32), 10)
    assert loaded.train_labels.tolist() == [3, 9, 0]
    assert loaded.test_labels.tolist() == [1, 2]
    assert loaded.train_labels.dtype == np.int32
    assert loaded.train_images.dtype == np.uint8
    assert np.array_equal(loaded.train_images[:2].reshape(2, PIXELS), images(0, 2))
    assert np.array_equal(loaded.train_images[2:].reshape(1, PIXELS), images(7, 1))
    # image 1, blue (channel 2), row 3, column 4
    assert loaded.test_images[1, 2, 3, 4] == (50 + PIXELS + 2 * 1024 + 3 * 32 + 4) % 251


def test_from_the_batches(tmp_path: Path) -> None:
    check(cifar10.load_cifar10(write_folder(tmp_path, BATCHES), source=SOURCE))


def test_from_the_archive_without_writing_anything(tmp_path: Path) -> None:
    (tmp_path / cifar10.ARCHIVE).write_bytes(ARCHIVE)
    check(cifar10.load_cifar10(tmp_path, source=SOURCE))
    assert [path.name for path in tmp_path.iterdir()] == [cifar10.ARCHIVE]


def test_download_into_the_cache(server: FaultServer, cache: Path) -> None:
    half, good = server.serve("half", Reply(ARCHIVE[:-9])), server.serve("good", Reply(ARCHIVE))
    source = source_of(BATCHES, ARCHIVE, half, good)
    check(cifar10.load_cifar10(source=source))
    assert (cache / cifar10.ARCHIVE).read_bytes() == ARCHIVE
    assert [path for path, _ in server.requests] == ["half", "good"]
    check(cifar10.load_cifar10(source=source, download=False))
    (cache / cifar10.ARCHIVE).unlink()
    with pytest.raises(DatasetError, match=r"could not be downloaded: .*its MD5 is .*set EBNN_DATA"):
        cifar10.load_cifar10(source=source_of(BATCHES, ARCHIVE, half))


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"cifar-10-python\.tar\.gz is missing in the folder given.*put it there"):
        cifar10.load_cifar10(tmp_path, source=SOURCE)
    write_folder(tmp_path, {name: data for name, data in BATCHES.items() if name != "two"})
    with pytest.raises(DatasetError, match="cifar-10-batches-py/two is missing: CIFAR-10 has 3 batches"):
        cifar10.load_cifar10(tmp_path, source=SOURCE)


def test_an_archive_without_a_batch_is_refused(tmp_path: Path) -> None:
    (tmp_path / cifar10.ARCHIVE).write_bytes(archive_of({"one": BATCHES["one"], "two": BATCHES["two"]}))
    with pytest.raises(DatasetError, match=r"tar\.gz lacks cifar-10-batches-py/test_batch: replace it"):
        cifar10.load_cifar10(tmp_path, source=SOURCE)


@pytest.mark.parametrize("length", [0, 1, 20, len(ARCHIVE) // 2, len(ARCHIVE) - 200])
def test_an_archive_cut_short_is_refused(tmp_path: Path, length: int) -> None:
    (tmp_path / cifar10.ARCHIVE).write_bytes(ARCHIVE[:length])
    with pytest.raises(DatasetError, match=r"cifar-10-python\.tar\.gz (is cut short or damaged|cannot be read)"):
        cifar10.load_cifar10(tmp_path, source=SOURCE)


def test_a_link_in_the_archive_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "one"
    secret.write_bytes(BATCHES["one"])
    with tarfile.open(tmp_path / cifar10.ARCHIVE, "w:gz") as archive:
        member = tarfile.TarInfo("cifar-10-batches-py/one")
        member.type, member.linkname = tarfile.SYMTYPE, str(secret)
        archive.addfile(member)
    with pytest.raises(DatasetError, match="lacks cifar-10-batches-py/one"):
        cifar10.load_cifar10(tmp_path, source=SOURCE)


def test_a_batch_of_other_bytes_is_refused(tmp_path: Path) -> None:
    write_folder(tmp_path, {**BATCHES, "two": batch(8, 0)})
    with pytest.raises(DatasetError, match=r"two is not the published two: .* expected is .*: replace it"):
        cifar10.load_cifar10(tmp_path, source=SOURCE)


class Attack:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.path), "w")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_calls_something_is_refused(tmp_path: Path, protocol: int) -> None:
    evil = pickle.dumps({"data": Attack(tmp_path / "written"), "labels": [0]}, protocol)
    batches = {**BATCHES, "two": evil}
    write_folder(tmp_path, batches)
    (tmp_path / cifar10.ARCHIVE).write_bytes(archive_of(batches))
    for _ in ("folder", "archive"):
        with pytest.raises(
            DatasetError, match=r"two,? is refused: .*it asks for \w+\.open, which no CIFAR batch needs"
        ):
            cifar10.load_cifar10(tmp_path, source=source_of(batches))
        if (tmp_path / cifar10.FOLDER).exists():
            (tmp_path / cifar10.FOLDER).rename(tmp_path / "away")
    assert not (tmp_path / "written").exists()


@pytest.mark.parametrize(
    "name",
    ["os.system", "builtins.eval", "numpy.load", "numpy.core.multiarray.scalar", "numpy.ndarray.tofile", "sys.exit"],
)
def test_no_other_name_is_known(name: str) -> None:
    module, _, attribute = name.rpartition(".")
    evil = b"\x80\4" + b"".join(b"\x8c" + bytes([len(part)]) + part.encode() for part in (module, attribute)) + b"\x93."
    with pytest.raises(DatasetError, match=f"it asks for {name}, which no CIFAR batch needs"):
        parse_batch(evil, "b", 1, 1, 10)


ONE = array(b"\1\2\3", (1, 3))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "b is refused: its pickle cannot be read"),
        (b"\x80\2}.", "b is not a CIFAR batch: it has no entries"),
        (b"\x80\2].", "b is not a CIFAR batch: it has no entries"),
        (pickled(b"N", numbers(0)), "'data' is not an array of bytes in rows"),
        (pickled(array(b"\1\2\3", (1, 4)), numbers(0)), "'data' is not an array of bytes in rows"),
        (pickled(array(b"\1\2\3\4", (1, 2), b"u2"), numbers(0)), "'data' is not an array of bytes in rows"),
        (pickled(array(b"\1\2\3", (1, 3), b"O8"), numbers(0)), "'data' is not an array of bytes in rows"),
        (pickled(array(b"\1\2\3", (1, 3), fortran=True), numbers(0)), "'data' is not an array of bytes in rows"),
        (pickled(array(b"\1\2\3", (-1, -3)), numbers(0)), "b (is refused|holds images of shape)"),
        (pickled(array(b"\1\2\3", (3, 1)), numbers(0)), r"b holds images of shape \(3, 1\), expected is \(1, 3\)"),
        (pickled(ONE, numbers(0, 1)), "b holds 2 labels for 1 images"),
        (pickled(ONE, b"N"), "b holds 0 labels for 1 images"),
        (pickled(ONE, numbers(10)), "b holds a label that is not a number from 0 to 9"),
        (pickled(ONE, b"](" + text(b"0") + b"e"), "b holds a label that is not a number from 0 to 9"),
    ],
)
def test_other_contents_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        parse_batch(data, "b", 1, 3, 10)


def test_a_batch_cut_anywhere_is_refused() -> None:
    data = pickled(ONE, numbers(4))
    assert parse_batch(data, "b", 1, 3, 10)[0].tolist() == [[1, 2, 3]]
    for length in range(len(data)):
        with pytest.raises(DatasetError, match="b is refused"):
            parse_batch(data[:length], "b", 1, 3, 10)


def test_a_hand_made_batch_is_what_pickle_reads() -> None:
    read = pickle.loads(BATCHES["one"], encoding="bytes")
    assert np.array_equal(read[b"data"], images(0, 2))
    assert read[b"labels"] == [3, 9]


def test_the_published_source() -> None:
    assert sum(part.images for part in cifar10.PUBLISHED.train) == 50000
    assert cifar10.PUBLISHED.test.images == 10000
    assert (info("cifar10").train, info("cifar10").test) == (50000, 10000)
    assert len(cifar10.PUBLISHED.urls) > 1
    assert all(url.startswith("https://") for url in cifar10.PUBLISHED.urls)


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind) -> None:
    """Whether the zeros are a file, or a header that tarfile reads into memory."""
    monkeypatch.setattr(cifar10, "MAX_ARCHIVE_BYTES", 1 << 20)
    member = tarfile.TarInfo("other")
    member.type, member.size = kind, 1 << 24
    path = tmp_path / cifar10.ARCHIVE
    path.write_bytes(gzip.compress(member.tobuf() + bytes(1 << 24)))
    tracemalloc.start()
    with pytest.raises(DatasetError, match=r"unpacks to more than the 1,048,576 bytes allowed"):
        cifar10.read_archive(path)
    assert tracemalloc.get_traced_memory()[1] < 1 << 23
    tracemalloc.stop()


@pytest.mark.parametrize("name", [cifar10.ARCHIVE, "cifar-10-batches-py/data_batch_1"])
def test_a_pipe_is_not_waited_for(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    os.mkfifo(tmp_path / name)
    with pytest.raises(DatasetError, match="is no file"):
        cifar10.load_cifar10(tmp_path)


@pytest.mark.chainer
def test_the_recipe_for_alexnet_trains_on_batches(tmp_path: Path) -> None:
    """On a stand-in of 40 images in files of the published ones' form, as `ebnn train --recipe` does on them."""
    from ebnn.recipes import load_recipe
    from ebnn.training import read_settings, train_network
    from ebnn.training.task import Task

    labels = [n % 10 for n in range(16)]
    batches = {
        "data_batch_1": batch(0, *labels),
        "data_batch_2": batch(7, *labels),
        "test_batch": batch(50, *labels[:8]),
    }
    counts = {"data_batch_1": 16, "data_batch_2": 16, "test_batch": 8}
    specs = [cifar10.Batch(name, counts[name], hashlib.md5(data).hexdigest()) for name, data in batches.items()]
    folder = write_folder(tmp_path, batches)
    data = cifar10.load_cifar10(folder, source=cifar10.Source((), 0, "", tuple(specs[:-1]), specs[-1]))
    options = load_recipe("cifar10-alexnet").options
    small = {"epochs": 1, "validation": 8, "batch_size": 12, "statistics_samples": 24}
    settings = read_settings({**options, **small})
    task = Task(data, settings.input_kind, tmp_path / "run")
    trained = train_network(task, options["architecture"], settings.config)
    assert trained.network.shapes[-1] == (10, 2, 2)
    assert trained.network.predict(data.test_images).shape == (8,)
