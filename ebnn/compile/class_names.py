"""The names of a network's classes in its header: in flash, and ``NAME_class_name``."""

from __future__ import annotations

from ..model.network import Network
from .c_arrays import LINE
from .header_part import HeaderPart, needs_library

UNKNOWN = "unknown"  # the name of any number that is no class


def class_texts(network: Network) -> tuple[bytes, ...]:
    """The texts in flash, each with its end: the classes' names and UNKNOWN; none where classes have no names."""
    names = network.meta.class_names
    return tuple(name.encode() + b"\0" for name in (*names, UNKNOWN)) if names else ()


def name_bytes(network: Network) -> int:
    """Bytes of the names in flash."""
    return sum(map(len, class_texts(network)))


def class_names_part(network: Network, name: str, emitted: str) -> HeaderPart:
    """What names add to a header; nothing without names. ``emitted`` says by what it was emitted."""
    texts = class_texts(network)
    if not texts:
        return HeaderPart()
    macro, size, longest = name.upper(), name_bytes(network), max(map(len, texts))
    return HeaderPart(
        facts=(("names", f"{len(texts) - 1} classes, {size:,} B"),),
        macros=f"""\
{needs_library("EBNN_CLASS_NAMES_H", emitted)}
#define {macro}_CLASS_NAME_BYTES {longest} /* of the longest name, its 0 included */
""",
        prototypes=f"""
/* Where the name of class k lies: in flash, which on AVR is no memory; Arduino prints it as a __FlashStringHelper. */
{macro}_EBNN_SCOPE const char *{name}_class_name_in_flash(uint8_t k);
""",
        inline=f"""
/* Copies the name of class k, in UTF-8, to text, of NAME_CLASS_NAME_BYTES; "{UNKNOWN}" if there is no such class.
 * Returns text. */
static inline char *{name}_class_name_in(uint8_t k, char *text)
{{
    return ebnn_copy_text(text, {name}_class_name_in_flash(k));
}}

/* The name of class k, in UTF-8; "{UNKNOWN}" if there is no such class. On AVR, each call overwrites what the one
 * before has returned. */
static inline const char *{name}_class_name(uint8_t k)
{{
#if defined(EBNN_FLASH_IS_MEMORY)
    return {name}_class_name_in_flash(k);
#else
    static char text[{macro}_CLASS_NAME_BYTES];

    return {name}_class_name_in(k, text);
#endif
}}
""",
        definitions=f"""\
/* The names, one after the other. */
static const char {name}_class_names[{size}] EBNN_FLASH = {{
{_characters(texts)}
}};

{macro}_EBNN_LINKAGE const char *{name}_class_name_in_flash(uint8_t k)
{{
    EBNN_CHECK_REACH("{name}_class_names", sizeof {name}_class_names);
    return ebnn_name_at({name}_class_names, k < {macro}_CLASSES ? k : {macro}_CLASSES);
}}
""",
        aliases=f"""\
#define EBNN_CLASS_NAME_BYTES {macro}_CLASS_NAME_BYTES
#define ebnn_network_class_name {name}_class_name
""",
    )


def _characters(texts: tuple[bytes, ...]) -> str:
    """Texts as the elements of a char array, each from a new line on."""
    lines: list[str] = []
    for text in texts:
        lines.append("   ")
        for byte in text:
            literal = f" {_character(byte)},"
            if len(lines[-1]) + len(literal) > LINE:
                lines.append("   ")
            lines[-1] += literal
    return "\n".join(lines).rstrip(",")


def _character(byte: int) -> str:
    """A byte of a text as a constant of C: letters as they are, the rest in octal."""
    if byte == 0:
        return "0"
    letter = chr(byte)
    return f"'{letter}'" if letter.isascii() and (letter.isalnum() or letter == " ") else f"'\\{byte:03o}'"
