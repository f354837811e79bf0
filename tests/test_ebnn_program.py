"""The C program of eBNN's README, compiled against the header that ``generate_c`` writes."""

import subprocess

import chainer
import numpy as np
import pytest
from support.c_networks import RUNTIME, require

import ebnn
import ebnn.links as BL
from ebnn.importers.model_def import network_of
from ebnn.model.kinds import Input
from ebnn.model.layers import Block, Dense
from ebnn.utils import binary_util as bu

PROGRAM = """\
#include <stdio.h>
#include <stdint.h>
#include "simple_mnist.h"
#include "mnist_data.h"

int main()
{{
  uint8_t output[1];

  for(int j = 0; j < 20; ++j) {{
    ebnn_compute(&train_data[{size}*j], output);
    printf("actual: %d, predicted: %d\\n", (int)train_labels[j], output[0]);
  }}

  return 0;
}}
"""


BITS_PROGRAM = """\
#include <stdio.h>
#include <stdint.h>
#include "binary_mnist.h"
#include "binary_mnist_data.h"

int main()
{
  uint8_t output[1];

  for(int j = 0; j < 20; ++j) {
    int index = 1*CEIL_POS((28*28)/8)*j;
    ebnn_compute(&train_data[index], output);
    int fail =  (int)train_labels[j] != output[0];
    printf("actual: %d %s predicted: %d\\n", (int)train_labels[j], (fail ? "<>" : "=="), output[0]);
  }

  return 0;
}
"""


class Net(BL.CChainMixin, chainer.Chain):
    def __init__(self, channels, classes, first=BL.ConvPoolBNBST):
        super().__init__()
        with self.init_scope():
            self.l1 = first(channels, 10, 3, stride=2, pksize=3, pstride=2)
            self.l2 = BL.BinaryLinearBNSoftmax(None, classes)

    def link_order(self):
        return [self.l1, self.l2]

    def __call__(self, x):
        return self.l2(self.l1(x))


def c_floats(name, values):
    return f"float {name}[{values.size}] = {{{', '.join(f'{value!r}' for value in values.ravel().tolist())}}};\n"


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32)])
@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_the_readme_program_prints_chainers_classes(tmp_path, shape, compiler):
    rng = np.random.default_rng(4)
    np.random.seed(4)
    model = Net(shape[0], 10)
    images = (rng.integers(0, 256, (64, *shape)) / 255).astype(np.float32)
    for _ in range(50):
        model(images)  # train mode: batch normalisation learns its statistics
    model.generate_c(tmp_path / "simple_mnist.h", shape)
    with chainer.using_config("train", False):
        classes = np.argmax(model(images[:20]).array, axis=1)
    assert len(set(classes)) > 1

    labels = rng.integers(0, 10, 20)
    (tmp_path / "mnist_data.h").write_text(c_floats("train_data", images[:20]) + c_floats("train_labels", labels * 1.0))
    (tmp_path / "simple_mnist.c").write_text(PROGRAM.format(size=images[0].size))
    command = [require(compiler), "-std=c99", "-Wall", "-Wextra", "-Werror", f"-I{RUNTIME}", "-o", tmp_path / "simple"]
    subprocess.run([*command, tmp_path / "simple_mnist.c"], check=True)
    done = subprocess.run([tmp_path / "simple"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        f"actual: {label}, predicted: {k}" for label, k in zip(labels, classes, strict=True)
    ]


def compile_and_run(folder, source, compiler="gcc"):
    language = ["-x", "c++", "-std=c++11"] if "++" in compiler else ["-std=c99"]
    flags = [
        *language,
        "-Wall",
        "-Wextra",
        "-Werror",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover",
        f"-I{RUNTIME}",
    ]
    subprocess.run([require(compiler), *flags, "-o", folder / "program", folder / source], check=True)
    return subprocess.run([folder / "program"], capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.parametrize("compiler", ["gcc", "g++"])
def test_the_program_for_bits_prints_chainers_classes(tmp_path, compiler):
    """It packs its images of 784 bits in 98 bytes, the first bit the highest; ours take 112 bytes."""
    rng = np.random.default_rng(4)
    np.random.seed(4)
    model = Net(1, 10, BL.BinaryConvPoolBNBST)
    images = np.where(rng.random((64, 1, 28, 28)) < 0.2 + 0.6 * rng.random((64, 1, 1, 28)), 1, -1).astype(np.float32)
    for _ in range(50):
        model(images)
    model.generate_c(tmp_path / "binary_mnist.h", (1, 28, 28))
    with chainer.using_config("train", False):
        classes = np.argmax(model(images[:20]).array, axis=1)
    assert len(set(classes)) > 2
    data = bu.np_to_packed_uint8C(bu.binarize_real(images[:20]), "train_data", "row_major")
    labels = bu.np_to_floatC(np.arange(20) % 10, "train_labels", "row_major")
    assert data.startswith("uint8_t train_data[1960] =")
    (tmp_path / "binary_mnist_data.h").write_text(f"{data}\n{labels}\n")
    (tmp_path / "binary_mnist.c").write_text(BITS_PROGRAM)
    assert compile_and_run(tmp_path, "binary_mnist.c", compiler) == [
        f"actual: {j % 10} {'==' if j % 10 == k else '<>'} predicted: {k}" for j, k in enumerate(classes)
    ]


@pytest.mark.parametrize("seed", range(4))
def test_ebnn_compute_takes_bits_as_its_programs_pack_them(tmp_path, seed):
    """Of any shape; where the outputs are bits, they are packed as its C packs them."""
    rng = np.random.default_rng(seed)
    channels, height, width = (int(size) for size in rng.integers(1, 10, 3))
    size = channels * height * width
    rows = [rng.random((13, size)) < 0.5, rng.random((11, 13)) < 0.5]
    vector = network_of(rows)
    first, last = vector.layers
    weights = first.linear.weights.reshape(13, channels, height, width).transpose(0, 2, 3, 1)
    blocks = [Block(Dense(weights), None, first.transform), last]
    meta = vector.meta if seed % 2 else None
    network = ebnn.Network(Input("bits", (channels, height, width)), blocks, meta=meta)
    ebnn.write_header(network, tmp_path / "net.h")
    x = rng.integers(0, 2, (9, channels, height, width)).astype(np.uint8)
    packed = np.packbits(x.reshape(9, -1), axis=1)
    assert np.array_equal(bu.unpack(packed, (channels, height, width)), x)
    (tmp_path / "main.c").write_text(f"""\
#include <stdio.h>
#include "net.h"
{c_bytes("samples", packed)}
int main(void)
{{
    int n;
    for (n = 0; n < 9; n++) {{
        uint8_t output[2] = {{255, 255}};
        ebnn_compute(samples + n * {packed.shape[1]}, output);
        printf("%d %d\\n", output[0], output[1]);
    }}
    return 0;
}}
""")
    expected = np.packbits(vector.predict_bits(x.reshape(9, -1)), axis=1) if seed % 2 else network.predict(x)
    lines = [f"{row[0]} {row[1]}" if seed % 2 else f"{row} 255" for row in expected]
    assert compile_and_run(tmp_path, "main.c") == lines


def c_bytes(name, values):
    return f"static const uint8_t {name}[] = {{{', '.join(map(str, values.ravel()))}}};"
