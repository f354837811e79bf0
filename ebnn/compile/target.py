"""A core as the emitted C sees it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A core as the emitted C sees it; one header serves all of them.

    Attributes:
        lanes: rows of sums that one addition takes: EBNN_LANES.
        room: bytes of RAM for activations and a strip's sums, beside firmware and scores; None where there is plenty.
        array_bytes: the largest array; None without a limit.
        near_bytes: of constants that instructions reach; None without a limit.
        ones_bytes: of the table that counts ones, where it is asked for in RAM.
        reserve_bytes: beside arena and scores without which the serial firmware does not compile.
    """

    lanes: int
    room: int | None = None
    array_bytes: int | None = None
    near_bytes: int | None = None
    ones_bytes: int = 0
    reserve_bytes: int = 0

    def reaches(self, array_bytes: int, near_bytes: int) -> bool:
        """Whether instructions reach an array of so many bytes, and so many bytes of constants."""
        return (self.array_bytes is None or array_bytes <= self.array_bytes) and (
            self.near_bytes is None or near_bytes <= self.near_bytes
        )


WORDS = Target(lanes=2)
"""Cores of 32 bits."""

AVR = Target(lanes=1, room=1_368, array_bytes=32_767, near_bytes=60_000, ones_bytes=256, reserve_bytes=640)
"""8-bit AVR, with the RAM that an ATmega328P has beside the serial firmware and ten scores."""

TARGETS = (WORDS, AVR)
