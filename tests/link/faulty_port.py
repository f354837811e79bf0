"""A port that loses, flips, repeats and delays bytes."""

from __future__ import annotations

import time
from collections import Counter, deque
from typing import Any

import numpy as np


class Lane:
    """One direction: bytes go in, and come out damaged and late, but in order, as on a wire."""

    def __init__(self, rng: np.random.Generator, rate: float, delay: tuple[float, float], faults: Counter[str]) -> None:
        self.rng, self.rate, self.delay, self.faults = rng, rate, delay, faults
        self.pieces: deque[tuple[float, bytes]] = deque()  # (when it comes out, bytes)

    def push(self, data: bytes) -> None:
        when = time.monotonic()
        piece = bytearray()
        draws = self.rng.random(len(data))
        if self.rate == 0 or draws.min(initial=1.0) >= 4 * self.rate:
            self.pieces.append((when, data))
            return
        for byte, draw in zip(data, draws, strict=True):
            kind = int(draw / self.rate)
            if kind == 0:
                self.faults["dropped"] += 1
                continue
            if kind == 1:
                self.faults["flipped"] += 1
                byte ^= 1 << int(self.rng.integers(8))
            elif kind == 2:
                self.faults["duplicated"] += 1
                piece.append(byte)
            elif kind == 3:
                self.faults["delayed"] += 1
                self.pieces.append((when, bytes(piece)))
                piece = bytearray()
                when += self.rng.uniform(*self.delay)
            piece.append(byte)
        self.pieces.append((when, bytes(piece)))

    def pop(self) -> bytes:
        """What has come out by now."""
        out = b""
        while self.pieces and self.pieces[0][0] <= time.monotonic():
            out += self.pieces.popleft()[1]
        return out

    def next_time(self) -> float:
        return self.pieces[0][0] if self.pieces else float("inf")


class FaultyPort:
    """A pySerial port with a bad cable: each byte, either way, meets each of four faults with probability `rate`."""

    def __init__(self, port: Any, rate: float, seed: int, delay: tuple[float, float] = (0.0005, 0.016)) -> None:
        rng = np.random.default_rng(seed)
        self.inner = port
        self.timeout: float | None = 1.0
        self.baudrate = 1_000_000  # the time on the wire counts little
        self.faults: Counter[str] = Counter()
        self.outward = Lane(rng, rate, delay, self.faults)
        self.inward = Lane(rng, rate, delay, self.faults)
        self.arrived = b""

    def write(self, data: bytes) -> int:
        self.outward.push(data)
        self._move()
        return len(data)

    @property
    def in_waiting(self) -> int:
        self._move()
        return len(self.arrived)

    def read(self, size: int = 1) -> bytes:
        assert self.timeout is not None
        deadline = time.monotonic() + self.timeout
        while True:
            self._move()
            now = time.monotonic()
            if self.arrived or now >= deadline:
                out, self.arrived = self.arrived[:size], self.arrived[size:]
                return out
            until = min(deadline, self.outward.next_time(), self.inward.next_time())
            self.inner.timeout = max(until - now, 0)
            self.inward.push(self.inner.read(1))

    def _move(self) -> None:
        out = self.outward.pop()
        if out:
            self.inner.write(out)
        waiting = self.inner.in_waiting
        if waiting:
            self.inward.push(self.inner.read(waiting))
        self.arrived += self.inward.pop()

    def close(self) -> None:
        self.inner.close()
