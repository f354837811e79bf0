"""What is measured: kernels over a range of sizes, whole networks, inner loops and code, with their limits.

Limits and the figures of other people's code are in the case's own unit: cycles or instructions per multiply-accumulate
(MAC) or of one inference, or bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from benchmarks.counts import Setting
from ebnn.model.kinds import InputKind

Kind = Literal["kernel", "network", "code", "loop"]
Blueprint = tuple[InputKind, tuple[int, int, int], str]
"""Of `benchmarks.untrained.build`."""

AVR = ("uno", "megaatmega2560")
QEMU = ("cortex-m0", "cortex-m3", "cortex-m4", "rv32")
INTEGER_BOARDS = ("uno", *QEMU)
LEVELS = ("-Os", "-O2")
DENSE_SIZES = (64, 256, 1024, 4096)
CONV_CHANNELS = (8, 16, 32, 64)


@dataclass(frozen=True)
class Limit:
    """What a figure must be at most, and what it should be."""

    must: float
    stretch: float


@dataclass(frozen=True)
class Peer:
    """What other people's code takes for the same work, as it was given: not measured here."""

    name: str
    least: float
    most: float


@dataclass(frozen=True)
class Case:
    """One figure to be measured."""

    kind: Kind
    what: str
    setting: Setting
    network: Blueprint | None = None
    function: str = ""
    """The kernel that is counted on AVR, or whose inner loop is counted."""
    macs: int = 0
    """Of one turn of a loop."""
    limit: Limit | None = None
    peers: tuple[Peer, ...] = ()
    compared: bool = False
    """Whether tests/test_benchmarks.py measures it: what has a limit, inner loops and code, and each kernel and network
    at -Os on one AVR and one other core."""

    @property
    def key(self) -> str:
        """What names it in kernels.json."""
        return f"{self.what}, {self.setting}"


BINARY_MNIST: Blueprint = ("bits", (1, 28, 28), "c10,3,2,0,m3,2,0")
SIMPLE_MNIST: Blueprint = ("uint8", (1, 28, 28), "c10,3,2,0,m3,2,0")
CONV_SMALL: Blueprint = ("uint8", (1, 28, 28), "c16,3,1,1,m2,2,0 c32,3,1,1,m2,2,0")

BINARY = "eBNN's binary_mnist shape"
SIMPLE = "eBNN's simple_mnist shape, pixels"
SMALL = "conv-small's shape, pixels"
CODE = "code of eBNN's binary_mnist shape"


def dense(n: int) -> str:
    """What the dense kernel of ``n`` inputs is called."""
    return f"dense, n={n}, 32 outputs"


def conv(channels: int) -> str:
    """What the convolution kernel of so many input channels is called."""
    return f"conv 3×3×{channels}, 32 filters"


# Layers of integer sums, on the maps that all boards have room for, and on those that an Uno has.
INT8_CONV = "conv 3×3×16 of int8 by int8, 32 filters"
INT8_DENSE = "dense of int8 by int8, n=256, 32 outputs"
INTEGER_KERNELS: dict[str, tuple[Blueprint, Blueprint]] = {
    INT8_CONV: (("int8", (16, 8, 8), "c32,3,1,1/w8/i8"), ("int8", (16, 6, 4), "c32,3,1,0/w8/i8")),
    INT8_DENSE: (("int8", (256, 1, 1), "d32/w8/i8"),) * 2,
    "conv 3×3×16 of bits by int8, 32 filters": (
        ("bits", (16, 8, 8), "c32,3,1,1/w8/i8"),
        ("bits", (16, 6, 4), "c32,3,1,0/w8/i8"),
    ),
    "conv 3×3×16 of uint8 by ±1 to int8, 32 filters": (
        ("uint8", (16, 8, 8), "c32,3,1,1/i8"),
        ("uint8", (16, 6, 4), "c32,3,1,0/i8"),
    ),
    "conv 3×3×32 of bits by ±1 to int8, 32 filters": (
        ("bits", (32, 8, 8), "c32,3,1,1/i8"),
        ("bits", (32, 6, 4), "c32,3,1,0/i8"),
    ),
    "depthwise 3×3×32 of uint8 by int8": (
        ("uint8", (32, 8, 8), "g1,3,1,1/w8/i8"),
        ("uint8", (32, 3, 4), "g1,3,1,0/w8/i8"),
    ),
    "depthwise 3×3×32 of uint8 by ±1 to int8": (
        ("uint8", (32, 8, 8), "g1,3,1,1/i8"),
        ("uint8", (32, 3, 4), "g1,3,1,0/i8"),
    ),
}

