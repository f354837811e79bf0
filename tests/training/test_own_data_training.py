"""From data of one's own to a network that takes raw values: the encoder, the names, folds, distortions."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import ebnn
from ebnn.cli import main
from ebnn.datasets import Dataset, Info, Reading
from ebnn.datasets.own import load_own
from ebnn.errors import DatasetError, TrainingError, UnknownNameError
from ebnn.model.encoders import Affine, Thermometer
from ebnn.training import TrainConfig, read_settings
from ebnn.training.augmentation import distortion
from ebnn.training.choosing import choose, raw_kind
from ebnn.training.encoder_fitting import fit_encoder
from ebnn.training.front_ends import find_front_end
from ebnn.training.labelled_samples import Samples
from ebnn.training.series_augmentation import SeriesDistortion, encoded

RANDOM = np.random.default_rng(3)


def test_ranges_hold_against_outliers_and_clipped_samples_are_counted() -> None:
    x = RANDOM.normal(size=(500, 2, 1, 10)).astype(np.float32)
    x[:, 1] *= 1000
    whole = fit_encoder(x, "int8")
    assert isinstance(whole.encoder, Affine)
    x[7, 0, 0, 3] = 1e9
    x[9, 1, 0, 3] = -1e9
    fitted = fit_encoder(x, "int8")
    assert (fitted.clipped, fitted.samples) == (2, 500)
    assert fitted.sentence() == "2 channels scaled to int8; 2 samples of 500 clipped"
    assert isinstance(fitted.encoder, Affine)
    np.testing.assert_allclose(fitted.encoder.scale, whole.encoder.scale, rtol=0.2)
    bits = fit_encoder(x, "bits", 4).encoder
    assert isinstance(bits, Thermometer)
    assert np.abs(encoded(bits, x).reshape(500, 2, 4, 10).mean(axis=(0, 3)) - [0.8, 0.6, 0.4, 0.2]).max() < 0.01
    with pytest.raises(TrainingError, match="0 bits for each value: give 1 to 64"):
        fit_encoder(x, "bits", 0)
    with pytest.raises(TrainingError, match=r"a raw value is over 1\.27e\+30"):
        fit_encoder(x * np.float32(1e25), "int8")


def test_distortions_of_series_move_what_they_say() -> None:
    rows = np.arange(40, dtype=np.float32)
    raw = np.stack([rows, 2 * rows, 0 * rows + 5])[None, :, None].repeat(8, axis=0)
    encoder = Affine.of_ranges([-100] * 3, [100] * 3, "int8")
    spread = np.ones(3, np.float32)
    same = SeriesDistortion(encoder, spread)(raw, np.random.RandomState(0))
    np.testing.assert_array_equal(same, encoder.apply(raw))
    moved = SeriesDistortion(encoder, spread, time_shift=9)(raw, np.random.RandomState(0))
    assert moved.dtype == np.int8
    assert len({each.tobytes() for each in moved}) == 8
    np.testing.assert_array_equal(moved[:, 2], same[:, 2])  # a constant channel has no time
    turned = SeriesDistortion(encoder, spread, turn=180)(raw, np.random.RandomState(0)).astype(float)
    lengths = [np.linalg.norm(each[:, :, 0] + 0.5, axis=1) for each in (turned, same.astype(float))]
    assert np.abs(lengths[0] - lengths[1]).max() < 2  # turning keeps lengths, to the encoder's steps
    samples = Samples(encoder.apply(raw), np.zeros(8, np.int32), "int8", None, raw, encoder)
    assert distortion(TrainConfig(), samples) is None
    assert isinstance(distortion(TrainConfig(jitter=0.1), samples), SeriesDistortion)
    with pytest.raises(TrainingError, match="distort pictures: other raw samples take jitter"):
        distortion(TrainConfig(shift=1), samples)
    with pytest.raises(TrainingError, match="distort raw samples: pictures take shift"):
        distortion(TrainConfig(turn=1), Samples(samples.images, samples.labels, "int8"))


def test_validation_holds_out_whole_recordings() -> None:
    groups = np.repeat(np.arange(20, dtype=np.int32), 5)
    raw = RANDOM.normal(size=(100, 1, 1, 4)).astype(np.float32)
    encoder = fit_encoder(raw, "int8").encoder
    rest, held_out = Samples(encoder.apply(raw), groups % 2, "int8", groups, raw, encoder).split(20)
    assert (len(rest), len(held_out)) == (80, 20)
    assert rest.groups is not None
    assert held_out.groups is not None
    assert not set(rest.groups.tolist()) & set(held_out.groups.tolist())
    assert np.bincount(held_out.labels).tolist() == [10, 10]
    np.testing.assert_array_equal(encoder.apply(held_out.raw), held_out.images)


def write_table(folder: Path, name: str = "flowers.csv") -> Path:
    """Two columns of sizes that differ by a thousand: unscaled, one of them would be lost."""
    kinds = np.arange(60) % 3
    x = np.stack([RANDOM.normal(kinds == 1, 0.1), 1000 * RANDOM.normal(kinds == 2, 0.1)], axis=1)
    lines = [f"{a:.3f};{b:.1f};{('aster', 'Rose é', 'x' * 90)[k]}" for (a, b), k in zip(x, kinds, strict=True)]
    path = folder / name
    path.write_text("\n".join(["width (cm);mass (g);kind", *lines]).replace(".", ","))
    return path


@pytest.mark.chainer
def test_a_table_becomes_a_network_that_takes_its_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is asked for but fewer epochs; the network knows encoder, classes and channels."""
    monkeypatch.chdir(tmp_path)
    path = write_table(tmp_path)
    result = CliRunner().invoke(main, ["train", "--data", path.name, "--epochs", "60", "-o", "f.ebnn"])
    assert result.exit_code == 0, result.output
    assert "2 channels scaled to int8; " in result.output
    assert "2 values a sample: as with --architecture d32w8a8-ow8 --batch-size 64" in result.output
    network, data = ebnn.load("f.ebnn"), load_own(path)
    assert network.meta.class_names == ("Rose é", "aster", "x" * 64)
    assert (network.meta.channel_names, network.meta.channel_units) == (("width", "mass"), ("cm", "g"))
    accuracy = (network.predict_raw(data.test_images) == data.test_labels).mean()
    assert f"test accuracy {100 * accuracy:.2f} %" in result.output
    assert accuracy > 0.9
    encoder = fit_encoder(data.train_images, "int8").encoder  # of the training part alone
    assert isinstance(encoder, Affine)
    assert isinstance(network.encoder, Affine)
    np.testing.assert_array_equal(network.encoder.offset, encoder.offset)
    np.testing.assert_array_equal(network.encoder.scale, encoder.scale)


