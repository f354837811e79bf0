"""eBNN's fully connected blocks."""

from __future__ import annotations

from typing import Any

import chainer.functions as F

from .batch_normalization import BatchNormalization
from .binary_linear import BinaryLinear
from .bst import BST
from .c_link import CLink
from .softmax_cross_entropy import SoftmaxCrossEntropy


class LinearBNBST(CLink):
    """Fully connected layer with binary weights, batch normalisation, sign; takes numbers.

    Args:
        in_channels: length of one input; None takes it from the first input seen. A single positional argument is the
            output size.
        out_channels: length of one output.
        estimator: name of the sign's pseudo-gradient.
        nobias: without the float bias of the layer, which batch normalisation makes redundant.

    Raises:
        ValueError: no estimator has that name.
    """

    cname = "l_b_linear_bn_bst"

    def __init__(
        self,
        in_channels: int | None,
        out_channels: int | None = None,
        *,
        estimator: str = "hard_tanh",
        nobias: bool = False,
    ) -> None:
        super().__init__()
        with self.init_scope():
            self.bl = BinaryLinear(in_channels, out_channels, nobias)
            self.bn = BatchNormalization(self.bl.out_size)
            self.bst = BST(estimator)


class BinaryLinearBNBST(LinearBNBST):
    """As :class:`LinearBNBST`; takes -1 and +1."""

    binary_input = True


class BinaryLinearBNSoftmax(CLink):
    """Last layer: fully connected with binary weights, batch normalisation; takes -1 and +1, returns logits.

    Args:
        in_channels: length of one input; None takes it from the first input seen. A single positional argument is the
            number of classes.
        out_channels: number of classes.
        nobias: without the float bias of the layer.
    """

    binary_input = True
    cname = "l_b_linear_bn_softmax"

    def __init__(self, in_channels: int | None, out_channels: int | None = None, *, nobias: bool = False) -> None:
        super().__init__()
        with self.init_scope():
            self.bl = BinaryLinear(in_channels, out_channels, nobias)
            self.bn = BatchNormalization(self.bl.out_size)
            self.sm = SoftmaxCrossEntropy()

    def forward(self, h: Any, t: Any = None, test: bool = False) -> Any:  # type: ignore[override]
        """Returns the logits, (n, classes) float32, of ``h``; labels ``t`` are in eBNN's signature, without use."""
        return super().forward(h, test)


class BinaryLinearSoftmax(CLink):
    """Last layer: fully connected with binary weights, without batch normalisation; takes -1 and +1.

    Args:
        in_channels: length of one input; None takes it from the first input seen. A single positional argument is the
            number of classes.
        out_channels: number of classes.
        nobias: without the float bias of the layer.

    Attributes:
        accuracy: of the last call with labels, () float32 variable.
    """

    binary_input = True
    cname = "l_b_linear_softmax"

    def __init__(self, in_channels: int | None, out_channels: int | None = None, *, nobias: bool = False) -> None:
        super().__init__()
        with self.init_scope():
            self.bl = BinaryLinear(in_channels, out_channels, nobias)
            self.sm = SoftmaxCrossEntropy()
        self.accuracy: Any = None

    def forward(self, h: Any, t: Any = None, test: bool = False) -> Any:  # type: ignore[override]
        """Returns the logits, (n, classes) float32, of ``h``; with labels ``t`` (n,) int32 the cross entropy, ()."""
        logits = super().forward(h, test)
        if t is None:
            return logits
        self.accuracy = F.accuracy(logits, t)
        return self.sm(logits, t)
