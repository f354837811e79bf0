"""Ports: opening one by its URL, and what can be wrong with it."""

from __future__ import annotations

import errno
import re
import shlex
import urllib.parse
from typing import Protocol

import serial
from serial.tools import list_ports

from ..errors import EbnnError, PortError

BAUDRATE = 115_200
"""What the firmware sets; means nothing to USB's own serial ports and to simulated boards."""

_SIMULATION = "ebnn.simulation"  # pySerial looks here for sim://, and imports it only then
_WRITE_SECONDS = 10.0  # a port that takes no byte for so long is stuck

try:
    import termios
except ImportError:  # Windows
    PORT_FAILURES: tuple[type[Exception], ...] = (OSError,)
else:
    PORT_FAILURES = (OSError, termios.error)  # serial.SerialException is an OSError
# pySerial's handlers of URLs raise whatever a wrong option leads to.
_OPENING_FAILURES: tuple[type[Exception], ...] = (
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
    re.error,
    *PORT_FAILURES,
)


class PortLike(Protocol):
    """As much of ``serial.Serial`` as `Device` uses."""

    timeout: float | None

    @property
    def in_waiting(self) -> int:
        """Bytes that can be read at once."""

    def read(self, size: int = 1, /) -> bytes:
        """Up to `size` bytes; fewer when `timeout` seconds have passed."""

    def write(self, data: bytes, /) -> int | None:
        """Sends all the bytes."""

    def close(self) -> None:
        """Lets go of the port."""


def open_port(url: str, baudrate: int = BAUDRATE) -> PortLike:
    """Opens a port by its URL, for this program alone.

    Raises `PortError` with a hint if it is missing, busy, forbidden or no port, and `BuildError` for a simulated board
    that cannot be built.
    """
    if _SIMULATION not in serial.protocol_handler_packages:
        serial.protocol_handler_packages.append(_SIMULATION)
    if not url.strip():
        raise PortError("the port has no name: give a device (/dev/ttyACM0, COM3) or a URL (sim://host)")
    scheme, number = split_url(url)
    if scheme in ("socket", "rfc2217") and number is None:
        raise PortError(f"{short_name(url)} names no port number: write {scheme}://HOST:PORT")
    try:
        port: PortLike = serial.serial_for_url(
            url, baudrate=baudrate, timeout=1.0, write_timeout=_WRITE_SECONDS, exclusive=True
        )
    except EbnnError:
        raise
    except _OPENING_FAILURES as error:
        raise PortError(f"{short_name(url)} cannot be opened: {_opening_hint(url, error)}") from error
    return port


def split_url(url: str) -> tuple[str, int | None]:
    """The scheme of a URL, empty for a device, and the port number in it. Raises `PortError` where it is no URL."""
    if "://" not in url:
        return "", None
    try:
        parts = urllib.parse.urlsplit(url)
        return parts.scheme, parts.port
    except ValueError as error:
        raise PortError(
            f"{short_name(url)} is no port: {error}. A port is a device (/dev/ttyACM0, COM3) or a URL (sim://host, "
            "socket://HOST:PORT)"
        ) from None


def _opening_hint(url: str, error: Exception) -> str:
    number = getattr(error, "errno", None)
    text = str(error)
    if number == errno.ENOENT or "FileNotFoundError" in text:
        found = ", ".join(f"{port.device} ({port.description})" for port in list_ports.comports())
        return f"there is no such port; there is {found or 'no serial port at all'}. Is the board plugged in?"
    if number == errno.EACCES:
        return "no permission; on Linux: sudo usermod -aG dialout $USER, then log in again"
    if number in (errno.EBUSY, errno.EAGAIN) or "PermissionError" in text:
        return "another program uses it; close its serial monitor"
    if not isinstance(error, PORT_FAILURES):
        return f"{text}. A port is a device (/dev/ttyACM0, COM3) or a URL (sim://host, socket://host:port)"
    if number in (errno.ENOTTY, errno.EISDIR, errno.ENXIO, errno.ENODEV) or "Could not configure port" in text:
        return f"it is no serial port ({text})"
    return text


def address(url: str) -> str:
    """The URL without the key file of a simulated board, as a shell takes it."""
    place, _, query = url.partition("?")
    options = "&".join(option for option in query.split("&") if not option.startswith("key="))
    return shlex.quote(f"{place}?{options}" if options else place)


def short_name(url: str) -> str:
    """The URL without its options: those of sim:// are long paths."""
    return url.split("?", 1)[0]
