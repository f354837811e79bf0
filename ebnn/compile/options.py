"""What a user chooses of the compiled network: its arithmetic, and what it is optimized for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ..errors import NetworkError
from ..model.layers import Layer
from ..model.transforms import Normalize, Sign


class Arithmetic(str, Enum):
    """How hidden layers end: thresholds of integers, or the paper's float normalisation."""

    INTEGER = "integer"
    FLOAT = "float"


class Optimize(str, Enum):
    """What flash is traded against time for.

    By "size" the plainest kernels; by "compact" sums of pixels by columns too; by "balanced" also four filters of bits
    at a time, and small tables; by "speed" also large tables in flash and, on AVR, one of 256 bytes in RAM.
    """

    SIZE = "size"
    COMPACT = "compact"
    BALANCED = "balanced"
    SPEED = "speed"

    @property
    def columns(self) -> bool:
        """Whether sums of pixels are taken by columns."""
        return self is not Optimize.SIZE

    @property
    def grouped(self) -> bool:
        """Whether filters of bits are taken four at a time."""
        return self in (Optimize.BALANCED, Optimize.SPEED)

    @property
    def table_bytes(self) -> int:
        """Bytes of a layer's truth tables, at most."""
        return {Optimize.BALANCED: 2048, Optimize.SPEED: MOST_TABLE_BYTES}.get(self, 0)

    @property
    def multiplies(self) -> bool:
        """Whether the kernels need a core that multiplies."""
        return self is not Optimize.SIZE

    @property
    def ones_in_ram(self) -> bool:
        """Whether AVR's table of ones lies in RAM."""
        return self is Optimize.SPEED

    @property
    def smaller(self) -> tuple[Optimize, ...]:
        """Those whose kernels are smaller and slower, the next one first."""
        every = list(Optimize)
        return tuple(reversed(every[: every.index(self)]))


MOST_TABLE_BYTES = 8192
ARITHMETICS: tuple[str, ...] = tuple(each.value for each in Arithmetic)
OPTIMIZE: tuple[str, ...] = tuple(each.value for each in Optimize)


@dataclass(frozen=True)
class Options:
    """A user's choices."""

    arithmetic: Arithmetic = Arithmetic.INTEGER
    optimize: Optimize = Optimize.BALANCED

    @classmethod
    def named(cls, arithmetic: str = "integer", optimize: str = "balanced") -> Options:
        """The choices of these names. Raises NetworkError where there is none of a name."""
        if arithmetic not in ARITHMETICS:
            raise NetworkError(f"the arithmetic {arithmetic!r} is unknown: use {' or '.join(ARITHMETICS)}")
        if optimize not in OPTIMIZE:
            raise NetworkError(f"a header cannot be optimized for {optimize!r}: use {', '.join(OPTIMIZE)}")
        return cls(Arithmetic(arithmetic), Optimize(optimize))

    def in_float(self, layer: Layer) -> bool:
        """Whether a layer ends in the float arithmetic: of those that have one, of weights ±1 and signs."""
        if isinstance(layer.transform, Normalize):
            return True
        normal = layer.binary and isinstance(layer.transform, Sign) and not (layer.pool and layer.pool.sums)
        return self.arithmetic is Arithmetic.FLOAT and normal