@pytest.mark.chainer
def test_folds_are_trained_and_counted_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["train", "--data", str(write_table(tmp_path)), "--folds", "3", "--epochs", "12", "--class-weights"]
    result = CliRunner().invoke(main, [*words, "--json", "folds.json"])
    assert result.exit_code == 0, result.output
    import json

    found = json.loads((tmp_path / "folds.json").read_text())
    confusion = np.array(found["confusion"])
    assert confusion.sum(axis=1).tolist() == [20, 20, 20]
    assert found["accuracy"] == np.trace(confusion) / 60
    right = sum(fold["accuracy"] * fold["test_samples"] for fold in found["folds"])
    assert round(right) == np.trace(confusion)
    assert f"{np.trace(confusion)} of 60 right" in result.output
    assert (tmp_path / "runs/flowers/fold-3/model.ebnn").is_file()


@pytest.mark.chainer
def test_what_is_chosen_can_be_trained_whatever_the_shape() -> None:
    """Tables, short and long series, pictures of any side; each is built, and its settings are taken."""
    shapes = [(c, 1, 1) for c in (1, 3, 4, 30, 300)] + [
        (c, 1, w) for c in (1, 2, 6) for w in (2, 7, 8, 9, 16, 119, 400)
    ]
    pictures = [
        (c, h, w) for c in (1, 3) for h, w in ((2, 2), (5, 9), (6, 6), (12, 12), (13, 40), (28, 28), (40, 48), (64, 64))
    ]
    for kind, several in (("raw", shapes + pictures), ("uint8", pictures), ("bits", pictures)):
        for shape in several:
            for train, sliding in ((20, False), (5000, True)):
                choice = choose(Info("x", "", shape, 3, train, 9, kind, sliding))
                architecture = choice.values["architecture"]
                taken = raw_kind(shape) if kind == "raw" else kind
                find_front_end().build(architecture, shape, 3, taken, 0)
                settings = read_settings(choice.values)
                assert ("c" in architecture) == (
                    min(shape[1:]) > 5 or (kind, shape[1], shape[2] > 7) == ("raw", 1, True)
                )
                assert settings.config.epochs == choice.values["epochs"]
                assert f"--architecture {architecture} " in choice.sentence()


@pytest.mark.chainer
@pytest.mark.parametrize(("side", "limit"), [(28, 3_000), (64, 7_500), (128, 22_000)])
def test_networks_for_pictures_take_little_more_ram_than_the_picture(side: int, limit: int) -> None:
    choice = choose(Info("x", "", (1, side, side), 5, 200, 50, "uint8"))
    front_end = find_front_end()
    model = front_end.build(choice.values["architecture"], (1, side, side), 5, "uint8", 0)
    assert front_end.lower(model, (1, side, side), "uint8").arena_bytes < limit


