"""Chainer's own data sets from the folder that ``EBNN_DATA`` names, where it has them: no network is asked then."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

_MNIST = "ubyte.gz"  # how its files end


def find_local(url: str) -> Path | None:
    """Returns the file of ``EBNN_DATA`` that is the one at a URL of MNIST, Fashion-MNIST or CIFAR-10; None if none is.

    It is named as at the URL; those of MNIST lie in the folder of their data set and need not be compressed.
    """
    folder = os.environ.get("EBNN_DATA")
    if not folder:
        return None
    name = Path(urlsplit(url).path).name
    root = Path(folder).expanduser()
    if name.endswith(_MNIST):
        root /= "fashion-mnist" if "fashion" in url else "mnist"
    paths = [root / name, *([(root / name).with_suffix("")] if name.endswith(_MNIST) else [])]
    return next((path for path in paths if path.is_file()), None)


def reads_local(download: Callable[[str], str], cache: Callable[[str], str]) -> Callable[[str], str]:
    """Returns Chainer's ``cached_download``, which gives a path for a URL, asking :func:`find_local` first.

    Args:
        download: Chainer's own.
        cache: makes a folder of a name in Chainer's cache; a file that is not compressed is compressed to there.
    """

    def cached_download(url: str) -> str:
        path = find_local(url)
        if path is None:
            return download(url)
        if path.suffix == ".gz":
            return str(path)
        packed = Path(cache("ebnn")) / f"{path.name}.gz"
        with path.open("rb") as source, gzip.open(packed, "wb", compresslevel=1) as target:
            shutil.copyfileobj(source, target)
        return str(packed)

    return cached_download
