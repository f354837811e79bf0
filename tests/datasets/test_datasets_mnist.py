"""MNIST: a small one made by hand for every way it can go wrong, and the whole one."""

import gzip
import hashlib
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fault_server import FaultServer, Reply

from ebnn import datasets
from ebnn.datasets import mnist
from ebnn.datasets.places import find_place
from ebnn.errors import DatasetError

FILES = {
    "train-images": struct.pack(">4I", 0x803, 3, 2, 2) + bytes([0, 1, 2, 3, 0, 0, 0, 255, 9, 8, 7, 0]),
    "train-labels": struct.pack(">2I", 0x801, 3) + bytes([5, 0, 9]),
    "test-images": struct.pack(">4I", 0x803, 2, 2, 2) + bytes([4, 0, 0, 4, 1, 1, 1, 1]),
    "test-labels": struct.pack(">2I", 0x801, 2) + bytes([1, 2]),
}
SHAPES = {"train-images": (3, 2, 2), "train-labels": (3,), "test-images": (2, 2, 2), "test-labels": (2,)}


def source_of(files: dict[str, bytes], *mirrors: str) -> mnist.Source:
    specs = {
        name.replace("-", "_"): mnist.IdxFile(name, SHAPES[name], hashlib.sha256(data).hexdigest())
        for name, data in files.items()
    }
    return mnist.Source(mirrors, **specs, timeout=5)


