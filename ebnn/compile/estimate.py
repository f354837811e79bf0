"""What a network takes on a board, before anything is compiled: flash, RAM with the stack, time per sample.

Sizes and times of the kernels are measured on simulated cores by ``tools/costs.py`` and lie in ``boards/costs``;
the Arduino core's share of a board lies in the board's own file. `check_fits` refuses a network that is too big.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..boards import Board, Costs, board_names, load_board, load_costs
from ..errors import NetworkError
from ..model import bits
from ..model.layers import Layer
from ..model.network import Network
from ..model.transforms import Sign
from .encoder_costs import encoder_code_bytes
from .kernels.kernel import GROUP
from .options import Optimize, Options
from .plan import Step, plan, scratch_bytes
from .target import Target, target_of


@dataclass(frozen=True)
class Estimate:
    """A network on a board, with the serial firmware of ``firmware/src``.

    Attributes:
        board: which.
        flash_bytes: constants, kernels, firmware and the board's core.
        static_bytes: RAM of all variables: arena, scores, firmware, the board's core.
        stack_bytes: the deepest stack.
        layer_bounds: least and most microseconds for each layer and one sample, at the board's clock; the same figure
            twice where there is one.
        arena_bytes, score_bytes, constant_bytes, array_bytes: of the network: RAM for activations and scores, flash of
            all constants and of the largest array.
        reserve_bytes: RAM beside arena and scores without which the firmware does not compile.
        target: the board's core as the emitted C sees it.
    """

    board: Board
    flash_bytes: int
    static_bytes: int
    stack_bytes: int
    layer_bounds: tuple[tuple[float, float], ...]
    arena_bytes: int
    score_bytes: int
    constant_bytes: int
    array_bytes: int
    reserve_bytes: int
    target: Target

    @property
    def ram_bytes(self) -> int:
        """Variables and stack, or what the board's linker keeps for heap and stacks."""
        return self.static_bytes + max(self.stack_bytes, self.board.reserved_ram)

    @property
    def layer_us(self) -> tuple[float, ...]:
        """Microseconds for each layer and one sample: the middle of the bounds."""
        return tuple((low + high) / 2 for low, high in self.layer_bounds)

    @property
    def us(self) -> float:
        """Microseconds for one sample: the middle of the bounds."""
        return sum(self.layer_us)

    @property
    def bounds(self) -> tuple[float, float]:
        """Least and most microseconds for one sample."""
        return sum(low for low, _ in self.layer_bounds), sum(high for _, high in self.layer_bounds)

    @property
    def flash_left(self) -> int:
        """Bytes; negative where the network does not fit."""
        return (self.board.flash_bytes or 0) - self.flash_bytes

    @property
    def ram_left(self) -> int:
        """Bytes; negative where the network does not fit."""
        return (self.board.ram_bytes or 0) - self.ram_bytes

    @property
    def arena_left(self) -> int:
        """Bytes by which the arena may grow; negative by what it has too many."""
        if self.reserve_bytes == 0:
            return self.ram_left
        kept_free = self.arena_bytes + self.score_bytes + self.reserve_bytes
        return min(self.ram_left, (self.board.ram_bytes or 0) - kept_free)

    @property
    def lacking(self) -> tuple[str, ...]:
        """What there is too little of: "flash", "near flash" (that AVR's instructions reach), "RAM"."""
        short = {
            "flash": self.flash_left < 0,
            "near flash": not self.target.reaches(self.array_bytes, self.constant_bytes),
            "RAM": self.arena_left < 0,
        }
        return tuple(name for name, lacks in short.items() if lacks)

    @property
    def fits(self) -> bool:
        """Whether there is room for it."""
        return not self.lacking

    def values(self) -> dict[str, Any]:
        """The estimate as plain JSON values."""
        return {
            "board": self.board.name,
            "fits": self.fits,
            "lacking": list(self.lacking),
            "flash_bytes": self.flash_bytes,
            "flash_limit": self.board.flash_bytes,
            "ram_bytes": self.ram_bytes,
            "ram_limit": self.board.ram_bytes,
            "static_bytes": self.static_bytes,
            "stack_bytes": self.stack_bytes,
            "reserved_bytes": self.board.reserved_ram,
            "unit": "instructions" if self.board.simulator == "qemu" else "microseconds",
            "us": self.us,
            "us_low": self.bounds[0],
            "us_high": self.bounds[1],
            "layer_us": list(self.layer_us),
            "layer_us_low": [low for low, _ in self.layer_bounds],
            "layer_us_high": [high for _, high in self.layer_bounds],
            "measured": self.board.measured,
        }


