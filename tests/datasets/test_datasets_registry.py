"""Names, digits, kinds, places, and what importing costs."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ebnn import datasets
from ebnn.datasets.digits import split
from ebnn.errors import DatasetError, InputError, UnknownNameError, WriteError


def test_names() -> None:
    assert datasets.names() == (
        *("digits", "mnist", "binary-mnist", "bits-mnist", "noisy-mnist", "fashion-mnist", "cifar10"),
    )
    assert [datasets.info(name).name for name in datasets.names()] == list(datasets.names())


@pytest.mark.parametrize("ask", [datasets.load, datasets.info, datasets.locate])
def test_an_unknown_name_lists_the_names(ask: object) -> None:
    with pytest.raises(
        UnknownNameError, match=r"no data set is called 'MNIST', did you mean mnist\? there are digits, mnist, binary"
    ):
        ask("MNIST")  # type: ignore[operator]


def test_importing_is_light() -> None:
    code = (
        "import sys, ebnn.datasets; "
        "print([m for m in ('chainer', 'sklearn', 'scipy', 'rich', 'serial') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_digits_are_always_the_same() -> None:
    digits = datasets.load("digits")
    assert (digits.name, digits.kind, digits.shape, digits.classes) == ("digits", "uint8", (1, 8, 8), 10)
    assert digits.train_images.shape == (1347, 1, 8, 8)
    assert digits.test_images.shape == (450, 1, 8, 8)
    assert (digits.train_images.dtype, digits.train_labels.dtype) == (np.uint8, np.int32)
    assert (digits.train_images.min(), digits.train_images.max()) == (0, 16)
    both = np.concatenate([digits.train_images, digits.test_images])
    assert len(np.unique(both.reshape(-1, 64), axis=0)) == 1797
    digest = hashlib.sha256(digits.test_images.tobytes() + digits.test_labels.astype("<i4").tobytes())
    assert digest.hexdigest() == "c8759e5efd4d388f761a6afaab61c5d47944af48f22ec422db9423a123746cdf"
    info = datasets.info("digits")
    assert (info.shape, info.classes, info.kind, info.train, info.test) == ((1, 8, 8), 10, "uint8", 1347, 450)
    assert datasets.locate("digits").state == "bundled"


def test_digits_are_split_by_class() -> None:
    digits = datasets.load("digits")
    counts = np.bincount(np.concatenate([digits.train_labels, digits.test_labels]))
    assert counts.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert np.abs(np.bincount(digits.test_labels) - counts / 4).max() < 1


def test_a_split_uses_every_sample_once() -> None:
    labels = np.array([0, 1, 2] * 5)
    train, test = split(labels)
    assert sorted([*train, *test]) == list(range(15))
    assert len(test) == 4
    assert train.tolist() == sorted(train)


PIXELS = np.array([[[[0, 1, 127, 128, 255]]]], np.uint8)
BITS = np.array([[[[0, 1, 1, 0]]]], np.uint8)


@pytest.mark.parametrize(
    ("images", "source", "kind", "dtype", "expected"),
    [
        (PIXELS, "uint8", "uint8", np.uint8, [0, 1, 127, 128, 255]),
        (PIXELS, "uint8", "bits", np.uint8, [0, 1, 1, 1, 1]),
        (PIXELS, "uint8", "int8", np.int8, [-128, -127, -1, 0, 127]),
        (PIXELS, "uint8", "float", np.float32, [0, 1 / 255, 127 / 255, 128 / 255, 1]),
        (BITS, "bits", "uint8", np.uint8, [0, 1, 1, 0]),
        (BITS, "bits", "bits", np.uint8, [0, 1, 1, 0]),
        (BITS, "bits", "int8", np.int8, [-1, 1, 1, -1]),
        (BITS, "bits", "float", np.float32, [-1, 1, 1, -1]),
    ],
)
def test_convert(images: np.ndarray, source: str, kind: str, dtype: type, expected: list[float]) -> None:
    before = images.copy()
    result = datasets.convert(images, source, kind)  # type: ignore[arg-type]
    assert result.dtype == dtype
    assert result.shape == images.shape
    assert result.flags.c_contiguous
    assert result.ravel().tolist() == np.array(expected, dtype).tolist()
    assert np.array_equal(images, before)


def test_convert_takes_any_layout_and_no_images() -> None:
    turned = np.arange(24, dtype=np.uint8).reshape(2, 1, 3, 4).transpose(0, 1, 3, 2)
    for kind in ("uint8", "bits", "int8", "float"):
        result = datasets.convert(turned, "uint8", kind)
        assert result.flags.c_contiguous
        assert result.shape == (2, 1, 4, 3)
        assert datasets.convert(turned[:0], "bits", kind).shape == (0, 1, 4, 3)


def test_convert_refuses_what_it_does_not_know() -> None:
    with pytest.raises(InputError, match="input kind 'int4' does not exist: choose one of bits, uint8, int8, float"):
        datasets.convert(PIXELS, "uint8", "int4")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="cannot be converted from 'float'"):
        datasets.convert(PIXELS, "float", "uint8")
    with pytest.raises(InputError, match="images are float64: uint8 is needed"):
        datasets.convert(PIXELS / 255, "uint8", "float")
    with pytest.raises(InputError, match="images hold the value 255: bits are 0 and 1"):
        datasets.convert(PIXELS, "bits", "float")


def make(**changed: object) -> datasets.Dataset:
    fields = {
        "name": "made",
        "train_images": np.zeros((2, 1, 3, 4), np.uint8),
        "train_labels": np.array([0, 1], np.int32),
        "test_images": np.ones((1, 1, 3, 4), np.uint8),
        "test_labels": np.array([1], np.int32),
        "kind": "bits",
        "class_names": ("no", "yes"),
    }
    return datasets.Dataset(**{**fields, **changed})  # type: ignore[arg-type]


def test_a_data_set_is_read_only_and_contiguous() -> None:
    turned = np.zeros((2, 1, 4, 3), np.uint8).transpose(0, 1, 3, 2)
    made = make(train_images=turned)
    assert (made.shape, made.classes) == ((1, 3, 4), 2)
    assert made.train_images.flags.c_contiguous
    assert turned.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        made.test_images[0] = 0


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"kind": "float"}, "made: kind is 'float'"),
        ({"train_images": np.zeros((2, 3, 4), np.uint8)}, r"made train images are uint8 of shape \(2, 3, 4\)"),
        ({"test_images": np.zeros((1, 1, 3, 4))}, "made test images are float64"),
        ({"test_images": np.zeros((1, 1, 4, 3), np.uint8)}, r"training images are \(1, 3, 4\), test images are"),
        ({"train_labels": np.array([0], np.int32)}, r"made train labels are int32 of shape \(1,\)"),
        ({"train_labels": np.array([0, 1])}, "made train labels are int64"),
        ({"train_labels": np.array([0, 2], np.int32)}, "made train labels run from 0 to 2: 0 to 1 is allowed"),
        ({"train_labels": np.array([-1, 1], np.int32)}, "made train labels run from -1 to 1"),
        ({"test_images": np.full((1, 1, 3, 4), 2, np.uint8)}, "made test images hold the value 2: bits are 0 and 1"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(changed: dict[str, object], message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        make(**changed)


def test_the_cache_is_where_the_system_keeps_caches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home = tmp_path / "home"
    monkeypatch.setattr(Path, "home", lambda: home)
    xdg, local, own = str(tmp_path / "xdg"), str(tmp_path / "local"), str(tmp_path / "own")
    everything = {"XDG_CACHE_HOME": xdg, "LOCALAPPDATA": local}
    assert datasets.cache_folder({}, windows=False) == home / ".cache" / "ebnn"
    assert datasets.cache_folder({}, windows=True) == home / ".cache" / "ebnn"
    assert datasets.cache_folder(everything, windows=False) == tmp_path / "xdg" / "ebnn"
    assert datasets.cache_folder(everything, windows=True) == tmp_path / "local" / "ebnn"
    assert datasets.cache_folder({"XDG_CACHE_HOME": "relative"}, windows=False) == home / ".cache" / "ebnn"
    assert datasets.cache_folder({**everything, "EBNN_CACHE": own}, windows=False) == tmp_path / "own"


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(WriteError, match="no home folder to keep downloads in: set EBNN_CACHE"):
        datasets.cache_folder({}, windows=False)


def test_where_files_are(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert datasets.locate("mnist").state == "absent"
    assert datasets.locate("mnist").path == cache / "mnist"
    assert not cache.exists()
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "train-images-idx3-ubyte").touch()
    monkeypatch.setenv("EBNN_DATA", str(tmp_path))
    found = datasets.locate("binary-mnist")
    assert (found.state, found.path, found.origin) == (
        "partial",
        tmp_path / "mnist",
        "the folder that EBNN_DATA names",
    )
    assert [path.name for path in found.missing] == [
        "train-labels-idx1-ubyte.gz",
        "t10k-images-idx3-ubyte.gz",
        "t10k-labels-idx1-ubyte.gz",
    ]
    (tmp_path / "cifar-10-python.tar.gz").touch()
    assert datasets.locate("cifar10").state == "present"


def test_ragged_images_and_labels_are_refused() -> None:
    good, ragged = np.zeros((2, 1, 2, 2), np.uint8), [[1], [1, 2]]
    labels = np.zeros(2, np.int32)
    for arrays in ((ragged, labels, good, labels), (good, ragged, good, labels), (good, labels, good, ragged)):
        with pytest.raises(DatasetError, match="differ in shape: give arrays"):
            datasets.Dataset("own", *arrays, "uint8", ("a",))
    with pytest.raises(InputError, match="differ in shape cannot be converted"):
        datasets.convert(ragged, "uint8", "bits")


def test_which_data_sets_have_files() -> None:
    assert [name for name in datasets.names() if not datasets.has_files(name)] == ["digits"]
    with pytest.raises(UnknownNameError, match="no data set is called"):
        datasets.has_files("other")
