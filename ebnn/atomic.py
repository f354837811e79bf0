"""Files that are there in full or not at all."""

import os
import tempfile
from pathlib import Path

from .errors import WriteError


def write_atomically(path: Path, content: bytes) -> None:
    """Writes ``content`` to ``path``; a kill or a power cut leaves the old file or the new one, nothing between.

    What is no regular file, like /dev/stdout, is written to and stays what it is. Raises WriteError where it cannot be
    done.
    """
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(content)
            return
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise WriteError(f"{path} cannot be written: {error.strerror or error}") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
