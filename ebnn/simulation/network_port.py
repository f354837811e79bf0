"""A simulated board with a network of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..build_folders import temporary_folder
from ..compile.estimate import check_fits
from ..compile.header import write_header
from ..model.network import Network
from . import board_url
from .protocol_sim import parse_url, takes_header


@contextmanager
def network_port(network: Network, port: str, name: str, arithmetic: str, optimize: str) -> Iterator[str]:
    """The port's URL; for a simulated board that is not told what to run, that of one with this very network."""
    if not takes_header(port):
        yield port
        return
    board = parse_url(port).board
    if board.costs is not None:
        check_fits(network, board, arithmetic, optimize)
    with temporary_folder() as folder:
        header = folder / "network.h"
        write_header(network, header, name=name, arithmetic=arithmetic, optimize=optimize, board=board)
        yield board_url(board.file or board.name, header=header)