def estimated_boards() -> list[Board]:
    """The boards that one can buy, the smallest first."""
    boards = [load_board(name) for name in board_names()]
    bought = [board for board in boards if board.costs is not None and board.environment is not None]
    return sorted(bought, key=lambda board: (board.ram_bytes or 0, board.flash_bytes or 0))


def estimate(network: Network, board: Board, arithmetic: str = "integer", optimize: str = "balanced") -> Estimate:
    """Flash, RAM and time of a network on a board. Raises NetworkError for a board without figures ("host")."""
    if board.costs is None or board.clock_hz is None:
        raise NetworkError(f"{board.title} has no limits to compare with: choose one of {_names()}")
    compiled = plan(network, Options.named(arithmetic, optimize), target_of(board))
    costs, target = load_costs(board.costs, compiled.options.optimize.value), compiled.target
    scale = 1e6 / board.clock_hz
    bounds = []
    for step in compiled.steps:
        each = costs.time[step.kernel.costs]
        count = sum(each.get(name, 0.0) * count for name, count in step.work().items())
        low, high = costs.cycles.get(step.kernel.costs, (board.cycles_per_instruction,) * 2)
        bounds.append((count * low * scale, count * high * scale))
    code = {name: costs.flash[name] for step in compiled.steps for name in step.kernel.library}
    encoding = encoder_code_bytes(network, board.costs)
    structs = sum(costs.flash[f"{step.kernel.struct.name}_layer"] for step in compiled.steps)
    return Estimate(
        board=board,
        flash_bytes=round(board.firmware_flash + sum(code.values()) + structs + encoding + compiled.flash_bytes),
        static_bytes=board.firmware_ram + compiled.arena_bytes + 4 * network.classes,
        stack_bytes=max(_stack(costs, step) for step in compiled.steps) - board.stack_less + compiled.ones_bytes,
        layer_bounds=tuple(bounds),
        arena_bytes=compiled.arena_bytes,
        score_bytes=4 * network.classes,
        constant_bytes=compiled.flash_bytes,
        array_bytes=max(compiled.encoder_bytes, compiled.name_bytes, *(layer.weight_bytes for layer in network.layers)),
        reserve_bytes=target.reserve_bytes + (compiled.ones_bytes if target.reserve_bytes else 0),
        target=target,
    )


def has_rest(step: Step) -> bool:
    """Whether the last filters of a block, fewer than four, are compared one by one, which takes a call more."""
    return step.kernel.grouped and isinstance(step.layer.transform, Sign) and step.layer.outputs % GROUP != 0


def _stack(costs: Costs, step: Step) -> int:
    """The deepest stack of a step; on some cores the last filters have no figure of their own."""
    name = step.kernel.costs
    return costs.rest_stack.get(name, costs.stack[name]) if has_rest(step) else costs.stack[name]


def check_fits(network: Network, board: Board, arithmetic: str = "integer", optimize: str = "balanced") -> Estimate:
    """The estimate of a network that fits. Raises NetworkError, naming the layer that is too big and the way out."""
    found = estimate(network, board, arithmetic, optimize)
    if not found.fits:
        raise NetworkError(way_out(network, found, arithmetic, optimize))
    return found


def way_out(network: Network, found: Estimate, arithmetic: str = "integer", optimize: str = "balanced") -> str:
    """What is too big of a network that does not fit, and what to do about it; ``found`` was estimated of both."""
    if "RAM" in found.lacking:
        return _too_much_ram(network, found, arithmetic, optimize)
    return _too_much_flash(network, found, arithmetic, optimize)


