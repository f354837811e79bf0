"""XOR as tinier-nn has it: every input bit repeated, the answer the majority of the output bits.

Fully connected layers of ±1 without thresholds. In training the activations are drawn at random with the probabilities
of the hard sigmoid, the gradient is that of the hard tanh, and the loss is the squared error on −1 and +1.
"""

import argparse
from itertools import pairwise
from pathlib import Path

import chainer
import chainer.functions as F
import numpy as np

import ebnn
import ebnn.functions as BF
import ebnn.links as BL
from ebnn.importers import model_def_text
from ebnn.importers.model_def import network_of

ROWS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])


class BitLayers(chainer.ChainList):
    """Layers of ``sizes`` outputs, the first of which is the number of inputs."""

    def __init__(self, sizes: list[int], random: np.random.Generator) -> None:
        super().__init__(*(BL.BinaryLinear(n, k, nobias=True) for n, k in pairwise(sizes)))
        self.random = random

    def forward(self, x):
        """Bits as −1 and +1, drawn at random: (n, outputs) float32 for ``x`` (n, inputs) float32."""
        for layer in self:
            inputs = layer.W.shape[1]
            middle = 1 - inputs % 2  # between the least sum that gives a bit, 1 or 2, and the one before: a tie gives 0
            x = BF.stochastic_sign((layer(x) - middle) / float(inputs) ** 0.5, self.random, "hard_tanh")
        return x

    def network(self) -> ebnn.Network:
        """The network of the weights' signs; its bits are 1 where a sum is above 0."""
        return network_of([layer.W.array >= 0 for layer in self])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[32, 64, 64, 32], help="inputs, then each layer")
    parser.add_argument("--steps", type=int, default=2000, help="at most; it stops where all rows are right")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder for xor.def and xor.ebnn")
    options = parser.parse_args()

    np.random.seed(options.seed)
    repeats = options.sizes[0] // 2
    samples = np.repeat(ROWS, repeats, axis=1)  # 0 0 … 1 1 …
    answers = ROWS[:, 0] ^ ROWS[:, 1]
    x = (2 * samples - 1).astype(np.float32)
    target = np.repeat(2 * answers[:, None] - 1, options.sizes[-1], axis=1).astype(np.float32)

    chain = BitLayers(options.sizes, np.random.default_rng(options.seed))
    optimizer = chainer.optimizers.Adam(0.01).setup(chain)
    for step in range(1, options.steps + 1):
        loss = F.mean_squared_error(chain(np.tile(x, (16, 1))), np.tile(target, (16, 1)))
        chain.cleargrads()
        loss.backward()
        optimizer.update()
        if step % 50 == 0:
            bits = chain.network().predict_bits(samples)
            right = (bits == (target > 0)).mean()
            print(f"step {step}: loss {loss.array:.4f}, output bits right {right:.2%}")
            if right == 1:
                break

    network = chain.network()
    majority = network.predict_bits(samples).mean(axis=1) > 0.5
    for row, answer in zip(ROWS, majority, strict=True):
        print(f"{row[0]} xor {row[1]} = {int(answer)}")
    if not np.array_equal(majority, answers):
        raise SystemExit("XOR was not learned: try another seed")
    (options.out / "xor.def").write_text(model_def_text(network))
    network.save(options.out / "xor.ebnn")
    print(f"wrote xor.def and xor.ebnn to {options.out}: {network.weight_bytes} B of weights")


if __name__ == "__main__":
    main()
