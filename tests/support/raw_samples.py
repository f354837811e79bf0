"""Networks with encoders of every kind, and raw values at which an encoder could go wrong."""

import numpy as np
from numpy.typing import NDArray

from ebnn.model.encoders import RAW_TYPES, Affine, Encoder, Thermometer
from ebnn.model.kinds import Shape
from ebnn.model.layers import Block, Dense
from ebnn.model.meta import Meta
from ebnn.model.network import Network
from ebnn.model.transforms import Scores

RAW_SHAPE = Shape(5, 2, 9)
LARGE, SMALL = 2.0**100, 2.0**-100
SUBNORMAL = float(np.float32(1e-45))
OFFSETS = [0.0, -9.80665, 1234.5678, -LARGE, 1.2e-38]
SCALES = [LARGE, 13.07, 0.0837, SMALL, 1.1e30]
INT_OFFSETS, INT_SCALES = [-32768, -301.7, 0, 12.25, 32000], [1 / 256, 0.7331, 1, 111.5, 0.33333]


def _thresholds() -> NDArray[np.float32]:
    """Thresholds of floats, 7 for each channel, and so an odd number of bits in a row."""
    return np.array(
        [
            [-LARGE, -1e-38, -SUBNORMAL, 0, SUBNORMAL, 1e-38, LARGE],
            np.linspace(-9.80665, 9.80665, 7),
            [5, 5, 5, 5, 6, 6, 6],
            np.geomspace(1e-30, 1e30, 7),
            -np.geomspace(1e30, 1e-30, 7),
        ],
        np.float32,
    )


ENCODERS: dict[str, Encoder] = {
    "float to int8": Affine(OFFSETS, SCALES, "int8"),
    "float to uint8": Affine(OFFSETS[::-1], SCALES[::-1], "uint8"),
    "int16 to int8": Affine(INT_OFFSETS, INT_SCALES, "int8", "int16"),
    "int16 to uint8": Affine(INT_OFFSETS, INT_SCALES, "uint8", "int16"),
    "float to bits": Thermometer(_thresholds()),
    "int16 to bits": Thermometer(
        [
            [-40_000, -32_768, -32_767.5, 0, 32_766.5, 32_767, 40_000],
            [-2.5, -2, -1.5, -0.5, 0.5, 1.5, 2.5],
            *np.linspace(-30_000, 30_001, 21).reshape(3, 7),
        ],
        "int16",
    ),
}


def encoder_network(encoder: Encoder, raw_shape: Shape = RAW_SHAPE, meta: Meta | None = None) -> Network:
    """A network of scores alone behind an encoder: 3 classes."""
    taken = encoder.output(raw_shape)
    channels, height, width = taken.shape
    weights = np.random.default_rng(taken.shape.size).integers(0, 2, (3, height, width, channels)).astype(bool)
    return Network(taken, [Block(Dense(weights), None, Scores([3, 2, 5], [1, -1, 0], 0.0001))], encoder, meta)


def raw_samples(encoder: Encoder, values: int = 10_000, seed: int = 0) -> NDArray[np.generic]:
    """So many raw values or more (n, *RAW_SHAPE): at every step of the encoder and beside it, of all bits, the ends."""
    rng = np.random.default_rng(seed)
    samples = -(-values // RAW_SHAPE.size)
    shape = (samples, *RAW_SHAPE)
    edges = _edges(encoder)
    at = np.stack([rng.choice(one, (samples, *RAW_SHAPE[1:])) for one in edges], axis=1)
    if encoder.raw == "int16":
        near = np.rint(at) + rng.integers(-2, 3, shape)
        any_value = rng.integers(-(2**15), 2**15, shape)
        ends = rng.choice([-(2**15), 1 - 2**15, -1, 0, 1, 2**15 - 2, 2**15 - 1], shape)
        raw = np.clip(_mixed(rng, near, any_value, ends), -(2**15), 2**15 - 1)
        return raw.astype(np.int16)
    near = at.astype(np.float32)
    for _ in range(3):
        near = np.nextafter(near, rng.choice([-np.inf, np.inf], shape).astype(np.float32))
    any_value = rng.integers(0, 2**32, shape, dtype=np.uint32).view(np.float32)
    bits = [0x7FC00000, 0xFFC00001, 0x7F800001, 0x7F800000, 0xFF800000, 0x7F7FFFFF, 0xFF7FFFFF, 0, 0x80000000]
    bits += [1, 0x80000001, 0x7FFFFF, 0x807FFFFF, 0x800000, 0x80800000]
    ends = rng.choice(np.array(bits, np.uint32), shape).view(np.float32)
    return _mixed(rng, near, any_value, ends)


def _edges(encoder: Encoder) -> list[NDArray[np.float64]]:
    """Of each channel, the values at which its code changes."""
    if isinstance(encoder, Thermometer):
        return list(encoder.thresholds.astype(np.float64))
    assert isinstance(encoder, Affine)
    steps = np.arange(257)
    pairs = zip(encoder.offset.astype(np.float64), encoder.scale.astype(np.float64), strict=True)
    return [offset + steps / scale for offset, scale in pairs]


def _mixed(rng: np.random.Generator, near: NDArray, any_value: NDArray, ends: NDArray) -> NDArray:  # type: ignore[type-arg]
    which = rng.integers(0, 4, near.shape)
    return np.where(which < 2, near, np.where(which == 2, any_value, ends))


def encoded(network: Network, raw: NDArray[np.generic]) -> NDArray[np.uint8]:
    """What C must make of raw samples: (n, input bytes) uint8."""
    return network.pack_input(network.encode(raw))


def raw_bytes(network: Network, raw: NDArray[np.generic]) -> bytes:
    """Raw samples as a program takes them."""
    assert network.encoder is not None
    packed = network.encoder.pack_raw(raw, network.raw_shape)
    assert packed.dtype == RAW_TYPES[network.encoder.raw]
    return packed.tobytes()