def _too_much_ram(network: Network, found: Estimate, arithmetic: str, optimize: str) -> str:
    taken = (found.board.ram_bytes or 0) - found.arena_left
    kept_free = taken - found.ram_bytes
    spare = f", which keeps {kept_free:,} B free beside that" if kept_free else ""
    reserved = found.board.reserved_ram
    stack = f"the {reserved:,} B that its linker keeps for heap and stacks" if reserved else "its stack"
    message = (
        f"the network takes about {found.ram_bytes:,} B of RAM, {found.board.title} has "
        f"{found.board.ram_bytes:,}: "
        f"{found.arena_bytes:,} B of arena, the rest for {stack} and the firmware{spare}"
    )
    if optimize == Optimize.SPEED and estimate(network, found.board, arithmetic).fits:
        return f"{message}. It fits with --optimize balanced, which needs no table in RAM"
    larger = _larger(network, found.board, arithmetic, optimize)
    cuts = _cuts(network, found.arena_bytes + found.arena_left, found.target)
    if cuts is None:
        return f"{message}. The input alone leaves no room for a layer: use smaller images, or {larger}"
    names = " and ".join(f"{layer.name}, too big for its place beside its input," for layer, _ in cuts)
    ways = " and ".join(
        f"{outputs} {'outputs' if layer.is_dense else 'filters'} instead of {layer.outputs}" for layer, outputs in cuts
    )
    return f"{message}. Give {names} {ways}, or take {larger}"


def _cuts(network: Network, limit: int, target: Target) -> list[tuple[Layer, int]] | None:
    """Which layers would have to lose outputs for an arena of ``limit`` bytes, and how many they may keep, in order.

    None where some layer's input leaves no room for a single output.
    """
    cuts = []
    before = bits.round_to_words(network.input.bytes)
    for layer in network.layers[:-1]:
        scratch = bits.round_to_words(scratch_bytes(layer, target))
        shape, kind = layer.output_shape, layer.output_kind
        sizes = {n: bits.round_to_words(kind.bytes(shape._replace(channels=n))) for n in range(1, layer.outputs + 1)}
        kept = max((n for n, size in sizes.items() if before + scratch + size <= limit), default=None)
        if kept is None:
            return None
        if kept < layer.outputs:
            cuts.append((layer, kept))
        before = sizes[kept]
    return cuts or None


def _too_much_flash(network: Network, found: Estimate, arithmetic: str, optimize: str) -> str:
    largest = max(network.layers, key=lambda layer: layer.weight_bytes)
    size, target = largest.weight_bytes, found.target
    held = f"{found.constant_bytes:,} B are its weights and thresholds, {size:,} B of them in {largest.name}"
    if found.flash_left < 0:
        message = (
            f"the network takes about {found.flash_bytes:,} B of flash, {found.board.title} has "
            f"{found.board.flash_bytes:,}: {held}, the rest is code. It would have to lose {-found.flash_left:,} B"
        )
    else:
        message = (
            f"the network does not fit {found.board.title}: {held}, and AVR's instructions reach "
            f"{target.array_bytes:,} B of one layer and {target.near_bytes:,} B in all"
        )
    for smaller in Optimize(optimize).smaller:
        if estimate(network, found.board, arithmetic, smaller.value).fits:
            return f"{message}. It fits with --optimize {smaller.value}, whose kernels are smaller and slower"
    way = "fewer filters in it or before it, or a pool before a dense layer"
    return f"{message}. Use {way}, or take {_larger(network, found.board, arithmetic, optimize)}"


def _larger(network: Network, than: Board, arithmetic: str, optimize: str) -> str:
    """A board that is large enough."""
    for board in estimated_boards():
        if board != than and estimate(network, board, arithmetic, optimize).fits:
            return f"a larger board, {board.title} (--board {board.name}) for one"
    return "a smaller network: no board that ebnn knows is large enough"


def _names() -> str:
    return ", ".join(board.name for board in estimated_boards())
