"""Verified, resumable downloads into the cache."""

from __future__ import annotations

import contextlib
import http.client
import re
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from ebnn.errors import DatasetError

T = TypeVar("T")

Progress = Callable[[str, int, "int | None"], None]
"""Called with a file's name, the bytes on disk so far, and the bytes in all or None where the server does not say."""

ATTEMPTS = 4
"""Connections to one mirror for one file, as long as each brings it further."""

_BLOCK = 1 << 16


@dataclass(frozen=True)
class Remote:
    """A file to be had from several mirrors.

    ``urls`` are tried in order. ``max_bytes`` is the size that no good copy exceeds. ``remedy`` ends the message when
    no mirror helped: what else the user can do. ``timeout`` is in seconds, for each wait on the network.
    """

    urls: tuple[str, ...]
    max_bytes: int
    remedy: str
    timeout: float = 20.0


class _TransferError(Exception):
    """One connection that did not bring the whole file. ``retry``: another one may go on from there."""

    def __init__(self, reason: str, *, retry: bool) -> None:
        super().__init__(reason)
        self.retry = retry


def obtain(
    target: Path,
    read: Callable[[Path], T],
    remote: Remote,
    *,
    download: bool,
    progress: Progress | None = None,
) -> T:
    """Return ``read(target)``, downloading ``target`` first where it is absent or ``read`` refuses it.

    ``read`` raises DatasetError for a file that is not exactly what it should be. A refused file is named in a warning
    before it is replaced. Processes that want the same file wait for each other.

    Raises DatasetError where ``download`` is False and the file is absent or refused, where no mirror has a good copy,
    or where the folder cannot be written.
    """
    if target.exists():
        try:
            return read(target)
        except DatasetError as error:
            if not download:
                raise DatasetError(f"{error}: allow the download to replace it, or {remote.remedy}") from None
    elif not download:
        raise DatasetError(
            f"{target} is missing in the cache and downloading is off: allow the download, or {remote.remedy}"
        )
    with _exclusive(target.parent):
        if target.exists():  # another process may have brought it while this one waited
            try:
                return read(target)
            except DatasetError as error:
                warnings.warn(f"{error}; downloading it again", stacklevel=4)
        return fetch(target, read, remote, progress)


def fetch(target: Path, read: Callable[[Path], T], remote: Remote, progress: Progress | None = None) -> T:
    """Download ``target`` and return what ``read`` makes of it.

    The bytes go to ``NAME.part``, from where a later call goes on; it takes its final name only after ``read`` has
    accepted it. A mirror that is down, or whose bytes are refused, gives way to the next one.

    Raises DatasetError, naming every mirror and its fault, where none has a good copy.
    """
    part = target.with_name(target.name + ".part")
    faults: list[str] = []
    for url in remote.urls:
        host = urlsplit(url).netloc
        for _ in range(ATTEMPTS):
            before = _size(part)
            try:
                _transfer(url, part, target.name, remote, progress)
            except _TransferError as error:
                fault, again = str(error), error.retry
            else:
                try:
                    result = read(part)
                except DatasetError as error:
                    fault, again = str(error), before > 0  # the older bytes may be the bad ones
                    part.unlink(missing_ok=True)
                else:
                    with _disk(target):
                        part.replace(target)
                    return result
            if not again:
                break
        faults.append(f"{host}: {fault}")
    kept = _size(part)
    resume = f" ({kept:,} bytes are kept, the next try goes on from there)" if kept else ""
    raise DatasetError(
        f"{target.name} could not be downloaded: {'; '.join(faults)}. "
        f"Check the network connection and try again{resume}, or {remote.remedy}"
    )


def _transfer(url: str, part: Path, name: str, remote: Remote, progress: Progress | None) -> None:
    """Bring ``part`` to its full length. Raises _TransferError where that fails."""
    offset = _size(part)
    headers = {"User-Agent": "ebnn", "Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=remote.timeout) as response:
            _receive(response, part, offset, name, remote, progress)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and offset:
            return  # nothing is left to send: what is there is the whole file, or is refused by its reader
        raise _TransferError(f"HTTP {error.code} {error.reason}", retry=False) from None
    except urllib.error.URLError as error:
        raise _TransferError(str(error.reason), retry=False) from None
    except (OSError, http.client.HTTPException) as error:
        reason = str(error) or type(error).__name__
        raise _TransferError(f"connection lost: {reason}", retry=_size(part) > offset) from None


def _receive(
    response: http.client.HTTPResponse,
    part: Path,
    offset: int,
    name: str,
    remote: Remote,
    progress: Progress | None,
) -> None:
    start = 0
    if response.status == http.HTTPStatus.PARTIAL_CONTENT:
        content_range = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
        start = int(content_range[1]) if content_range else -1
        if start != offset:
            part.unlink(missing_ok=True)
            raise _TransferError(f"byte {offset:,} was asked for, another was sent", retry=True)
    elif response.status != http.HTTPStatus.OK:
        raise _TransferError(f"HTTP {response.status} {response.reason}", retry=False)

    length = response.headers.get("Content-Length", "")
    total = start + int(length) if length.isdecimal() else None
    done = start
    with _disk(part):
        out = part.open("ab" if start else "wb")
    with out:
        while True:
            if progress is not None:
                progress(name, done, total)
            block = response.read(_BLOCK)
            if not block:
                break
            done += len(block)
            if done > remote.max_bytes:
                part.unlink(missing_ok=True)
                raise _TransferError(f"more than {remote.max_bytes:,} bytes were sent", retry=start > 0)
            with _disk(part):
                out.write(block)
                out.flush()
    if total is not None and done < total:
        raise _TransferError(f"connection lost after {done:,} of {total:,} bytes", retry=done > start)


@contextlib.contextmanager
def _disk(path: Path) -> Iterator[None]:
    """Turn a disk's refusal into a DatasetError that names ``path``."""
    try:
        yield
    except OSError as error:
        raise DatasetError(
            f"{path} cannot be written ({error.strerror}): make room for it, or set EBNN_CACHE to another folder"
        ) from None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


@contextlib.contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    """Make ``folder`` and hold it against other processes, where the system has ``flock``."""
    lock = folder / ".lock"
    with _disk(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with _disk(lock):
        handle = lock.open("wb")
    with handle:
        try:
            import fcntl
        except ImportError:
            pass
        else:
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
