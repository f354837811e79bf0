"""The axes that a dense layer flattens."""

from __future__ import annotations

from typing import Any

from ....errors import InputError


def keep_axes(link: Any, x: Any) -> None:
    """Holds a dense layer to the axes of its input, which it flattens: the first ones seen are the layer's.

    Weights trained on (height, width, channels) are others than those for (channels, height, width), though their
    number is the same. Flat vectors (n, values) say nothing of axes.

    Args:
        link: the layer; its ``axes`` are the shape of one sample, None before the first.
        x: its input, (n, ...).

    Raises:
        InputError: the axes are others than those before.
    """
    axes = tuple(x.shape[1:])
    if len(axes) < 2:
        return
    if link.axes is None:
        link.axes = axes
    elif axes != link.axes:
        raise InputError(f"a dense layer that takes samples of shape {link.axes} was given {axes}: keep to one shape")
