"""``ebnn_compute`` of an emitted header: the function that programs written for the original eBNN call."""

from __future__ import annotations

from ..model.network import Network

_CEIL = """\
#ifndef CEIL_POS /* as in eBNN's own library, whose programs count bytes with it */
#define CEIL_POS(x) (((x) - (int)(x)) > 0 ? (int)((x) + 1) : (int)(x))
#endif

"""


def original_function(network: Network, name: str) -> str:
    """Returns the text of ``ebnn_compute``: samples as eBNN's programs have them, and what its C writes for them."""
    packed = network.input.values.packed
    body = "\n".join([_unpack(network, name) if packed else "", _answer(network, name, packed)]).strip("\n")
    said = "writes the class to output[0]"
    if network.meta.bit_outputs:
        said = f"writes {(network.classes + 7) // 8} bytes of output bits, the first one the highest bit"
    order = (
        "\n * The sample is packed as there: channel after channel, row after row, the first bit the highest of a byte."
        if packed
        else ""
    )
    return f"""
{_CEIL if packed else ""}/* As in eBNN: {said}.{order} */
static inline void ebnn_compute(const {network.input.values.c_type} *input, uint8_t *output)
{{
{body}
}}
"""


def _unpack(network: Network, name: str) -> str:
    """Brings eBNN's bits into the order of ours, in the arena."""
    channels, height, width = network.input.shape
    row = network.input.values.row_bytes(network.input.shape)
    return f"""\
    uint8_t *bits = {name}_input();
    uint32_t c, y, x, from = 0, to;

    for (to = 0; to < {name.upper()}_INPUT_BYTES; to++)
        bits[to] = 0;
    for (c = 0; c < {channels}; c++)
        for (y = 0; y < {height}; y++)
            for (x = 0; x < {width}; x++, from++) {{
                to = y * {8 * row} + x * {channels} + c;
                if (input[from / 8] & 0x80 >> from % 8)
                    bits[to / 8] = (uint8_t)(bits[to / 8] | 1u << to % 8);
            }}"""


def _answer(network: Network, name: str, packed: bool) -> str:
    sample = "bits" if packed else "input"
    if not network.meta.bit_outputs:
        return f"    output[0] = {name}_predict({sample});"
    return f"""\
    static int32_t scores[{name.upper()}_CLASSES];
    uint8_t k;

    {name}_scores({sample}, scores);
    for (k = 0; k < {name.upper()}_CLASSES; k++)
        output[k / 8] = (uint8_t)((k % 8 == 0 ? 0 : output[k / 8]) | (scores[k] >= 0) << (7 - k % 8));"""
