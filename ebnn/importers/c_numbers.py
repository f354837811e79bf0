"""Numbers as C writes them, and what C makes of them."""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np

Number = int | float  # a float of C's type float has been rounded to it

_WHOLE = re.compile(r"(0[xX][0-9a-fA-F]+|0[bB][01]+|0[0-7]*|[1-9][0-9]*)(?i:u|l|ul|lu|ll|ull|llu)?")
_REAL = re.compile(r"((?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?)([fF]?)")
_HEXADECIMAL = re.compile(r"(0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][-+]?[0-9]{1,5})([fF]?)")
_LONGEST = 80  # characters of a whole number, and of a float's
_MOST = 10**15  # of one: what every float64 holds, and no type of C cuts
_UNSIGNED = {"uint8_t": 8, "unsigned char": 8, "uint16_t": 16, "unsigned short": 16}
_SIGNED = {"int", "char", "int8_t", "int16_t", "short", "int32_t", "long"}


def literal(text: str) -> Number | None:
    """Returns the value of a number without a sign: an int, or a float that C's float or double is.

    None where the text is none, or one that compilers read differently: of more digits than they have, a long double.
    """
    whole = _WHOLE.fullmatch(text)
    if whole is not None and len(text) <= _LONGEST:
        digits = whole[1].lower()
        base = {"0x": 16, "0b": 2}.get(digits[:2], 8 if digits.startswith("0") else 10)
        value = int(digits, base)
        return value if value < _MOST else None
    real = _REAL.fullmatch(text) or _HEXADECIMAL.fullmatch(text)
    if real is None:
        return None
    try:
        exact = float.fromhex(real[1]) if real[1][:2] in ("0x", "0X") else float(real[1])
    except OverflowError:
        return None
    if not real[2] or not np.isfinite(exact) or exact == 0:
        return exact
    if len(text) > _LONGEST:
        return None
    return _single(Fraction(exact) if real[1][:2] in ("0x", "0X") else Fraction(real[1]), exact)


def negate(value: Number) -> Number:
    """Returns the value behind a minus: that of the whole number 0 has no sign."""
    return -value


def cast(c_type: str, value: Number) -> Number | None:
    """Returns what a cast to a type makes of a value, None where C leaves it open or the type is not known here."""
    if c_type in ("double", "long double"):
        return float(value)
    if c_type == "float":
        with np.errstate(over="ignore"):
            return float(np.float32(value))
    if isinstance(value, float) and not (np.isfinite(value) and abs(value) < 128):
        return None
    whole = int(value)
    if c_type in _UNSIGNED:
        return whole % 2 ** _UNSIGNED[c_type] if isinstance(value, int) or whole >= 0 else None
    return whole if c_type in _SIGNED and -128 <= whole < 128 else None


def _single(exact: Fraction, near: float) -> float:
    """The float32 nearest to a value, rounded once; ``near`` is the value as a double."""
    with np.errstate(over="ignore"):
        middle = np.float32(near)
        if not np.isfinite(middle):
            return float(middle)
        candidates = [np.nextafter(middle, np.float32(-np.inf)), middle, np.nextafter(middle, np.float32(np.inf))]
    finite = [one for one in candidates if np.isfinite(one)]
    nearest = min(finite, key=lambda one: (abs(Fraction(float(one)) - exact), int(one.view(np.int32)) & 1))
    return float(nearest)
