"""The costs of the Arduino 101's core are those that its counts give, and tell what published networks take there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import ebnn
from ebnn.compile.options import Options
from ebnn.compile.plan import plan
from ebnn.compile.target import WORDS
from tools.arc_em import COUNTS, fitted
from tools.costs import FOLDER, read_costs

FILE = FOLDER / "costs" / "arc-em.toml"


def test_the_tool_gives_what_is_there(tmp_path: Path) -> None:
    """Times to a thousandth: programs for sums of squares may round otherwise."""
    (tmp_path / "arc-em.toml").write_text(fitted()[0])
    _, stack, time = read_costs(tmp_path / "arc-em.toml")
    _, stack_there, time_there = read_costs(FILE)
    assert stack == stack_there
    assert time == {kernel: pytest.approx(costs, rel=1e-3) for kernel, costs in time_there.items()}


def test_published_networks() -> None:
    """They are not among those that the figures were fitted to."""
    _, _, time = read_costs(FILE)
    for counted in json.loads(COUNTS.read_text())["networks"]:
        network = ebnn.load(counted["network"])
        steps = plan(network, Options.named("integer", counted["optimize"]), WORDS).steps
        told = sum(
            count * time["", step.kernel.costs].get(name, 0.0)
            for step in steps
            for name, count in step.work(None).items()
        )
        assert told == pytest.approx(sum(layer[0] for layer in counted["layers"]), rel=0.035)
