"""Streaming to boards that answer rightly, wrongly, and about another network than they say."""

import random

import numpy as np
import pytest
from support.c_networks import require
from support.random_networks import random_network, random_samples

import ebnn
from ebnn.compile.header import header_text
from ebnn.device import Device
from ebnn.errors import InputError, WrongNetworkError
from ebnn.profiling import profile_samples
from ebnn.simulation import host_url
from ebnn.streaming import InterruptedRunError, stream, stream_port

SEED = 3
COUNT = 12


@pytest.fixture
def network():
    require("cc")
    choose = random.Random(SEED)
    while (network := random_network(choose)).classes < 3:
        pass
    return network


def board(folder, text):
    """A port with a board that runs the header's text."""
    header = folder / "network.h"
    header.write_text(text)
    return Device(host_url(header), timeout=5.0)


def test_a_right_board_is_exact(network, tmp_path):
    x = random_samples(network, COUNT, SEED)
    labels = network.predict(x)
    done = []
    with board(tmp_path, header_text(network, name="net")) as device:
        report = stream(network, device, x, labels, done.append)
    assert report.exact
    assert done == list(range(1, COUNT + 1))
    assert (report.samples, report.asked, report.accuracy) == (COUNT, COUNT, 1.0)
    assert report.confusion.trace() == COUNT
    assert report.values()["class_mismatches"] == 0


def test_a_wrong_answer_is_counted(network, tmp_path):
    """One offset of the last layer is another one, the hash is the same."""
    x = random_samples(network, COUNT, SEED)
    wrong = header_text(network, name="net")
    start = wrong.index("net_output_offsets[")
    first = wrong.index("{", start) + 1
    end = wrong.index(",", first)
    value = int(wrong[first:end].strip().rstrip("l"))
    wrong = wrong[:first] + f" {value + 1}l" + wrong[end:]
    with board(tmp_path, wrong) as device:
        report = stream(network, device, x, network.predict(x))
    assert report.score_mismatches == COUNT
    assert not report.exact


def test_a_board_that_says_another_size_is_refused(network, tmp_path):
    """Its hash is the network's, its input or its classes are not."""
    other = random_network(random.Random(SEED + 1))
    assert (other.input.bytes, other.classes) != (network.input.bytes, network.classes)
    lying = header_text(other, name="net").replace(f"{other.hash32:08X}", f"{network.hash32:08X}")
    with board(tmp_path, lying) as device, pytest.raises(WrongNetworkError, match="bytes of input"):
        stream(network, device, random_samples(network, COUNT, SEED), np.zeros(COUNT, int))


def test_a_board_that_goes_away_leaves_a_report(network, tmp_path):
    x = random_samples(network, COUNT, SEED)
    with board(tmp_path, header_text(network, name="net")) as device:

        def unplug(done):
            if done == 5:
                device.port.process.kill()

        with pytest.raises(InterruptedRunError, match=rf"after 5 of {COUNT} samples") as caught:
            stream(network, device, x, network.predict(x), unplug)
    assert caught.value.report.samples == 5
    assert caught.value.report.exact


class Untouched:
    """A port that must not be used."""

    def __getattr__(self, name):
        raise AssertionError(f"{name} was used before the samples were checked")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda labels: labels[:-1], rf"labels of shape \({COUNT - 1},\) do not fit {COUNT} samples"),
        (lambda labels: [*labels, 0], rf"labels of shape \({COUNT + 1},\) do not fit"),
        (lambda labels: labels[:, None], rf"labels of shape \({COUNT}, 1\) do not fit"),
        (lambda labels: [list(labels), [1]], "labels that differ in shape do not fit"),
        (lambda labels: labels[0], r"labels of shape \(\) do not fit"),
        (lambda labels: labels.astype(float), "labels of type float64 do not fit: give whole numbers"),
        (lambda labels: labels > 0, "labels of type bool do not fit"),
        (lambda labels: [str(label) for label in labels], "labels of type <U1 do not fit"),
        (lambda labels: [*labels[:-1], -1], "labels from -1 to"),
        (lambda labels: [*labels[:-1], 300], "to 300 do not fit: this network has the classes 0 to"),
        (lambda labels: np.array([*labels[:-1], 2**63], np.uint64), f"to {2**63} do not fit"),
        (lambda labels: np.ma.masked_equal(labels, labels[0]), "labels with masked values do not fit"),
    ],
)
def test_labels_are_checked_before_the_first_sample(network, change, message):
    x = random_samples(network, COUNT, SEED)
    with pytest.raises(InputError, match=message):
        stream(network, Untouched(), x, change(np.asarray(network.predict(x))))


def test_no_samples_are_refused(network):
    x = random_samples(network, COUNT, SEED)[:0]
    with pytest.raises(InputError, match="no samples to stream"):
        stream(network, Untouched(), x, [])
    with pytest.raises(InputError, match="no samples to profile"):
        profile_samples(network, Untouched(), x)


def test_labels_may_be_a_list(network, tmp_path):
    x = random_samples(network, COUNT, SEED)
    with board(tmp_path, header_text(network, name="net")) as device:
        report = stream(network, device, x, network.predict(x).tolist())
    assert report.accuracy == 1.0


def test_without_labels_answers_are_held_against_the_reference(network, tmp_path):
    x = random_samples(network, COUNT, SEED)
    with board(tmp_path, header_text(network, name="net")) as device:
        report = stream(network, device, x, None)
    assert (report.exact, report.accuracy) == (True, 1.0)
    assert report.labels.tolist() == network.predict(x).tolist()
    assert ebnn.stream(network, "sim://host", x[:2]).labels.tolist() == report.labels[:2].tolist()


def test_a_port_is_streamed_to_in_one_call():
    """A simulated board is built with the network; who asks is told of that, and of every sample."""
    require("cc")
    network = ebnn.load("mnist-tiny")
    images = np.random.default_rng(0).integers(0, 2, (3, *network.input.shape)).astype(np.uint8)
    told = []
    report = stream_port(
        network, "sim://host", images, [0, 1, 2], progress=told.append, building=lambda: told.append("building")
    )
    assert told == ["building", 1, 2, 3]
    assert report.exact
    assert report.predicted.tolist() == network.predict(images).tolist()
