"""`ebnn.compile(network)`: checks, answers and errors are the Network's own; built once, and again if damaged."""

import os
import platform
import threading
import types

import numpy as np
import pytest
from support.parts import block_of, last_of, net_of
from support.raw_samples import ENCODERS, encoder_network, raw_samples

import ebnn
from ebnn.compile.linux.shared_library import PATHS, path_names
from ebnn.errors import BuildError, InputError, UnknownNameError
from ebnn.model.encoders import Thermometer
from ebnn.model.kinds import Input, Shape
from ebnn.model.layers import Conv
from ebnn.model.network import Network
from ebnn.model.transforms import Sign

NETWORK = ebnn.load("mnist-tiny")
IMAGES = np.random.default_rng(0).integers(0, 256, (70, 1, 28, 28)).astype(np.uint8)


def test_classes_and_scores_are_the_networks_own():
    compiled = ebnn.compile(NETWORK)
    for x in (IMAGES, IMAGES[:1], IMAGES[:0], IMAGES[:, 0], IMAGES.astype(np.int64), IMAGES.tolist()):
        classes, scores = compiled.predict(x), compiled.scores(x)
        np.testing.assert_array_equal(classes, NETWORK.predict(x))
        np.testing.assert_array_equal(scores, NETWORK.scores(x))
        assert (classes.dtype, scores.dtype) == (np.int64, np.int32)
    assert compiled.path == path_names(NETWORK)[0]


def test_raw_samples_and_probabilities_are_the_networks_own():
    network = encoder_network(ENCODERS["float to int8"])
    compiled, raw = ebnn.compile(network), raw_samples(network.encoder, 900)
    np.testing.assert_array_equal(compiled.predict_raw(raw), network.predict_raw(raw))
    x = network.encode(raw)
    np.testing.assert_array_equal(compiled.probabilities(x), network.probabilities(x))


@pytest.mark.parametrize("x", [IMAGES[:, :, 1:], IMAGES.reshape(70, -1), IMAGES / 2.0, IMAGES.astype(int) - 1, "text"])
def test_samples_that_do_not_fit_are_refused_in_the_networks_words(x):
    compiled = ebnn.compile(NETWORK)
    for name in ("predict", "scores"):
        with pytest.raises(InputError) as own:
            getattr(NETWORK, name)(x)
        with pytest.raises(InputError) as error:
            getattr(compiled, name)(x)
        assert str(error.value) == str(own.value)


def test_many_threads_call_one_network_and_several():
    pairs = [(ebnn.compile(NETWORK, threads=3), IMAGES), (ebnn.compile(NETWORK), IMAGES[::-1])]
    wrong = []

    def call(compiled, x):
        for _ in range(5):
            if not np.array_equal(compiled.scores(x), NETWORK.scores(x)):
                wrong.append(compiled)

    threads = [threading.Thread(target=call, args=pair) for pair in 2 * pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_raw_samples_are_encoded_as_the_network_does():
    network = other_network(0)
    network = Network(network.input, network.layers, Thermometer(np.arange(5, dtype=np.float32)[None]))
    raw = np.random.default_rng(4).normal(2, 3, (9, *network.raw_shape)).astype(np.float32)
    np.testing.assert_array_equal(ebnn.compile(network).predict_raw(raw), network.predict_raw(raw))


def test_a_child_of_fork_goes_on_without_the_threads():
    compiled = ebnn.compile(NETWORK, threads=3)
    expected = compiled.scores(IMAGES)
    child = os.fork()
    if child == 0:
        os._exit(0 if np.array_equal(compiled.scores(IMAGES), expected) else 1)
    assert os.waitpid(child, 0)[1] == 0


def other_network(shift):
    weights = np.random.default_rng(1).integers(0, 2, (40, 3, 3, 5)).astype(bool)
    block = block_of(Conv(weights, (1, 1), (1, 1)), None, Sign(np.full(40, shift), np.zeros(40, bool)))
    last = np.random.default_rng(2).integers(0, 2, (3, 6, 6, 40)).astype(bool)
    return net_of(Input("bits", Shape(5, 6, 6)), [block], last_of(last, [1, 2, 3], [0, 0, 0], 1.0))


def test_what_was_built_is_kept_by_hash_and_built_again_where_it_is_damaged(cache):
    first, second = other_network(0), other_network(2)
    x = np.random.default_rng(3).integers(0, 2, (9, 5, 6, 6))
    for network in (first, second, first):
        np.testing.assert_array_equal(ebnn.compile(network).scores(x), network.scores(x))
    assert not np.array_equal(first.scores(x), second.scores(x))
    [built] = cache.glob(f"linux/{first.hash[:16]}-*/network.so")
    before = built.stat().st_mtime_ns
    ebnn.compile(first)
    assert built.stat().st_mtime_ns == before
    built.unlink()  # this process has it mapped
    built.write_bytes(b"no library")
    np.testing.assert_array_equal(ebnn.compile(first).scores(x), first.scores(x))


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EBNN_CACHE", str(tmp_path / "file"))
    network = other_network(1)
    x = np.random.default_rng(3).integers(0, 2, (9, 5, 6, 6))
    np.testing.assert_array_equal(ebnn.compile(network).scores(x), network.scores(x))


def test_without_a_compiler_one_error_says_how_to_get_one(monkeypatch):
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(BuildError, match=r"(?s)no C compiler was found.*network\.predict needs none.*apt install gcc"):
        ebnn.compile(NETWORK)
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(BuildError, match="no-such-compiler"):
        ebnn.compile(NETWORK)


@pytest.mark.parametrize("threads", [0, -1, 2000, 1.5, "2", None])
def test_a_wrong_number_of_threads_is_refused(threads):
    with pytest.raises(InputError, match=r"threads is .*: give a whole number from 1 to 1024"):
        ebnn.compile(NETWORK, threads=threads)


def test_a_path_that_this_core_lacks_is_refused():
    foreign = "avx2" if platform.machine() == "aarch64" else "neon"
    with pytest.raises(BuildError, match=f"this core does not run the path {foreign}: give .*portable, or none"):
        ebnn.compile(NETWORK, path=foreign)


@pytest.mark.parametrize("path", ["abacus", "", 3])
def test_a_path_that_there_is_not_is_refused_with_those_there_are(path):
    with pytest.raises(
        UnknownNameError, match=r"no path is called .*; there are avx512, avx512bw, avx2, neon, portable"
    ):
        ebnn.compile(NETWORK, path=path)


def test_every_path_that_runs_here_has_its_name():
    assert set(path_names(NETWORK)) <= set(PATHS)


def test_the_room_is_still_a_module():
    import ebnn.compile

    assert isinstance(ebnn.compile, types.ModuleType)
    assert ebnn.compile.write_header is ebnn.write_header
