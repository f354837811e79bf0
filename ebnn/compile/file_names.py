"""Names that an emitted header's file must not have: a program would include it in another header's place."""

from pathlib import Path

from ..errors import NetworkError

# Of the libraries, as programs include them, and of the serial firmware; a test compares them with the folders.
OWN = frozenset(
    """arm board ebnn ebnn_linux file_store frames memory protocol push push_key responder running sha256 stack
    store""".split()
)
_C = frozenset(
    """alloca assert complex ctype endian errno fcntl features fenv float inttypes iso646 limits locale malloc math
    poll pthread sched semaphore setjmp signal stdalign stdarg stdatomic stdbit stdbool stdckdint stddef stdint stdio
    stdlib stdnoreturn string strings tgmath threads time uchar unistd wchar wctype""".split()
)
_CPP = frozenset(
    """algorithm any array atomic barrier bit bitset charconv chrono codecvt compare concepts condition_variable
    coroutine deque exception execution expected filesystem format forward_list fstream functional future generator
    initializer_list iomanip ios iosfwd iostream istream iterator latch limits list locale map mdspan memory
    memory_resource mutex new numbers numeric optional ostream print queue random ranges ratio regex scoped_allocator
    semaphore set shared_mutex source_location span spanstream sstream stack stacktrace stdexcept stdfloat stop_token
    streambuf string string_view strstream syncstream system_error thread tuple type_traits typeindex typeinfo
    unordered_map unordered_set utility valarray variant vector version""".split()
)
_ARDUINO = frozenset(
    """api arduino avr_emulation binary cdc client dtostrf eeprom ethernet freertos hid
    hardwareserial ipaddress interrupt itoa keyboard mouse new pins_arduino pluggableusb print printable
    sd serial server servo softwareserial spi stream udp usbapi usbcore usbdesc variant wcharacter wifi wire
    wiring wiring_private wmath wstring""".split()
)

# Of the runtime, which programs include with its folder; a test compares them with it.
RUNTIME = frozenset(
    """add bits class_names columns columns_avr compare compare_avr conv conv_float count count_avr dense dense_float
    depthwise dot encoder ends ends_avr integer model model_check model_layer model_run multiply multiply_arm
    multiply_avr multiply_words normalization output port readings softmax tables tables_avr window""".split()
)

# In folders that programs name: <avr/pgmspace.h>.
_IN_FOLDERS = {
    "ebnn": RUNTIME,
    "avr": frozenset(
        """boot builtins common cpufunc delay eeprom fuse interrupt io lock pgmspace portpins power sfr_defs signal
        signature sleep version wdt xmega""".split()
    ),
    "util": frozenset("atomic crc16 delay delay_basic eu_dst parity setbaud twi usa_dst".split()),
    "sys": frozenset("cdefs config features lock param reent select stat time types".split()),
}


def check_header_name(path: Path) -> None:
    """Raises NetworkError where a file of ``path``'s name would be included in place of another header.

    Letter case does not count: some file systems do not see it.
    """
    stem, suffix = path.stem.lower(), path.suffix.lower()
    headers = OWN | _C | _ARDUINO if suffix in (".h", ".hh", ".hpp") else _CPP
    folder = path.absolute().parent.name.lower()
    in_folder = stem in _IN_FOLDERS.get(folder, ()) and suffix == ".h"
    if in_folder or (stem in headers and suffix in ("", ".h", ".hh", ".hpp")):
        name = f"{folder}/{path.name}" if in_folder else path.name
        raise NetworkError(
            f"a header called {name} would be included in place of the one that C, Arduino or the ebnn library "
            f"has under that name: call it my_{path.name} or the like"
        )
