"""The encoder of a network in its header: constants, ``NAME_raw_t`` and ``NAME_encode``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..errors import NetworkError
from ..model.encoders import Affine, Encoder, Thermometer
from ..model.network import Network
from .c_arrays import constant_array
from .header_part import HeaderPart, needs_library
from .lines import listed

RAW_C_TYPES = {"float": "float", "int16": "int16_t"}
_RAW_NAMES = {"float": "EBNN_RAW_FLOAT", "int16": "EBNN_RAW_INT16"}
_IN_FLASH = " | EBNN_RAW_IN_FLASH"


@dataclass(frozen=True)
class EncoderCode(ABC):
    """How the header of ``network``, whose names start with ``name``, encodes.

    A new encoder has a subclass here, and a function in ``encoder.h``.
    """

    network: Network
    name: str

    in_float: ClassVar[bool]
    """Whether it calculates with floats, and does not just compare them."""

    @property
    def encoder(self) -> Encoder:
        assert self.network.encoder is not None
        return self.network.encoder

    @property
    def raw_type(self) -> str:
        """The C type of raw values."""
        return RAW_C_TYPES[self.encoder.raw]

    @property
    @abstractmethod
    def array(self) -> str:
        """The name of the constants' array."""

    @abstractmethod
    def constants(self) -> str:
        """The constants' array."""

    @abstractmethod
    def arguments(self, raw: str, kind: str, target: str, single: bool) -> tuple[str, list[str]]:
        """The function of ``encoder.h`` and what it is given; ``single`` is of one pixel."""

    @abstractmethod
    def value_arguments(self, raw: str, kind: str, at: str, target: str) -> tuple[str, list[str]]:
        """The function of ``encoder.h`` that encodes one value of a sample, and what it is given."""

    def value_call(self, raw: str, at: str, target: str) -> str:
        """The statement that encodes the value at ``raw``, number ``at`` of a sample, into the input at ``target``."""
        function, arguments = self.value_arguments(raw, _RAW_NAMES[self.encoder.raw], at, target)
        return listed(f"    {function}(", arguments, ");")

    def call(self, raw: str, target: str, in_flash: bool = False, single: bool = False) -> str:
        """The statement that encodes the values at ``raw`` to ``target``, a pointer to bytes; ``single``: one pixel."""
        kind = _RAW_NAMES[self.encoder.raw] + (_IN_FLASH if in_flash else "")
        function, arguments = self.arguments(raw, kind, target, single)
        return listed(f"    {function}(", arguments, ");")


class AffineCode(EncoderCode):
    in_float = True

    @property
    def array(self) -> str:
        return f"{self.name}_encoder_steps"

    def constants(self) -> str:
        encoder = self.encoder
        assert isinstance(encoder, Affine)
        steps = np.stack([encoder.offset, encoder.scale], axis=1)
        return constant_array(self.array, steps, f"{encoder.channels} channels: offset, steps in a unit")

    def arguments(self, raw: str, kind: str, target: str, single: bool) -> tuple[str, list[str]]:
        encoder = self.encoder
        assert isinstance(encoder, Affine)
        channels = f"{self.name.upper()}_RAW_CHANNELS"
        low = f"{int(encoder.values.low) & 0xFF}u"
        pixels = "1u" if single else f"{self.name.upper()}_RAW_VALUES / {channels}"
        return "ebnn_encode_affine", [self.array, channels, low, raw, kind, pixels, target]

    def value_arguments(self, raw: str, kind: str, at: str, target: str) -> tuple[str, list[str]]:
        encoder = self.encoder
        assert isinstance(encoder, Affine)
        low = f"{int(encoder.values.low) & 0xFF}u"
        return "ebnn_encode_affine_value", [self.array, f"{self.name.upper()}_RAW_CHANNELS", low, raw, kind, at, target]


class ThermometerCode(EncoderCode):
    in_float = False

    @property
    def array(self) -> str:
        return f"{self.name}_encoder_thresholds"

    def constants(self) -> str:
        encoder = self.encoder
        assert isinstance(encoder, Thermometer)
        ranks = threshold_ranks(encoder)
        return constant_array(self.array, ranks, f"{encoder.channels} channels × {encoder.levels}, as ebnn_rank")

    def arguments(self, raw: str, kind: str, target: str, single: bool) -> tuple[str, list[str]]:
        encoder, shape = self.encoder, self.network.raw_shape
        assert isinstance(encoder, Thermometer)
        channels = f"{self.name.upper()}_RAW_CHANNELS"
        rows, columns = (1, 1) if single else (shape.height, shape.width)
        sides = [str(encoder.levels), raw, kind, str(rows), str(columns)]
        return "ebnn_encode_thermometer", [self.array, channels, *sides, target]

    def value_arguments(self, raw: str, kind: str, at: str, target: str) -> tuple[str, list[str]]:
        encoder = self.encoder
        assert isinstance(encoder, Thermometer)
        channels, columns = f"{self.name.upper()}_RAW_CHANNELS", str(self.network.raw_shape.width)
        arguments = [self.array, channels, str(encoder.levels), raw, kind, columns, at, target]
        return "ebnn_encode_thermometer_value", arguments


