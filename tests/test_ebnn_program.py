"""The C program of eBNN's README, compiled against the header that ``generate_c`` writes."""

import subprocess

import chainer
import numpy as np
import pytest
from support.c_networks import RUNTIME, require

import ebnn.links as BL

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


class Net(BL.CChainMixin, chainer.Chain):
    def __init__(self, channels, classes):
        super().__init__()
        with self.init_scope():
            self.l1 = BL.ConvPoolBNBST(channels, 10, 3, stride=2, pksize=3, pstride=2)
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
