"""Which kernel of ``firmware/lib/ebnn`` runs a layer, and how much scratch it needs.

The choice trades flash against time (`Optimize`): by "size" the plainest kernels; by "compact" sums of pixels by
columns too; by "balanced" also four filters of bits at a time, and small tables; by "speed" also large tables in flash
and, on AVR, one of 256 bytes in RAM.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from .. import bits
from ..blocks import Block, Conv, Dense, InputKind, Shape
from .columns import column_scratch_bytes, takes_columns
from .tables import table_scratch_bytes, takes_table

if TYPE_CHECKING:
    from ..network import Network

Arithmetic = Literal["integer", "float"]
ARITHMETICS: tuple[Arithmetic, ...] = get_args(Arithmetic)
Optimize = Literal["size", "compact", "balanced", "speed"]
OPTIMIZE: tuple[Optimize, ...] = get_args(Optimize)

GROUP = 4  # filters whose weights are interleaved by words; EBNN_GROUP of dot.h
_MOST_TAPS = 32_766  # of bits whose sums and thresholds fit 16 bits
_MOST_WORDS = 2_047  # whose mismatches 16 bits can count; EBNN_MOST_WORDS of dot.h
_TABLE_BYTES: dict[str, int] = {"size": 0, "compact": 0, "balanced": 2048, "speed": 8192}  # of a layer, at most
_UNGROUPED = ("size", "compact")  # one filter after the other

# The C function that runs a convolution or a dense block, and the functions that it is given.
_FUNCTIONS = {
    "conv_bits": ("ebnn_conv", "ebnn_gather_bits", "ebnn_compare_each"),
    "conv_bits_4": ("ebnn_conv", "ebnn_gather_bits", "ebnn_compare_fours"),
    "conv_octets": ("ebnn_conv", "ebnn_gather_octets", "ebnn_compare_each"),
    "conv_octets_4": ("ebnn_conv", "ebnn_gather_octets", "ebnn_compare_fours"),
    "conv_wide": ("ebnn_conv", "ebnn_gather_bits", "ebnn_compare_sums"),
    "conv_bytes": ("ebnn_conv", "ebnn_gather_bytes", "ebnn_compare_sums"),
    "dense_bits": ("ebnn_dense", "ebnn_compare_each"),
    "dense_bits_4": ("ebnn_dense", "ebnn_compare_fours"),
    "dense_wide": ("ebnn_dense", "ebnn_compare_sums"),
    "dense_bytes": ("ebnn_dense", "ebnn_compare_sums"),
}


def kernel_functions(kernel: str) -> tuple[str, ...]:
    """The C function that runs a kernel, then those that it is given."""
    if "_float" in kernel:
        kernel = kernel.split("_float")[0] + "_float"
    return _FUNCTIONS.get(kernel, (f"ebnn_{kernel}",))


def layer_kernel(network: Network, layer: int, arithmetic: str = "integer", optimize: str = "balanced") -> str:
    """The kernel of a layer; ``len(network.blocks)`` is the last layer.

    "conv", "dense" or "output", then how: "_bits" and "_bytes" take one filter after the other, "_octets" bits whose
    channels take whole bytes, "_bits_4" and "_octets_4" four at a time; "_wide" takes any number of bits.
    "conv_columns" adds up pixels by columns, "conv_table" looks bits up in truth tables. "_float" is the float
    arithmetic on floats, "_float_bits" and "_float_bytes" are its blocks on other input.
    """
    kind = {"bits": "bits", "float": "float"}.get(network.kinds[layer], "bytes")
    weights = network.layer_weights[layer]
    taps, words = weights[0].size, network.filter_bits(layer, weights.shape[1:]) // 32
    grouped = kind == "bits" and optimize not in _UNGROUPED and len(weights) >= GROUP and words <= _MOST_WORDS
    group = f"_{GROUP}" if grouped else ""
    if layer == len(network.blocks):
        return f"output_{kind}{group}"
    block = network.blocks[layer]
    if arithmetic == "float" or block.threshold is None:
        return f"{block.kind}_float" if kind == "float" else f"{block.kind}_float_{kind}"
    if kind == "bits" and taps > _MOST_TAPS:
        return f"{block.kind}_wide"
    if isinstance(block.linear, Dense):
        return f"dense_{kind}{group}"
    if optimize != "size" and takes_columns(network.kinds[layer], block, network.shapes[layer]):
        return "conv_columns"
    if takes_table(network.kinds[layer], block, network.shapes[layer], _TABLE_BYTES[optimize]):
        return "conv_table"
    if kind == "bits" and network.shapes[layer].channels % 8 == 0:
        kind = "octets"
    # A window that is settled early skips filters, which goes one by one only.
    return f"conv_{kind}{group if block.pool is None else ''}"


def scratch_bytes(block: Block, kind: InputKind, shape: Shape, *, avr: bool) -> int:
    """Bytes beside a block's input and output for the hungriest of the kernels that can run it, on AVR or elsewhere."""
    if not isinstance(block.linear, Conv):
        return 0
    taps = int(block.linear.weights[0].size)
    if kind == "float":
        return 4 * taps
    if kind != "bits":
        if takes_columns(kind, block, shape):
            return max(taps, column_scratch_bytes(block, shape, 1 if avr else 2))
        return taps
    patch = bits.round_to_words(bits.row_bytes(taps)) * (2 if block.linear.padded else 1)
    if takes_table(kind, block, shape, max(_TABLE_BYTES.values())):
        return max(patch, table_scratch_bytes(block, shape))
    return patch