# By what is measured, board and level; a header that was emitted for speed is held to the same.
LIMITS = {
    (dense(1024), "uno -Os"): Limit(1.3, 1.0),
    (dense(1024), "megaatmega2560 -Os"): Limit(1.3, 1.0),
    (dense(1024), "cortex-m3 -O2"): Limit(0.36, 0.29),
    (dense(1024), "cortex-m0 -O2"): Limit(0.52, 0.43),
    (dense(1024), "rv32 -O2"): Limit(0.45, 0.37),
    (conv(16), "uno -Os"): Limit(1.5, 1.1),
    (conv(32), "uno -Os"): Limit(1.5, 1.1),
    (conv(32), "cortex-m3 -O2"): Limit(0.48, 0.38),
    (conv(32), "cortex-m0 -O2"): Limit(0.75, 0.60),
    (conv(32), "rv32 -O2"): Limit(0.60, 0.48),
    (BINARY, "uno -Os"): Limit(40_000, 21_000),
    (BINARY, "cortex-m3 -Os"): Limit(15_000, 7_500),
    (BINARY, "cortex-m0 -Os"): Limit(22_000, 11_000),
    (BINARY, "rv32 -Os"): Limit(18_000, 9_300),
    (SIMPLE, "megaatmega2560 -Os"): Limit(120_000, 50_000),
    (SIMPLE, "cortex-m3 -Os"): Limit(40_000, 18_000),
    (CODE, "uno -Os size"): Limit(2_560, 1_536),
    (INT8_CONV, "uno -Os"): Limit(9, 7),
    (INT8_CONV, "cortex-m3 -Os"): Limit(3.0, 2.2),
    (INT8_CONV, "cortex-m0 -Os"): Limit(4.5, 3.5),
    (INT8_CONV, "cortex-m4 -Os"): Limit(1.8, 1.3),
    (INT8_CONV, "rv32 -Os"): Limit(3.2, 2.5),
}


def _ebnn(figure: float) -> tuple[Peer, ...]:
    return (Peer("eBNN", figure, figure),)


def _cmsis(least: float, most: float) -> tuple[Peer, ...]:
    return (Peer("CMSIS-NN, portable C", least, most),)


PEERS = {
    (INT8_CONV, "cortex-m3 -Os"): _cmsis(3.3, 7.6),
    (INT8_CONV, "cortex-m0 -Os"): _cmsis(3.3, 7.6),
    (INT8_CONV, "cortex-m4 -Os"): _cmsis(1.9, 3.3),
    (dense(1024), "megaatmega2560 -Os"): _ebnn(6.8),
    (BINARY, "uno -Os"): _ebnn(8_710_000),
    (BINARY, "megaatmega2560 -Os"): _ebnn(8_870_000),
    (BINARY, "cortex-m3 -Os"): _ebnn(2_890_000),
    (BINARY, "cortex-m0 -Os"): _ebnn(4_830_000),
    (BINARY, "rv32 -Os"): _ebnn(3_590_000),
    (SIMPLE, "megaatmega2560 -Os"): _ebnn(7_160_000),
    (SIMPLE, "cortex-m3 -Os"): _ebnn(1_840_000),
    (SIMPLE, "cortex-m0 -Os"): _ebnn(2_660_000),
    (SIMPLE, "rv32 -Os"): _ebnn(2_760_000),
    (CODE, "uno -Os"): _ebnn(3_380),
    ("ebnn_mismatches_long", "arc -Os"): (Peer("one word a turn", 0.69, 0.69), Peer("best seen", 0.277, 0.277)),
    ("ebnn_mismatches_long", "arc -O2"): (Peer("one word a turn", 0.69, 0.69), Peer("best seen", 0.277, 0.277)),
}


