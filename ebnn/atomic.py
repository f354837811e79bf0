"""Files that are there in full or not at all."""

import os
import secrets
from pathlib import Path

from .errors import WriteError


def write_atomically(path: Path, content: bytes) -> None:
    """Writes ``content`` to ``path``; a kill or a power cut leaves the old file or the new one, nothing between.

    What is no regular file, like /dev/stdout, is written to and stays what it is; a link keeps pointing, a file keeps
    its permissions. Raises WriteError where it cannot be done.
    """
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(content)
            return
        path = path.resolve()
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if path.exists():
                temporary.chmod(path.stat().st_mode & 0o777)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise WriteError(f"{path} cannot be written: {error.strerror or error}") from None
