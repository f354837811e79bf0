"""Samples with the scores that the reference gives, and the C function that compares a board's with them."""

import numpy as np
from numpy.typing import NDArray

from ..model.encoders import RAW_TYPES
from ..model.network import Network
from .c_arrays import constant_array
from .encoder import encoder_code
from .target import AVR

LARGEST_ARRAY = AVR.array_bytes or 0


def sample_bytes(network: Network) -> int:
    """Bytes of one sample of the self-test: where there is an encoder, of a raw one."""
    if network.encoder is None:
        return network.input.bytes
    return network.raw_shape.size * np.dtype(RAW_TYPES[network.encoder.raw]).itemsize


def self_test_samples(network: Network, count: int) -> NDArray[np.generic]:
    """``count`` random samples (count, channels, height, width), the same for the same network."""
    choose = np.random.default_rng(network.hash32)
    shape = (count, *network.input.shape)
    kind = network.input.values
    if not kind.whole:
        return choose.random(shape, np.float32)
    return choose.integers(int(kind.low), int(kind.high) + 1, shape)


def self_test_raw(network: Network, count: int) -> NDArray[np.generic]:
    """``count`` random raw samples (count, channels, height, width), some values beyond the encoder's ranges."""
    assert network.encoder is not None
    low, high = (end[:, None, None] for end in network.encoder.ranges)
    part = np.random.default_rng(network.hash32).uniform(-0.1, 1.1, (count, *network.raw_shape))
    raw = low + part * (high - low)
    if network.encoder.raw == "int16":
        raw = np.clip(np.rint(raw), -(2**15), 2**15 - 1)
    return raw.astype(RAW_TYPES[network.encoder.raw])


def self_test_macro(name: str, count: int) -> str:
    """The number of samples as a macro, and the function's declaration."""
    return f"""
#define {name.upper()}_SELF_TEST {count} /* samples */

/* Predicts the samples in `arena`. Returns the number of wrong scores: 0. */
{name.upper()}_EBNN_SCOPE uint16_t {name}_self_test_in({name}_arena_t *arena);
"""


def self_test_arrays(network: Network, name: str, count: int) -> list[str]:
    """The text of the samples' and the scores' arrays, one of each for each sample: no array is too large for AVR."""
    if network.encoder is None:
        samples = self_test_samples(network, count)
        memory, comment = network.pack_input(samples).view(np.uint8), "a sample, as it is in memory"
    else:
        raw = self_test_raw(network, count)
        samples = network.encode(raw)
        memory, comment = network.encoder.pack_raw(raw, network.raw_shape), "a raw sample"
    texts = []
    for i, (sample, scores) in enumerate(zip(memory, network.scores(samples), strict=True)):
        texts.append(constant_array(f"{name}_self_test_input{i}", sample, comment))
        texts.append(constant_array(f"{name}_self_test_scores{i}", scores.astype(np.int32), "its scores"))
    return texts


def self_test_function(network: Network, name: str, count: int) -> str:
    """The function, and the one for each sample that it calls."""
    macro, c_type = name.upper(), network.input.values.c_type
    encoder = encoder_code(network, name)
    sample_type = encoder.raw_type if encoder else "uint8_t"
    take = f"    EBNN_READ_BLOCK(arena->bytes, sample, {macro}_INPUT_BYTES);"
    size = f"{macro}_INPUT_BYTES"
    if encoder:
        take = encoder.call("sample", "arena->bytes", in_flash=True)
        size = f"{macro}_RAW_BYTES"
    calls = "\n".join(
        f"    wrong = (uint16_t)(wrong + {name}_self_test_one(arena, {name}_self_test_input{i},\n"
        f"        {name}_self_test_scores{i}));"
        for i in range(count)
    )
    return f"""\
EBNN_INLINE uint16_t {name}_self_test_one({name}_arena_t *arena, const {sample_type} *sample, const int32_t *expected)
{{
    int32_t scores[{macro}_CLASSES];
    uint16_t wrong = 0;
    uint8_t k = 0;

{take}
    {name}_predict_in(arena, (const {c_type} *)(const void *)arena->bytes, scores);
    do
        if (scores[k] != (int32_t)EBNN_READ_U32((const uint32_t *)(const void *)(expected + k)))
            wrong++;
    while (++k != {macro}_CLASSES);
    return wrong;
}}

{macro}_EBNN_LINKAGE uint16_t {name}_self_test_in({name}_arena_t *arena)
{{
    uint16_t wrong = 0;

    EBNN_CHECK_REACH("{name}_self_test", {macro}_SELF_TEST * ({size} + {macro}_CLASSES * 4ul));
{calls}
    return wrong;
}}
"""
