"""Random networks of every input kind, through emitted header, firmware and port: they equal the reference."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from support.random_networks import random_network, random_samples

import ebnn
from ebnn.device import Device
from ebnn.simulation import build_host, program_url

SEED = 11
FLAGS = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wshadow"]
FLAGS += ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


@pytest.mark.parametrize("number", range(16))
def test_random_network(number: int, tmp_path: Path) -> None:
    choose = random.Random(SEED + number)
    kinds = ("bits", "uint8", "int8", "float")
    while (network := random_network(choose)).input.kind != kinds[number % 4]:
        pass
    header = tmp_path / "emitted" / "other_name.h"
    header.parent.mkdir()
    ebnn.write_header(network, header, name="other_name")
    program = build_host(header, tmp_path, flags=FLAGS)
    x = random_samples(network, 20, seed=number)
    with Device(program_url(program), network_hash=network.hash32, timeout=5.0) as device:
        info = device.hello()
        assert (info.network, info.classes, info.arena_bytes) == ("other_name", network.classes, network.arena_bytes)
        predictions = [device.predict(packed) for packed in network.pack_input(x)]
    np.testing.assert_array_equal([p.scores for p in predictions], network.scores(x), err_msg=f"number {number}")
    np.testing.assert_array_equal([p.class_index for p in predictions], network.predict(x))
