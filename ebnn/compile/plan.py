"""Plan: a network compiled for a core: the kernel of each layer, its constants, its scratch, its place in the arena.

The header prints plans, estimates price them, tables show them; nobody else asks which kernel runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ..errors import NetworkError
from ..model.layers import Layer
from ..model.network import Network
from .class_names import name_bytes
from .kernels import KERNELS
from .kernels.integer import MOST_PATCH_BYTES, fits_patch
from .kernels.kernel import Arrays, Kernel, Work, once
from .kernels.structs import patch_taps
from .memory import MemoryPlan, plan_memory
from .options import Options
from .target import Target, check_board_limits


@dataclass(frozen=True)
class Step:
    """One layer of a plan: what is run, what runs it, and for which options and target."""

    layer: Layer
    kernel: Kernel
    options: Options
    target: Target

    @cached_property
    def constants(self) -> Arrays:
        """Its constant arrays, the one with the weights first."""
        return self.kernel.constants(self.layer, self.options, self.target)

    @property
    def flash_bytes(self) -> int:
        """Bytes of its constant arrays."""
        return _constant_bytes(self.layer, self.kernel, self.options, self.target)

    @property
    def weight_bytes(self) -> int:
        """Bytes of its weights, or of the table that holds them; 0 without."""
        array = self.constants.get(self.kernel.weights_name)
        return 0 if array is None else array.values.nbytes

    def work(self, fired: float | None = None) -> Work:
        """How often each loop of its kernel runs for one sample, see `Kernel.work`."""
        return self.kernel.work(self.layer, self.target, fired)


@dataclass(frozen=True)
class Plan:
    """A network compiled for ``target`` with ``options``: a step for each layer, and the plan of the arena."""

    network: Network
    options: Options
    target: Target
    steps: tuple[Step, ...]
    memory: MemoryPlan

    @property
    def arena_bytes(self) -> int:
        """Bytes of RAM for the input, the activations and what the kernels need beside them."""
        return self.memory.arena_bytes

    @cached_property
    def layer_bytes(self) -> int:
        """Bytes of the layers' constants."""
        return sum(step.flash_bytes for step in self.steps)

    @property
    def encoder_bytes(self) -> int:
        """Bytes of the encoder's constants."""
        return self.network.encoder.constant_bytes if self.network.encoder else 0

    @property
    def name_bytes(self) -> int:
        """Bytes of the classes' names."""
        return name_bytes(self.network)

    @property
    def flash_bytes(self) -> int:
        """Bytes of all constants."""
        return self.layer_bytes + self.encoder_bytes + self.name_bytes

    @property
    def ones_bytes(self) -> int:
        """Bytes of RAM of the table of ones."""
        return self.target.ones_bytes if self.options.optimize.ones_in_ram else 0


def plan(network: Network, options: Options, target: Target) -> Plan:
    """Compiles a network for a core. Raises NetworkError where it is too big or a layer has no kernel."""
    check_board_limits(network)
    steps = tuple(Step(layer, _kernel_for(layer, options), options, target) for layer in network.layers)
    return Plan(network, options, target, steps, arena_plan(network, target))


@once
def _constant_bytes(layer: Layer, kernel: Kernel, options: Options, target: Target) -> int:
    return sum(array.values.nbytes for array in kernel.constants(layer, options, target).values())


@once
def _kernel_for(layer: Layer, options: Options) -> Kernel:
    for kernel in KERNELS:
        if kernel.runs(layer) and kernel.chosen(layer, options):
            return kernel
    if options.in_float(layer):
        raise NetworkError(
            f"{layer.name} is a {layer.linear.name} layer of {layer.kind}, which has no float arithmetic: export it "
            "with the integer arithmetic"
        )
    kind = f"a {layer.linear.name} layer of {layer.kind} that ends in {layer.transform.name}"
    if layer.kind.whole and not fits_patch(layer):
        raise NetworkError(
            f"no kernel runs {layer.name}, {kind}: its kernel covers {patch_taps(layer):,} values of all channels, "
            f"{MOST_PATCH_BYTES:,} fit: use a smaller kernel, a pool or fewer channels before it"
        )
    raise NetworkError(f"no kernel runs {layer.name}, {kind}: use a convolution or a dense layer there")


def arena_plan(network: Network, target: Target) -> MemoryPlan:
    """The plan of the arena: the same whatever the options are, so with scratch for the hungriest kernel."""
    layers = network.layers
    activations = [*(layer.input.bytes for layer in layers), 0]  # scores are the caller's
    return plan_memory(activations, [scratch_bytes(layer, target) for layer in layers])


@once
def scratch_bytes(layer: Layer, target: Target) -> int:
    """Bytes beside a layer's input and output for the hungriest of the kernels that can run it."""
    return max((kernel.scratch(layer, target) for kernel in KERNELS if kernel.runs(layer)), default=0)
