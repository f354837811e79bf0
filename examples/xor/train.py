"""XOR, the smallest complete story: train with Chainer, check, emit C."""

from pathlib import Path

import chainer
import chainer.functions as F
import numpy as np

import ebnn
import ebnn.links as BL

HERE = Path(__file__).parent


class Xor(BL.CChainMixin, chainer.Chain):
    """Two bits in, 8 binary neurons, two classes out."""

    def __init__(self) -> None:
        super().__init__()
        with self.init_scope():
            self.hidden = BL.BinaryLinearBNBST(2, 8)
            self.output = BL.BinaryLinearBNSoftmax(8, 2)

    def link_order(self) -> list:
        return [self.hidden, self.output]

    def forward(self, x):
        return self.output(self.hidden(x))


def main() -> None:
    np.random.seed(1)
    bits = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    labels = (bits[:, 0] ^ bits[:, 1]).astype(np.int32)
    x = (2 * bits - 1).astype(np.float32)  # a bit stands for -1 or +1

    chain = Xor()
    optimizer = chainer.optimizers.Adam(0.01).setup(chain)
    for step in range(1, 301):
        loss = F.softmax_cross_entropy(chain(x), labels)
        chain.cleargrads()
        loss.backward()
        optimizer.update()
        if step % 100 == 0:
            print(f"step {step}: loss {loss.array:.4f}")

    network = ebnn.lower(chain, shape=(1, 1, 2))
    samples = bits.reshape(4, 1, 1, 2)
    for sample, answer in zip(bits, network.predict(samples), strict=True):
        print(f"{sample[0]} xor {sample[1]} = {answer}")
    if not np.array_equal(network.predict(samples), labels):
        raise SystemExit("XOR was not learned: try another seed")
    network.save(HERE / "xor.ebnn")
    ebnn.write_header(network, HERE / "xor.h")
    print(f"wrote xor.ebnn and xor.h: {network.weight_bytes} B of weights, {network.arena_bytes} B of RAM")


if __name__ == "__main__":
    main()