def threshold_ranks(encoder: Thermometer) -> NDArray[np.int32]:
    """Thresholds as ``ebnn_rank`` of encoder.h ranks values, (channels, levels) int32: ``x >= t`` is ``rank >= t``."""
    if encoder.raw == "int16":
        return np.clip(np.ceil(encoder.thresholds), -(2**15), 2**15).astype(np.int32)
    magnitude = np.abs(encoder.thresholds).view(np.int32)
    return np.where(encoder.thresholds < 0, -magnitude, magnitude).astype(np.int32)


_CODES: dict[type[Encoder], type[EncoderCode]] = {Affine: AffineCode, Thermometer: ThermometerCode}


def encoder_code(network: Network, name: str) -> EncoderCode | None:
    """How the header encodes; None without an encoder. Raises NetworkError for one that C does not know."""
    if network.encoder is None:
        return None
    code = _CODES.get(type(network.encoder))
    if code is None:
        raise NetworkError(f"the encoder {network.encoder.name!r} has no C: use one of {', '.join(_names())}")
    return code(network, name)


def encoder_part(network: Network, name: str, emitted: str) -> HeaderPart:
    """What the encoder adds to a header; nothing without one. ``emitted`` says by what it was emitted."""
    code = encoder_code(network, name)
    if code is None:
        return HeaderPart()
    macro, encoder, shape = name.upper(), code.encoder, network.raw_shape
    target_type = network.input.values.c_type
    target = "input" if target_type == "uint8_t" else "(uint8_t *)input"
    facts = f"{shape} of {encoder.raw} → {network.input.kind}, {encoder.name}, {encoder.constant_bytes:,} B"
    return HeaderPart(
        facts=(("raw", facts), ("", "row after row, a pixel's channels side by side: reading after reading")),
        macros=f"""\
{needs_library("EBNN_ENCODER_H", emitted)}
#define {macro}_RAW_VALUES {shape.size}
#define {macro}_RAW_CHANNELS {shape.channels} /* values of one reading, or of one pixel */
#define {macro}_RAW_BYTES ({macro}_RAW_VALUES * sizeof({name}_raw_t))
#define {macro}_ENCODER_BYTES {encoder.constant_bytes} /* of flash */
""",
        types=f"""\
/* A raw value, as a sensor gives it. */
typedef {code.raw_type} {name}_raw_t;

""",
        prototypes=f"""
/* Encodes a raw sample. raw: NAME_RAW_VALUES values, reading after reading, the channels of one side by side; input:
 * NAME_INPUT_BYTES bytes elsewhere, {name}_input() for one. What is beyond a channel's range takes its end. */
{macro}_EBNN_SCOPE void {name}_encode(const {name}_raw_t *raw, {target_type} *input);

/* Encodes raw value `at` of a sample; in turn, from 0 to NAME_RAW_VALUES - 1, they are {name}_encode. */
{macro}_EBNN_SCOPE void {name}_encode_value({name}_raw_t value, size_t at, {target_type} *input);
""",
        definitions=f"""\
{code.constants()}
{macro}_EBNN_LINKAGE void {name}_encode(const {name}_raw_t *raw, {target_type} *input)
{{
    EBNN_CHECK_REACH("{name}_encoder", sizeof {code.array});
{code.call("raw", target)}
}}

{macro}_EBNN_LINKAGE void {name}_encode_value({name}_raw_t value, size_t at, {target_type} *input)
{{
    EBNN_CHECK_REACH("{name}_encoder", sizeof {code.array});
{code.value_call("&value", "at", target)}
}}
""",
        aliases=f"""\
#define EBNN_RAW_TYPE {name}_raw_t
#define EBNN_RAW_VALUES {macro}_RAW_VALUES
#define ebnn_network_encode {name}_encode
#define ebnn_network_encode_value {name}_encode_value
""",
    )


def _names() -> list[str]:
    return [encoder.name for encoder in _CODES]
