"""C for Linux: the source file of a network, its header, and the file of weights that may take the source's place."""

from __future__ import annotations

import binascii
import struct
from textwrap import dedent

import numpy as np

from ...model.network import Network
from ..lines import listed
from .program import LIBRARY_VERSION, LinuxProgram, linux_program

MAGIC = b"ebnn-wts"
_HEAD = struct.Struct("<Q8x64s32x")  # what the checksum covers of the head: bytes of constants, the network's hash


def weights_file_bytes(network: Network) -> bytes:
    """The file of weights of a network: section 10 of ``SPEC.md``."""
    constants = linux_program(network).constants
    covered = _HEAD.pack(len(constants), network.hash.encode()) + constants
    return MAGIC + struct.pack("<LL", LIBRARY_VERSION, binascii.crc32(covered)) + covered


def linux_header(network: Network, name: str) -> str:
    """The header of a network called ``name``."""
    macro = name.upper()
    return dedent(
        f"""\
        /* A network for Linux, emitted by ebnn. Its source file needs the library ebnn-linux. */
        #ifndef {macro}_EBNN_LINUX_H
        #define {macro}_EBNN_LINUX_H

        #include "ebnn_linux.h"

        #if EBNN_LINUX_VERSION != {LIBRARY_VERSION}
        #error "this network needs version {LIBRARY_VERSION} of the library ebnn-linux: take both from one ebnn"
        #endif

        #define {macro}_HASH "{network.hash}"
        #define {macro}_INPUT_BYTES {network.input.bytes} /* {network.input.kind} {network.input.shape} */
        #define {macro}_CLASSES {network.classes}

        #ifdef __cplusplus
        extern "C" {{
        #endif

        /* What ebnn_linux_open takes. */
        extern const ebnn_linux_network_t {name}_network;

        #ifdef __cplusplus
        }}
        #endif

        #endif
        """
    )


def linux_source(network: Network, name: str, header: str, *, constants: bool = True) -> str:
    """The source file of a network called ``name``, which includes ``header``.

    Without ``constants`` they lie in a file of weights.
    """
    program = linux_program(network)
    layers = ",\n".join(_layer_text(program, index) for index in range(len(program.layers)))
    macro, block = name.upper(), f"{name}_constants" if constants else "NULL"
    parts = [f'/* A network for Linux, emitted by ebnn. */\n#include "{header}"\n']
    if constants:
        parts.append(_constants_text(program.constants, name))
    parts.append(f"static const ebnn_linux_layer_t {name}_layers[] = {{\n{layers},\n}};\n")
    parts.append(
        f"const ebnn_linux_network_t {name}_network = {{\n"
        f"    {macro}_HASH,\n    {name}_layers,\n    {len(program.layers)},\n    {macro}_CLASSES,\n"
        f"    {macro}_INPUT_BYTES,\n    {len(program.constants)},\n    {block},\n}};\n"
    )
    return "\n".join(parts)


def _layer_text(program: LinuxProgram, index: int) -> str:
    layer, places = program.layers[index], program.places[index]
    items = [*layer.fields.values(), *map(str, places.values())]
    return f"    /* {layer.comment} */\n" + listed("    {", items, "}")


def _constants_text(constants: bytes, name: str) -> str:
    """The block of constants, words of 64 bits: little-endian, as the library is."""
    words = np.frombuffer(constants, "<u8").tolist()
    rows = (words[start : start + 5] for start in range(0, len(words), 5))
    lines = ",\n".join("    " + ", ".join(f"0x{word:016X}u" for word in row) for row in rows)
    return f"static const uint64_t {name}_constants[{len(words)}] __attribute__((aligned(64))) = {{\n{lines}}};\n"
