"""What goes into an AVR's flash: ELF files and Intel hex files, read into one image."""

from __future__ import annotations

import bisect
import io
from dataclasses import dataclass, field
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection
from intelhex import HexReaderError, IntelHex, IntelHexError

from ebnn.errors import PortError

_RAM = 0x800000  # where linkers put what is not in flash
_HEAP_STARTS = ("__heap_start", "_end", "__bss_end")
_ERASED = b"\xff"


@dataclass(frozen=True)
class Image:
    """A program."""

    code: bytes
    """Flash content from address `base` on."""
    base: int = 0
    start: int = 0
    """Address of the first instruction."""
    mcu: str | None = None
    """For which microcontroller it was linked, as avr-gcc calls it; None where the file does not say."""
    data_end: int = 0
    """End of its data in RAM, 0 where the file does not say."""
    functions: dict[str, int] = field(default_factory=dict)
    """Addresses by name."""

    def address_of(self, name: str) -> int | None:
        """Where a function is; the compiler may have added a suffix to its name (``.lto_priv.3``)."""
        if name in self.functions:
            return self.functions[name]
        copies = [address for symbol, address in self.functions.items() if symbol.split(".")[0] == name]
        return copies[0] if len(copies) == 1 else None

    def name_at(self, address: int) -> str | None:
        """The function in which an address is."""
        names = sorted((start, name) for name, start in self.functions.items())
        at = bisect.bisect_right(names, (address, "\U0010ffff"))
        return names[at - 1][1].split(".")[0] if at and address < self.base + len(self.code) else None


def read_image(path: Path) -> Image:
    """Reads a program, an ELF file or, with the suffix .hex, an Intel hex file.

    Raises `ebnn.errors.PortError` if it is missing, damaged, or no program for an AVR.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            raise PortError(f"{path} is missing: it should be the simulated board's program, an ELF file") from None
        raise PortError(f"{path} cannot be read: {error.strerror}") from error
    if path.suffix.lower() == ".hex":
        return _read_hex(path, content)
    try:
        return _read_elf(path, content)
    except (ELFError, ValueError, KeyError, IndexError, AssertionError, AttributeError, TypeError, OSError) as error:
        raise PortError(
            f"{path} is no ELF file that can be read ({error or type(error).__name__}): "
            "give the firmware.elf of a build for this board"
        ) from error


def _read_hex(path: Path, content: bytes) -> Image:
    reader = IntelHex()
    try:
        reader.loadhex(io.StringIO(content.decode("ascii")))
    except (HexReaderError, IntelHexError, UnicodeDecodeError) as error:
        raise PortError(f"{path} is no Intel hex file: {error}") from error
    if len(reader) == 0:
        raise PortError(f"{path} holds no program: the file is empty")
    base = reader.minaddr()
    return Image(reader.tobinstr(), base, base)


def _read_elf(path: Path, content: bytes) -> Image:
    elf = ELFFile(io.BytesIO(content))
    machine = elf["e_machine"]
    if machine != "EM_AVR":
        name = str(machine).removeprefix("EM_")
        raise PortError(f"{path} is a program for {name}, not for an AVR: build it for this board")
    flash = bytearray()
    for segment in elf.iter_segments("PT_LOAD"):
        at, size = segment["p_paddr"], segment["p_filesz"]
        if size and at + size <= _RAM:
            data = segment.data()
            if len(data) != size:
                raise ELFError("a segment is cut off")
            flash += _ERASED * (at + size - len(flash))
            flash[at : at + size] = data
    if not flash:
        raise PortError(f"{path} holds no program: nothing in it goes into flash")
    functions: dict[str, int] = {}
    data_end = 0
    for section in elf.iter_sections():
        if isinstance(section, SymbolTableSection):
            for symbol in section.iter_symbols():
                value, kind = symbol["st_value"], symbol["st_info"]["type"]
                in_flash = kind == "STT_FUNC" or (kind == "STT_NOTYPE" and symbol["st_shndx"] != "SHN_ABS")
                if in_flash and value < _RAM and symbol.name:
                    functions[symbol.name] = value
                if symbol.name in _HEAP_STARTS and value > _RAM:
                    data_end = max(data_end, value - _RAM)
    return Image(bytes(flash), 0, elf["e_entry"], _mcu(elf), data_end, functions)


def _mcu(elf: ELFFile) -> str | None:
    """The name in the note that avr-libc leaves."""
    section = elf.get_section_by_name(".note.gnu.avr.deviceinfo")
    if section is None:
        return None
    note = section.data()
    name_size, description_size = int.from_bytes(note[:4], "little"), int.from_bytes(note[4:8], "little")
    description = note[12 + (name_size + 3) // 4 * 4 :][:description_size]
    # Start and size of flash, RAM and EEPROM; then a table, its size first, of places in the strings after it.
    table_size, place = (int.from_bytes(description[at : at + 4], "little") for at in (24, 28))
    name = description[24 + table_size + place :].split(b"\x00")[0]
    return name.decode("ascii", "replace") or None
