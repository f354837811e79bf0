"""Sizes that may be given as one number or as one number for each of height and width."""

from __future__ import annotations

import operator
from collections.abc import Sequence


def as_pair(name: str, value: int | Sequence[int], least: int) -> tuple[int, int]:
    """Returns ``value`` as (vertical, horizontal).

    Args:
        name: what the value is, for the message.
        value: an integer, or two of them.
        least: the smallest number allowed.

    Raises:
        ValueError: it is neither, or a number is below ``least``.
    """
    values = tuple(value) if isinstance(value, Sequence) else (value, value)
    try:
        pair = tuple(operator.index(number) for number in values)
    except TypeError:
        pair = ()
    if len(pair) != 2 or min(pair) < least:
        raise ValueError(f"{name} is {value!r}: give an integer of at least {least}, or two of them as (height, width)")
    return pair
