"""From a network to a board that keeps its firmware: make its image, send it, and hear the board say so."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .compile.image import image_bytes, needed_kernels
from .compile.target import AVR, WORDS
from .device import BAUDRATE, Device, DeviceInfo
from .device.answers import PushFacts
from .device.push_checks import push_facts
from .errors import DeviceError
from .model.network import Network

_OTHERS = ("compact", "size")
"""Optimizations that are tried where the board lacks kernels for the one that was asked for."""


@dataclass(frozen=True)
class Pushed:
    """A board that got a network and answers with it.

    Attributes:
        port: where the board is.
        info: what it says about itself.
        image_bytes: that the network takes there.
        optimize: for what its kernels were chosen.
        seconds: that all of it took.
        retries: requests that were sent again.
    """

    port: str
    info: DeviceInfo
    image_bytes: int
    optimize: str
    seconds: float
    retries: int

    @property
    def kept(self) -> bool:
        """Whether the network is there when the power has gone; a simulated board needs a ``store=`` in its URL."""
        passes = self.port.startswith("sim://") and not re.search("[?&]store=.", self.port)
        return self.info.push is not None and self.info.push.kept and not passes

    def values(self) -> dict[str, Any]:
        """Returns it as plain JSON values."""
        info = self.info
        return {
            "board": info.board,
            "port": self.port,
            "network": info.network,
            "hash": f"0x{info.network_hash:08x}",
            "image_bytes": self.image_bytes,
            "input_bytes": info.input_bytes,
            "arena_bytes": info.arena_bytes,
            "classes": info.classes,
            "kept": self.kept,
            "optimize": self.optimize,
            "seconds": self.seconds,
            "retries": self.retries,
        }


def push(
    network: Network,
    port: str,
    *,
    title: str = "network",
    key: bytes | None = None,
    arithmetic: str = "integer",
    optimize: str = "balanced",
    baud: int = BAUDRATE,
    progress: Callable[[int, int], None] = lambda done, size: None,
    overdue: Callable[[float], None] = lambda seconds: None,
) -> Pushed:
    """Sends a network to a board with updatable firmware, which runs it from then on.

    Args:
        network: what the board shall run.
        port: where it is: a device, or a URL.
        title: what the board calls it.
        key: of `ebnn.updatable.read_key`, where the board was flashed with one.
        arithmetic, optimize: see `ebnn.write_header`; where the board lacks kernels for an optimization, a smaller one
            is taken.
        baud: bits per second of a serial port.
        progress: told how many bytes of how many are there.
        overdue: told for how many seconds an answer has been waited for.

    Raises NetworkError for a network that cannot be an image, PortError where the port cannot be used, and DeviceError
    where the board does not take the network, or does not answer with it.
    """
    begin = time.monotonic()
    with Device(port, baudrate=baud, waiting=overdue) as device:
        facts = push_facts(device.hello(), device.port_name)
        image, chosen = _image(network, facts, device.port_name, title, arithmetic, optimize)
        info = device.push(image, key=key, progress=lambda done: progress(done, len(image)))
        return Pushed(port, info, len(image), chosen, time.monotonic() - begin, device.statistics.retries)


def forget(port: str, *, key: bytes | None = None, baud: int = BAUDRATE) -> DeviceInfo:
    """Has a board drop a network that was pushed; its firmware's own answers again. Raises what `push` raises."""
    with Device(port, baudrate=baud) as device:
        return device.forget(key=key)


def _image(
    network: Network, facts: PushFacts, port: str, title: str, arithmetic: str, optimize: str
) -> tuple[bytes, str]:
    """An image that the board has the kernels for, and for what they were chosen."""
    target = AVR if facts.target == AVR.lanes else WORDS
    for chosen in dict.fromkeys((optimize, *_OTHERS)):
        if needed_kernels(network, target, arithmetic, chosen) & ~facts.kernels == 0:
            return image_bytes(network, target, arithmetic, chosen, title=title), chosen
    raise DeviceError(
        f"{port}: the board's firmware has no code for a layer of this network: flash it once with it, ebnn flash "
        "MODEL --board BOARD --updatable; networks of its kind can be pushed from then on"
    )
