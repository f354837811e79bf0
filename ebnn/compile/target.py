"""A core as the emitted C sees it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..boards import Board
from ..errors import NetworkError
from ..model.network import Network

BOARD_CLASSES = 255  # a class is a uint8_t on a board
BOARD_CONSTANT_BYTES = 8 * 2**20  # twice the flash of the largest board
_FIRMWARE_RAM = 680  # bytes of an AVR's that serial firmware, ten scores and stack take


@dataclass(frozen=True)
class Target:
    """A core as the emitted C sees it; one header serves all of them.

    Attributes:
        lanes: rows of sums that one addition takes: EBNN_LANES.
        ram_bytes: of RAM in all; None where there is plenty.
        array_bytes: the largest array; None without a limit.
        near_bytes: of constants that instructions reach; None without a limit.
        ones_bytes: of the table that counts ones, where it is asked for in RAM.
        reserve_bytes: beside arena and scores without which the serial firmware does not compile.
    """

    lanes: int
    ram_bytes: int | None = None
    array_bytes: int | None = None
    near_bytes: int | None = None
    ones_bytes: int = 0
    reserve_bytes: int = 0

    @property
    def room(self) -> int | None:
        """Bytes of RAM for activations and a strip's sums, beside firmware and scores; None where there is plenty."""
        return None if self.ram_bytes is None else max(self.ram_bytes - _FIRMWARE_RAM, 0)

    def reaches(self, array_bytes: int, near_bytes: int) -> bool:
        """Whether instructions reach an array of so many bytes, and so many bytes of constants."""
        return (self.array_bytes is None or array_bytes <= self.array_bytes) and (
            self.near_bytes is None or near_bytes <= self.near_bytes
        )


WORDS = Target(lanes=2)
"""Cores of 32 bits."""

AVR = Target(lanes=1, ram_bytes=2_048, array_bytes=32_767, near_bytes=60_000, ones_bytes=256, reserve_bytes=640)
"""8-bit AVR, with the RAM of an ATmega328P: what is planned for where no board is named."""

TARGETS = (WORDS, AVR)


def check_board_limits(network: Network) -> None:
    """Raises NetworkError where a network has more classes or constants than any board takes."""
    if network.classes > BOARD_CLASSES:
        raise NetworkError(
            f"the network has {network.classes} classes, boards tell {BOARD_CLASSES} apart: run it on Linux "
            "(ebnn export --target linux)"
        )
    constants = sum(layer.weight_bytes + layer.transform.content_bytes for layer in network.layers)
    if constants > BOARD_CONSTANT_BYTES:
        raise NetworkError(
            f"the network has {constants:,} B of constants, {BOARD_CONSTANT_BYTES:,} fit boards: use fewer filters, or "
            "run it on Linux (ebnn export --target linux)"
        )


def target_of(board: Board) -> Target:
    """A board's core as the emitted C sees it, with the board's RAM where that decides how a layer is run."""
    if board.core != "avr":
        return WORDS
    return AVR if board.ram_bytes is None else replace(AVR, ram_bytes=board.ram_bytes)
