"""On a simulated AVR, whose int has 16 bits, scores have the probabilities that they have in Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import serial
from avr_programs import compile_avr, require_simavr
from support.c_networks import WARNINGS
from support.scored import any_scores, scored_network

from ebnn.compile.header import header_text
from ebnn.model.probabilities import UNKNOWN, classes_or_unknown, softmax
from ebnn.simulation import board_url


@pytest.mark.parametrize(("board", "scale"), [("uno", 0.0123), ("megaatmega2560", 3.1e-5)])
def test_avr(board: str, scale: float, tmp_path: Path) -> None:
    require_simavr()
    network = scored_network(scale)
    scores = any_scores(network.classes, scale)
    (tmp_path / "net.h").write_text(header_text(network, name="net", probabilities=True))
    program = compile_avr(board, "softmax.c", tmp_path, ["-std=c99", *WARNINGS])
    record = np.dtype([("probabilities", "<u2", (network.classes,)), ("answer", "u1")])
    with serial.serial_for_url(board_url(board, program=program), timeout=60.0) as port:
        answers = []
        for row in scores:
            port.write(row.astype("<i4").tobytes())
            answers.append(port.read(record.itemsize))
    found = np.frombuffer(b"".join(answers), record)
    np.testing.assert_array_equal(found["probabilities"], softmax(scores, scale))
    expected = classes_or_unknown(scores, scale, network.meta.rejection)
    np.testing.assert_array_equal(found["answer"], np.where(expected == UNKNOWN, 255, expected))
