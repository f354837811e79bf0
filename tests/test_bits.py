"""Bit order: unit vectors, one bit at a time, and words against Python's own integers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebnn.model import bits

ROWS = st.lists(st.booleans(), min_size=1, max_size=150)


@pytest.mark.parametrize("count", [1, 7, 8, 9, 31, 32, 33, 65])
def test_a_unit_vector_packs_to_exactly_one_bit(count):
    """SPEC 2.1: bit i is bit i % 8 of byte i / 8, and nothing else is set."""
    for i in range(count):
        vector = [at == i for at in range(count)]
        expected = [0] * ((count + 7) // 8)
        expected[i // 8] = 2 ** (i % 8)
        assert bits.pack(vector).tolist() == expected
        assert bits.unpack(np.array(expected, np.uint8), count).tolist() == vector


@given(ROWS)
def test_words_and_bytes_are_two_views_of_the_same_memory(row):
    """SPEC 2.1, 2.5 and 2.7: words are the bytes of the stream, little-endian, rounded up to whole words."""
    number = sum(bit << i for i, bit in enumerate(row))
    words = -(-len(row) // 32)
    expected = number.to_bytes(words * 4, "little")
    got = bits.pack_words(row)
    assert got.dtype == np.uint32
    assert [int(word) for word in got] == [
        int.from_bytes(expected[i : i + 4], "little") for i in range(0, words * 4, 4)
    ]
    assert bits.pack(row).tobytes() == expected[: -(-len(row) // 8)]


@given(ROWS)
def test_padding_is_zero(row):
    """SPEC 2.2: bits behind the last are 0, whatever the stream's length."""
    packed = bits.pack(np.ones(len(row), bool))
    assert bits.unpack(packed, len(packed) * 8).sum() == len(row)
    words = bits.pack_words(np.ones(len(row), bool))
    assert sum(int(word).bit_count() for word in words) == len(row)


@given(ROWS, st.integers(1, 4))
def test_rows_are_packed_apart(row, height):
    """SPEC 2.3: each row of an array is a stream of its own; unpacking gives it back."""
    rows = np.array([row[i:] + row[:i] for i in range(height)])
    packed = bits.pack(rows)
    assert packed.shape == (height, bits.row_bytes(len(row)))
    for i in range(height):
        assert packed[i].tolist() == bits.pack(rows[i]).tolist()
    assert bits.unpack(packed, len(row)).tolist() == rows.tolist()
    assert bits.pack_words(rows).tolist() == [bits.pack_words(row).tolist() for row in rows]


@pytest.mark.parametrize(("count", "size"), [(1, 1), (7, 1), (8, 1), (9, 2), (28, 4), (33, 5), (65_535, 8192)])
def test_bytes_of_a_row(count, size):
    """SPEC 2.3: whole bytes, no more."""
    assert bits.row_bytes(count) == size


@pytest.mark.parametrize(("size", "rounded"), [(0, 0), (1, 4), (4, 4), (5, 8), (112, 112)])
def test_rounding_to_words(size, rounded):
    """SPEC 2.5, 6.1: sizes are rounded up to 4 bytes."""
    assert bits.round_to_words(size) == rounded


def test_any_truth_values_pack():
    """Numbers pack as their truth, as NumPy's bool does; an empty batch stays empty."""
    assert bits.pack([0, 2, 0, 1]).tolist() == [0b1010]
    assert bits.pack(np.zeros((0, 9), bool)).shape == (0, 2)
    assert bits.pack_words(np.zeros((0, 9), bool)).shape == (0, 1)