SOURCE = source_of(FILES)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of the user with all four files, compressed."""
    (tmp_path / "mnist").mkdir()
    for name, data in FILES.items():
        (tmp_path / "mnist" / f"{name}.gz").write_bytes(gzip.compress(data))
    return tmp_path


def check(loaded: datasets.Dataset) -> None:
    assert loaded.train_images.tolist() == [[[[0, 1], [2, 3]]], [[[0, 0], [0, 255]]], [[[9, 8], [7, 0]]]]
    assert loaded.train_labels.tolist() == [5, 0, 9]
    assert loaded.test_images.tolist() == [[[[4, 0], [0, 4]]], [[[1, 1], [1, 1]]]]
    assert loaded.test_labels.tolist() == [1, 2]


def serve(server: FaultServer, mirror: str, **changed: Reply) -> str:
    for name, data in FILES.items():
        server.serve(f"{mirror}/{name}.gz", changed.get(name.replace("-", "_"), Reply(gzip.compress(data))))
    return f"{server.url}{mirror}/"


def test_from_a_folder(folder: Path) -> None:
    loaded = mnist.load_mnist(folder, source=SOURCE)
    check(loaded)
    assert (loaded.name, loaded.kind, loaded.shape, loaded.classes) == ("mnist", "uint8", (1, 2, 2), 10)
    assert loaded.train_images.dtype == np.uint8
    assert loaded.train_labels.dtype == np.int32


def test_from_decompressed_files(folder: Path) -> None:
    for name, data in FILES.items():
        (folder / "mnist" / f"{name}.gz").unlink()
        (folder / "mnist" / name).write_bytes(data)
    check(mnist.load_mnist(folder, source=SOURCE))


def test_from_the_folder_that_ebnn_data_names(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EBNN_DATA", str(folder))
    check(mnist.load_mnist(source=SOURCE))


def test_the_folder_given_comes_before_ebnn_data(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EBNN_DATA", str(folder / "nowhere"))
    check(mnist.load_mnist(folder, source=SOURCE))


def test_binary_mnist_is_pixel_not_zero(folder: Path) -> None:
    loaded = mnist.load_binary(folder, source=SOURCE)
    assert (loaded.name, loaded.kind, loaded.shape) == ("binary-mnist", "bits", (1, 2, 2))
    assert loaded.train_images.dtype == np.uint8
    assert loaded.train_images.reshape(3, 4).tolist() == [[0, 1, 1, 1], [0, 0, 0, 1], [1, 1, 1, 0]]
    assert loaded.test_images.reshape(2, 4).tolist() == [[1, 0, 0, 1], [1, 1, 1, 1]]
    assert loaded.test_labels.tolist() == [1, 2]


@pytest.mark.parametrize("name", list(FILES))
def test_a_file_missing_in_a_users_folder_is_named_and_not_downloaded(
    folder: Path, server: FaultServer, cache: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    source = source_of(FILES, serve(server, "mirror"))
    (folder / "mnist" / f"{name}.gz").unlink()
    with pytest.raises(DatasetError, match=rf"mnist/{name}\.gz is missing in the folder given.*give another folder"):
        mnist.load_mnist(folder, source=source)
    monkeypatch.setenv("EBNN_DATA", str(folder))
    with pytest.raises(DatasetError, match=rf"mnist/{name}\.gz is missing.*unset EBNN_DATA to download"):
        mnist.load_mnist(source=source)
    assert server.requests == []
    assert not cache.exists()
    there, absent = mnist.present(find_place(folder), source)
    assert absent == [folder / "mnist" / f"{name}.gz"]
    assert len(there) == 3


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DatasetError, match="none, the folder given, is not a folder"):
        mnist.load_mnist(tmp_path / "none", source=SOURCE)
    monkeypatch.setenv("EBNN_DATA", str(tmp_path / "none"))
    with pytest.raises(DatasetError, match="none, the folder that EBNN_DATA names, is not a folder"):
        mnist.load_mnist(source=SOURCE)


PACKED = gzip.compress(FILES["test-images"], mtime=0)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (PACKED[:-1], "is cut short: its gzip stream has no end"),
        (PACKED[:12] + b"\xff\xff" + PACKED[14:], "is damaged: its gzip stream is invalid"),
        (b"", "is not an IDX file"),
        (gzip.compress(FILES["test-images"][:-1], mtime=0), "is cut short: it has 23 bytes, its header states 24"),
        (gzip.compress(FILES["test-images"] + b"\0", mtime=0), "is too long: it holds more than the 24 bytes expected"),
        (
            gzip.compress(b"\0\0\x0d\x03" + FILES["test-images"][4:], mtime=0),
            "is not an IDX file of bytes: it starts with 0000",
        ),
        (gzip.compress(struct.pack(">4I", 0x803, 1, 2, 2) + bytes(4), mtime=0), "holds an array of shape"),
        (gzip.compress(FILES["test-images"][:-1] + b"\2", mtime=0), "is not the published test-images: the SHA-256"),
    ],
)
def test_a_damaged_file_is_named_and_never_used(folder: Path, data: bytes, problem: str) -> None:
    path = folder / "mnist" / "test-images.gz"
    path.write_bytes(data)
    with pytest.raises(DatasetError) as caught:
        mnist.load_mnist(folder, source=SOURCE)
    message = str(caught.value)
    assert message.startswith(f"{path} {problem}")
    assert message.endswith(": replace it, or give another folder")


def test_labels_that_do_not_fit_are_refused(folder: Path) -> None:
    labels = struct.pack(">2I", 0x801, 2) + bytes([1, 10])
    (folder / "mnist" / "test-labels.gz").write_bytes(gzip.compress(labels))
    with pytest.raises(DatasetError, match="mnist test labels run from 1 to 10: 0 to 9 is allowed"):
        mnist.load_mnist(folder, source=source_of({**FILES, "test-labels": labels}))


def test_download_into_the_cache_once(server: FaultServer, cache: Path) -> None:
    source = source_of(FILES, serve(server, "mirror"))
    names: list[str] = []
    check(mnist.load_mnist(source=source, progress=lambda name, done, total: names.append(name)))
    assert {path.name for path in (cache / "mnist").iterdir()} == {*(f"{name}.gz" for name in FILES), ".lock"}
    assert list(dict.fromkeys(names)) == [f"{name}.gz" for name in FILES]
    assert len(server.requests) == 4
    check(mnist.load_mnist(source=source, download=False))
    assert len(server.requests) == 4


def test_a_mirror_with_bad_bytes_gives_way(server: FaultServer, cache: Path) -> None:
    bad = Reply(gzip.compress(FILES["train-labels"][:-1] + b"\1"))
    source = source_of(FILES, serve(server, "first", train_labels=bad), serve(server, "second"))
    check(mnist.load_mnist(source=source))
    paths = [path for path, _ in server.requests]
    assert [path for path in paths if "labels" in path] == [
        "first/train-labels.gz",
        "second/train-labels.gz",
        "first/test-labels.gz",
    ]


def test_an_interrupted_download_is_resumed(server: FaultServer, cache: Path) -> None:
    source = source_of(FILES, serve(server, "mirror"))
    (cache / "mnist").mkdir(parents=True)
    (cache / "mnist" / "train-images.gz.part").write_bytes(gzip.compress(FILES["train-images"], mtime=0)[:20])
    server.serve("mirror/train-images.gz", Reply(gzip.compress(FILES["train-images"], mtime=0)))
    check(mnist.load_mnist(source=source))
    assert server.requests[0] == ("mirror/train-images.gz", "bytes=20-")


def test_a_damaged_file_in_the_cache_is_named_and_replaced(server: FaultServer, cache: Path) -> None:
    source = source_of(FILES, serve(server, "mirror"))
    mnist.load_mnist(source=source)
    path = cache / "mnist" / "test-labels.gz"
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(DatasetError, match=rf"{path} is cut short.*allow the download to replace it"):
        mnist.load_mnist(source=source, download=False)
    with pytest.warns(UserWarning, match=f"{path} is cut short.*downloading it again"):
        check(mnist.load_mnist(source=source))
    check(mnist.load_mnist(source=source, download=False))


def test_no_mirror_says_what_else_to_do(server: FaultServer, cache: Path) -> None:
    source = source_of(FILES, f"{server.url}none/", f"{server.url}nothing/")
    with pytest.raises(DatasetError) as caught:
        mnist.load_mnist(source=source)
    message = str(caught.value)
    assert message.startswith("train-images.gz could not be downloaded: ")
    assert message.count("HTTP 404") == 2
    assert "set EBNN_DATA" in message
    with pytest.raises(DatasetError, match=r"train-images\.gz is missing in the cache and downloading is off"):
        mnist.load_mnist(source=source, download=False)


def test_the_published_files_have_the_sizes_of_mnist() -> None:
    assert [file.bytes for file in mnist.PUBLISHED.files] == [47_040_016, 60_008, 7_840_016, 10_008]
    assert len(mnist.PUBLISHED.mirrors) > 1
    assert all(mirror.startswith("https://") and mirror.endswith("/") for mirror in mnist.PUBLISHED.mirrors)
    for name in ("mnist", "binary-mnist"):
        info = datasets.info(name)
        assert (info.train, *info.shape[1:]) == mnist.PUBLISHED.train_images.shape
        assert (info.test,) == mnist.PUBLISHED.test_labels.shape


def test_all_of_mnist(require_mnist: Path) -> None:
    grey = datasets.load("mnist", folder=require_mnist)
    assert grey.train_images.shape == (60000, 1, 28, 28)
    assert grey.test_images.shape == (10000, 1, 28, 28)
    assert grey.train_images.flags.c_contiguous
    assert grey.train_labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert np.bincount(grey.test_labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    bits = datasets.load("binary-mnist", folder=require_mnist)
    assert np.array_equal(bits.test_images, grey.test_images != 0)
    assert np.array_equal(bits.train_labels, grey.train_labels)
    for name in ("mnist", "binary-mnist"):
        info, loaded = datasets.info(name), datasets.load(name, folder=require_mnist)
        assert (info.shape, info.classes, info.kind) == (loaded.shape, loaded.classes, loaded.kind)
        assert (info.train, info.test) == (len(loaded.train_labels), len(loaded.test_labels))


def test_fashion_mnist_is_downloaded_to_a_folder_of_its_own(server: FaultServer, cache: Path) -> None:
    """The same files under another name, from another mirror, with names of clothes."""
    source = replace(source_of(FILES, serve(server, "fashion")), name="fashion-mnist", class_names=tuple("abcdefghij"))
    loaded = mnist.load_mnist(source=source)
    check(loaded)
    assert (loaded.name, loaded.class_names[3]) == ("fashion-mnist", "d")
    assert (cache / "fashion-mnist" / "train-images.gz").is_file()
    assert not (cache / "mnist").exists()
    assert [len(each) for each in mnist.present(find_place(None), source)] == [4, 0]
    published = mnist.FASHION
    assert (published.name, published.class_names[9], published.files[3].bytes) == (
        "fashion-mnist",
        "ankle boot",
        10008,
    )
