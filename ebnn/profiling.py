"""Where a board spends its time, layer by layer, and what it uses of its memory."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import datasets
from .compile.summary import describe_network
from .device import Device
from .errors import DeviceError, InputError
from .model.kinds import InputKind
from .model.network import Network
from .report import counts_instructions, duration_text, timed
from .streaming import check_board

_SEED = 1  # of random samples


@dataclass(frozen=True)
class LayerProfile:
    """What one layer took."""

    name: str
    """As ``ebnn info`` has it."""
    output_shape: tuple[int, ...]
    macs: int
    us: float
    """Mean microseconds by the board's clock."""

    @property
    def macs_per_us(self) -> float | None:
        """Multiply-accumulates in a microsecond; None where the clock saw no time pass."""
        return self.macs / self.us if self.us > 0 else None


@dataclass(frozen=True)
class ProfileReport:
    """What a board told about its samples, in the mean."""

    board: str
    network: str
    network_hash: str
    """64 hexadecimal digits."""
    samples: int
    class_mismatches: int
    """Samples whose class is not the reference's."""
    layers: tuple[LayerProfile, ...]
    total_us: float
    """Mean microseconds of a whole prediction; reading the clock between layers is in it."""
    arena_bytes: int
    deepest_stack_bytes: int | None
    """Since the board's reset; None where the board can't tell."""
    untouched_bytes: int | None
    """RAM that nothing has touched since the board's reset; None where the board can't tell."""

    def share(self, layer: LayerProfile) -> float:
        """A layer's fraction of the time of all layers."""
        return layer.us / max(sum(each.us for each in self.layers), 1e-9)

    def check_classes(self) -> None:
        """Raises DeviceError where a class is not the reference's."""
        if self.class_mismatches:
            raise DeviceError(
                f"{self.class_mismatches} classes of {self.samples} differ from the reference: the board does not "
                "compute what it must; please report it with the model"
            )

    def values(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {
            "board": self.board,
            "network": self.network,
            "network_hash": self.network_hash,
            "samples": self.samples,
            "class_mismatches": self.class_mismatches,
            "layers": [
                {
                    "name": layer.name,
                    "output_shape": list(layer.output_shape),
                    "macs": layer.macs,
                    "us": layer.us,
                    "share": self.share(layer),
                    "macs_per_us": layer.macs_per_us,
                }
                for layer in self.layers
            ],
            "total_us": self.total_us,
            "unit": "instructions" if counts_instructions(self.board) else "microseconds",
            "arena_bytes": self.arena_bytes,
            "deepest_stack_bytes": self.deepest_stack_bytes,
            "untouched_bytes": self.untouched_bytes,
        }


def random_samples(network: Network, count: int) -> NDArray[Any]:
    """Returns random samples (count, channels, height, width) in the network's input type, the same ones each time."""
    rng = np.random.default_rng(_SEED)
    kind = network.input.kind
    source: InputKind = "bits" if kind == "bits" else "uint8"
    values = rng.integers(0, 2 if kind == "bits" else 256, (count, *network.input.shape), dtype=np.uint8)
    return datasets.convert(values, source, kind)


def profile_samples(
    network: Network, device: Device, images: ArrayLike, progress: Callable[[int], None] = lambda done: None
) -> ProfileReport:
    """Profiles every sample on a board.

    Args:
        network: what the board must run.
        device: an open port.
        images: (n, channels, height, width) in the network's input type, n at least 1.
        progress: told after each sample how many are done.

    Raises InputError for images that do not fit, the errors of Device.hello and Device.profile, WrongNetworkError for a
    board with another network, and DeviceError for one that tells of another number of layers.
    """
    samples = network.check_samples(images)
    if not len(samples):
        raise InputError("there are no samples to profile: give at least one")
    info = device.hello()
    check_board(network, info)
    layers = describe_network(network)["layers"]
    wrong = 0
    profiles = []
    for packed, expected in zip(network.pack_input(samples), network.predict(samples), strict=True):
        profile = device.profile(packed)
        if len(profile.layer_us) != len(layers):
            raise DeviceError(
                f"{device.port_name}: the board tells of {len(profile.layer_us)} layers, the network has "
                f"{len(layers)}: flash it again with this network"
            )
        wrong += profile.class_index != int(expected)
        profiles.append(profile)
        progress(len(profiles))
    means = np.mean([profile.layer_us for profile in profiles], axis=0)
    return ProfileReport(
        info.board,
        info.network,
        network.hash,
        len(profiles),
        wrong,
        tuple(
            LayerProfile(layer["name"], tuple(layer["output_shape"]), layer["macs"], float(us))
            for layer, us in zip(layers, means, strict=True)
        ),
        float(np.mean([profile.total_us for profile in profiles])),
        info.arena_bytes,
        profiles[-1].deepest_stack_bytes,
        profiles[-1].untouched_bytes,
    )


def memory_lines(report: ProfileReport) -> list[str]:
    """The total and the memory, one line each."""

    def size(count: int | None) -> str:
        return "the board can't tell" if count is None else f"{count:,} B since the board's reset"

    sample = f"{duration_text(report.board, report.total_us)} a sample {timed(report.board)}"
    return [
        f"total          {sample}; mean of {report.samples:,}",
        f"arena          {report.arena_bytes:,} B of RAM, the input in it",
        f"deepest stack  {size(report.deepest_stack_bytes)}",
        f"untouched      {size(report.untouched_bytes)}",
    ]
