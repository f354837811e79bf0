"""Pushes over a line that loses, flips, doubles and delays bytes, to boards whose power fails at any moment.

::

    uv run python tests/link/many_pushes.py 1000

Each push starts a board with the store that the one before has left. After it the board is started once more, on a good
line: it must answer with the network that was pushed, the one from before, or where the store has no room for both the
firmware's own; which one, its hash says, and its scores are the reference's.
"""

from __future__ import annotations

import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import serial
from faulty_port import FaultyPort

from ebnn.compile.image import image_bytes
from ebnn.device import Device
from ebnn.errors import EbnnError
from ebnn.model.network import Network

RATE = 5e-4  # of each kind of fault, for each byte either way
PIECE = 64


@dataclass(frozen=True)
class Case:
    """A network, its image, and what the reference says to some samples."""

    network: Network
    image: bytes
    samples: np.ndarray
    scores: np.ndarray

    @staticmethod
    def of(network: Network, samples: np.ndarray) -> Case:
        return Case(
            network, image_bytes(network, title="n"), network.pack_input(samples), np.asarray(network.scores(samples))
        )

    def check(self, device: Device) -> None:
        found = [device.predict(sample).scores for sample in self.samples]
        np.testing.assert_array_equal(found, self.scores)


def many_pushes(
    program: Path, own: Case, others: Sequence[Case], store: Path, count: int, seed: int, *, keeps_old: bool
) -> Counter[str]:
    """Pushes so often and counts what became of it. Fails where a board answers with anything else than it may."""
    choose = random.Random(seed)
    known = {case.network.hash32: case for case in (own, *others)}
    outcomes: Counter[str] = Counter()
    before = own.network.hash32
    store.unlink(missing_ok=True)
    for number in range(count):
        case = choose.choice([one for one in others if one.network.hash32 != before])
        url = f"sim://host?program={program}&store={store}"
        kind = choose.choice(["whole", "writes", "killed"])
        if kind == "writes":
            url += f"&writes={choose.randrange(1, len(case.image) + 40)}"
        done = push_once(url, case, choose, kind == "killed")
        outcomes["pushed" if done else "cut"] += 1
        with Device(f"sim://host?program={program}&store={store}", timeout=5.0) as device:
            info = device.hello()
            said = f"seed {seed}, push {number}, {kind}: {info}"
            allowed = {case.network.hash32} if done else {case.network.hash32, before}
            if not done and not keeps_old:
                allowed.add(own.network.hash32)
            assert info.network_hash in allowed, said
            assert info.push is not None
            assert info.push.pushed == (info.network_hash != own.network.hash32), said
            known[info.network_hash].check(device)
        if not done:
            left = {own.network.hash32: "none", before: "old", case.network.hash32: "new"}[info.network_hash]
            outcomes[f"left {left}"] += 1
        before = info.network_hash
    return outcomes


def push_once(url: str, case: Case, choose: random.Random, kill: bool) -> bool:
    """Whether the board said that it runs the network."""
    inner = serial.serial_for_url(url, timeout=1.0)
    port = FaultyPort(inner, RATE, choose.getrandbits(32), delay=(0.0002, 0.002))
    timer = threading.Timer(choose.uniform(0, 0.15), inner.process.kill) if kill else None
    try:
        if timer is not None:
            timer.start()
        with Device(port, timeout=0.01, retries=200, startup=20.0) as device:
            device.push(case.image)
        return True
    except EbnnError:
        return False
    finally:
        if timer is not None:
            timer.cancel()
            timer.join()


def main() -> None:
    """Runs as many as the command line says, for a store with room for two images and for one without."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from push_cases import FLAGS, build, cases

    count = int(sys.argv[1])
    own, others = cases()
    for name, store_bytes, keeps_old in (("two", 4096, True), ("one", 1024, False)):
        with tempfile.TemporaryDirectory() as folder:
            program = build(Path(folder), own, FLAGS, store_bytes)
            begin = time.monotonic()
            found = many_pushes(program, own, others, Path(folder) / "store", count, 1, keeps_old=keeps_old)
            print(f"room for {name}: {dict(found)}, {time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    main()