def _case(kind: Kind, what: str, setting: Setting, **facts: Any) -> Case:
    place = f"{setting.board} {setting.level}"
    limit = LIMITS.get((what, place if setting.optimize == "speed" else str(setting)))
    compared = limit is not None or kind in ("loop", "code") or place in ("uno -Os", "cortex-m3 -Os")
    return Case(kind, what, setting, limit=limit, peers=PEERS.get((what, place), ()), compared=compared, **facts)


def _kernel(what: str, function: str, network: Blueprint, speed: bool = False) -> Iterable[Case]:
    settings = [Setting(board, level) for board in (*AVR, *QEMU) for level in LEVELS]
    for setting in [*settings, *[Setting("uno", optimize="speed")] * speed]:
        yield _case("kernel", what, setting, network=network, function=function)


def _integer(what: str, network: Blueprint, on_uno: Blueprint) -> Iterable[Case]:
    for board in INTEGER_BOARDS:
        blueprint = on_uno if board == "uno" else network
        yield _case("kernel", what, Setting(board), network=blueprint, function="ebnn_integer")


def _network(what: str, boards: Sequence[str], network: Blueprint, *others: Setting) -> Iterable[Case]:
    for setting in [*(Setting(board, level) for board in boards for level in LEVELS), *others]:
        yield _case("network", what, setting, network=network)


def _float(what: str, avr: str, network: Blueprint) -> Iterable[Case]:
    for board in (avr, "cortex-m3"):
        yield _case("network", what, Setting(board, arithmetic="float"), network=network)


def _loop(function: str, macs: int) -> Iterable[Case]:
    for level in LEVELS:
        yield _case("loop", function, Setting("arc", level), function=function, macs=macs)


CASES: tuple[Case, ...] = (
    *(
        case
        for n in DENSE_SIZES
        for case in _kernel(dense(n), "ebnn_dense", ("bits", (n, 1, 1), "d32"), speed=n == 1024)
    ),
    *(
        case
        for c in CONV_CHANNELS
        for case in _kernel(conv(c), "ebnn_conv", ("bits", (c, 8, 8), "c32,3,1,0"), speed=c in (16, 32))
    ),
    *_kernel("conv 3×3×32, padded, pooled", "ebnn_conv", ("bits", (32, 8, 8), "c32,3,1,1,m2,2,0")),
    *_kernel("conv 3×3×1 of pixels, 16 filters", "ebnn_conv_columns", ("uint8", (1, 16, 16), "c16,3,1,0")),
    *_kernel("dense of pixels, n=400, 16 outputs", "ebnn_dense", ("uint8", (1, 20, 20), "d16")),
    *(case for what, blueprints in INTEGER_KERNELS.items() for case in _integer(what, *blueprints)),
    *_network(BINARY, (*AVR, *QEMU), BINARY_MNIST, Setting("uno", optimize="speed"), Setting("uno", optimize="size")),
    *_network(SIMPLE, ("megaatmega2560", *QEMU), SIMPLE_MNIST, Setting("megaatmega2560", optimize="speed")),
    *_network(SMALL, (*AVR, *QEMU), CONV_SMALL),
    *_float(BINARY, "uno", BINARY_MNIST),
    *_float(SIMPLE, "megaatmega2560", SIMPLE_MNIST),
    *(
        _case("code", CODE, Setting("uno", optimize=optimize), network=BINARY_MNIST)
        for optimize in ("size", "balanced", "speed")
    ),
    *_loop("ebnn_mismatches", 3 * 32),
    *_loop("ebnn_mismatches_long", 8 * 32),
    *_loop("ebnn_masked_mismatches", 32),
)
