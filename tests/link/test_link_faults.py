"""10,000 requests through a port that drops, flips, duplicates and delays bytes, each at 1 in 1,000, both ways."""

import numpy as np
import pytest
import serial
import stub_network
from faulty_port import FaultyPort

from ebnn.device import Device

RATE = 1e-3
COUNT = 10_000


@pytest.mark.parametrize("seed", [20])
def test_every_answer_is_right(stub_url: str, seed: int) -> None:
    samples = stub_network.draw_samples(COUNT, seed)
    scores = stub_network.scores(samples)
    port = FaultyPort(serial.serial_for_url(stub_url, timeout=1.0), RATE, seed)
    with Device(port, network_hash=stub_network.HASH, timeout=0.008, retries=250, startup=60.0) as device:
        for i, sample in enumerate(samples):
            prediction = device.predict(sample)
            np.testing.assert_array_equal(prediction.scores, scores[i], err_msg=f"seed {seed}, sample {i}")
            assert prediction.class_index == scores[i].argmax(), f"seed {seed}, sample {i}"
        statistics = device.statistics
        port.outward.rate = port.inward.rate = 0.0
        inferences = device.hello().inferences
    print(statistics, dict(port.faults), inferences)
    assert statistics.requests == COUNT
    assert min(port.faults[kind] for kind in ("dropped", "flipped", "duplicated", "delayed")) > 1000
    assert statistics.retries > 1000
    assert inferences == COUNT  # repeated requests were answered again, not run again


def test_without_faults_it_is_fast(stub_url: str) -> None:
    """A request must not wait for a timer: 10,000 take about a second, so 20 leave room for a busy computer."""
    samples = stub_network.draw_samples(COUNT, seed=22)
    with Device(stub_url) as device:
        for sample in samples:
            device.predict(sample)
        assert device.statistics.retries == 0
        assert device.statistics.seconds < 20
