"""MNIST with a network of your own: build it of ebnn's blocks, train, export, stream.

The command line does the same for ready-made networks (``ebnn train --dataset mnist``); this shows the parts.
"""

import argparse
from pathlib import Path

import chainer

import ebnn
import ebnn.links as BL
from ebnn import datasets
from ebnn.device import Device
from ebnn.simulation import host_url
from ebnn.streaming import stream
from ebnn.training import TrainConfig, train


class ConvNet(BL.CChainMixin, chainer.Chain):
    """Two pooled convolutions and a dense layer; pixels in, bits from there on."""

    def __init__(self, channels: int, classes: int, filters: int = 16) -> None:
        super().__init__()
        with self.init_scope():
            self.l1 = BL.ConvPoolBNBST(channels, filters, 3, pad=1, pksize=2, pstride=2)
            self.l2 = BL.BinaryConvPoolBNBST(filters, 2 * filters, 3, pad=1, pksize=2, pstride=2)
            self.l3 = BL.BinaryLinearBNSoftmax(None, classes)

    def link_order(self) -> list:
        return [self.l1, self.l2, self.l3]

    def forward(self, x):
        return self.l3(self.l2(self.l1(x)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="mnist", choices=datasets.names(), help="digits need no download")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--limit", type=int, default=1000, help="test images to stream")
    parser.add_argument("--out", type=Path, default=Path("runs/example"))
    options = parser.parse_args()

    data = datasets.load(options.dataset)
    chain = ConvNet(data.shape[0], data.classes)
    train(
        chain,
        (data.train_images, data.train_labels),
        (data.test_images, data.test_labels),
        TrainConfig(epochs=options.epochs, learning_rate=0.01),
        options.out,
        input_kind="uint8",  # pixels as they are: batch normalisation absorbs their scale
    )

    network = ebnn.lower(chain, data.shape, input_kind="uint8")
    network.save(options.out / "model.ebnn")
    header = options.out / "network.h"
    ebnn.write_header(network, header)

    # A real board is Device("/dev/ttyACM0"); this one is the firmware compiled for this computer.
    with Device(host_url(header), network_hash=network.hash32) as device:
        report = stream(network, device, data.test_images[: options.limit], data.test_labels)
    print(
        f"{report.board}: {report.samples} images, accuracy {100 * report.accuracy:.2f} %, "
        f"{report.class_mismatches} mismatches"
    )


if __name__ == "__main__":
    main()