@pytest.mark.chainer
@pytest.mark.parametrize("kind", ["int8", "bits"])
@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        ((9, 9), "f4"),
        ((7, 12), "f4"),
        ((3, 8, 8), "f8"),
        ((6, 6, 3), "i4"),
        ((1, 5, 5), "u1"),
        ((2, 1, 20), "f4"),
        ((5,), "i8"),
        ((1,), "f4"),
    ],
)
def test_arrays_of_any_shape_train_with_the_defaults(
    shape: tuple[int, ...], dtype: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    labels = np.arange(24) % 2
    x = RANDOM.random((24, *shape)) + labels.reshape(24, *[1] * len(shape))
    np.savez("d.npz", x=(100 * x).astype(dtype), y=np.array(["left", "right"])[labels])
    result = CliRunner().invoke(main, ["train", "--data", "d.npz", "--epochs", "1", "--input", kind, "-o", "n.ebnn"])
    assert result.exit_code == 0, result.output
    network, data = ebnn.load("n.ebnn"), load_own(tmp_path / "d.npz")
    if network.encoder is not None:
        assert set(network.predict_raw(data.test_images)) <= {0, 1}


def test_jitter_and_gain_keep_the_rows_of_pictures() -> None:
    raw = RANDOM.normal(size=(6, 2, 5, 4)).astype(np.float32)
    encoder = fit_encoder(raw, "int8").encoder
    samples = Samples(encoder.apply(raw), np.zeros(6, np.int32), "int8", None, raw, encoder)
    same = SeriesDistortion(encoder, raw.std(axis=(0, 2, 3)))(raw, np.random.RandomState(0))
    np.testing.assert_array_equal(same, samples.images)
    distort = distortion(TrainConfig(jitter=0.1, gain=0.1), samples)
    assert distort is not None
    assert distort(raw, np.random.RandomState(0)).shape == samples.images.shape
    with pytest.raises(TrainingError, match="distort series: samples of 5 rows and 4 columns take jitter and gain"):
        distortion(TrainConfig(time_shift=1), samples)


def test_raw_pictures_are_distorted_as_others_are_and_their_ground_is_the_least_value() -> None:
    raw = np.full((40, 1, 7, 9), -3, np.float32)
    raw[:, :, 2:5, 3:6] = 5
    encoder = Affine.of_ranges([-3], [5], "int8")
    samples = Samples(encoder.apply(raw), np.zeros(40, np.int32), "int8", None, raw, encoder)
    distort = distortion(TrainConfig(shift=3), samples)
    assert distort is not None
    moved = distort(raw, np.random.RandomState(0))
    assert moved.dtype == np.int8
    assert set(np.unique(moved)) == {-128, 127}
    assert len({each.tobytes() for each in moved}) > 10
    turned = distortion(TrainConfig(rotation=90, mirror=True), samples)
    assert turned is not None
    assert turned(raw, np.random.RandomState(0))[:, 0, 0, 0].max() == -128


@pytest.mark.chainer
def test_one_call_fits_arrays_and_files(tmp_path: Path) -> None:
    labels = np.array(["high", "low"])[np.arange(80) % 2]
    x = RANDOM.normal(size=(80, 3)) + 8.0 * (labels == "high")[:, None]
    data = Dataset.from_arrays(x, labels)
    network = ebnn.fit(data, epochs=30)
    assert [network.class_name(k) for k in network.predict_raw(data.test_images)] == [
        data.class_names[k] for k in data.test_labels
    ]
    rows = "\n".join(",".join([*map(str, row), name]) for row, name in zip(x, labels, strict=True))
    (tmp_path / "t.csv").write_text("x,y,z,label\n" + rows)
    for epochs in (2, 3):  # the run that is there is replaced
        ebnn.fit(tmp_path / "t.csv", out=tmp_path / "run", architecture="d4w8a8-ow8", epochs=epochs)
        assert len((tmp_path / "run/log.jsonl").read_text().splitlines()) == epochs
    assert ebnn.load(tmp_path / "run/model.ebnn").layers[0].linear.outputs == 4
    pictures = Dataset.from_arrays((200 * RANDOM.random((20, 8, 8))).astype(np.uint8), np.arange(20) % 2)
    assert ebnn.fit(pictures, epochs=1).encoder is None
    with pytest.raises(UnknownNameError, match=r"'epoch', did you mean epochs\? there are the options of ebnn train"):
        ebnn.fit(data, epoch=1)
    with pytest.raises(UnknownNameError, match="no_such"):
        ebnn.fit("no_such")


@pytest.mark.chainer
def test_arrays_are_fitted_with_their_labels() -> None:
    x, y = np.zeros((20, 3)), np.arange(20) % 2
    x[:, 1] = 10 * y - 5
    assert ebnn.fit(x, y, epochs=1).classes == 2
    for data in (x, (x, y), x.tolist()):
        with pytest.raises(DatasetError, match=r"give both, as in fit\(x, y\)"):
            ebnn.fit(data)
    with pytest.raises(DatasetError, match="has labels of its own"):
        ebnn.fit("digits", y)


@pytest.mark.parametrize(
    ("setting", "value", "why"),
    [
        ("dataset", "digits", "the data come first"),
        ("resume", True, "it begins anew"),
        ("overwrite", False, "it always replaces the run"),
        ("folder", Path(), "the data are a Dataset"),
        ("reading", Reading(window=4), "the data are a Dataset"),
    ],
)
def test_settings_without_effect_on_a_fit(setting: str, value: object, why: str) -> None:
    data = Dataset.from_arrays(np.zeros((20, 3)), np.arange(20) % 2)
    with pytest.raises(TrainingError, match=f"{setting} has no effect in fit: {why}.*; leave {setting} out"):
        ebnn.fit(data, epochs=1, **{setting: value})
