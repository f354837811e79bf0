"""What makes a Chainer chain exportable as C."""

from __future__ import annotations

from os import PathLike
from typing import Any

from ...compile.header import write_header
from .lowering import lower


class CChainMixin:
    """Mix-in, before ``chainer.Chain``, for a network whose blocks are :class:`ebnn.links.CLink`."""

    def link_order(self) -> list[Any]:
        """Returns the blocks in the order in which a sample passes them. A network overrides it.

        Raises:
            NotImplementedError: it has not.
        """
        raise NotImplementedError(
            f"{type(self).__name__} does not say in which order its blocks run: "
            "override link_order() to return them as a list"
        )

    def generate_c(self, filename: str | PathLike[str], shape: tuple[int, int, int]) -> None:
        """Writes the network as a C header with the float arithmetic, named after the file.

        Moves the network to the CPU and sizes the blocks that have not seen an input yet.

        Args:
            filename: of the header; an existing file is overwritten.
            shape: of one sample, (channels, height, width).

        Raises:
            NotImplementedError: the network has no ``link_order``.
            LoweringError: it has no exact counterpart in C.
        """
        self.to_device("@numpy")  # type: ignore[attr-defined]
        channels, height, width = map(int, shape)
        network = lower(self, (channels, height, width))
        write_header(network, filename, arithmetic="float")
