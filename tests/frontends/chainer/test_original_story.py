"""eBNN's story, command by command: a script in its style trains, prints a header and data; its C program runs them."""

import gzip
import os
import struct
import subprocess
import sys

import numpy as np
import pytest
from support.c_networks import RUNTIME, require

from ebnn.importers import import_ebnn_header

# As its examples are written: a net, a trainer of Chainer's, a model in HDF5, a header, 20 images as C.
SCRIPT = """\
import os
import sys

import chainer
import chainer.functions as F
import numpy as np
from chainer import optimizers, reporter, training
from chainer.datasets import TupleDataset, get_mnist
from chainer.serializers import load_hdf5, save_hdf5
from chainer.training import extensions

import ebnn.links as BL
from ebnn.utils import binary_util

binary = sys.argv[1] == "binary"


class Net(BL.CChainMixin, chainer.Chain):
    def __init__(self, n_in, n_out, n_filters):
        super(Net, self).__init__()
        block = BL.BinaryConvPoolBNBST if binary else BL.ConvPoolBNBST
        with self.init_scope():
            self.l1 = block(n_in, n_filters, 3, stride=2, pksize=3, pstride=2)
            self.l2 = BL.BinaryLinearBNSoftmax(None, n_out)

    def link_order(self):
        return [self.l1, self.l2]

    def __call__(self, x, t, ret_param='loss'):
        h = self.l2(self.l1(x))
        report = {'loss': F.softmax_cross_entropy(h, t), 'acc': F.accuracy(h, t)}
        reporter.report(report, self)
        return report[ret_param]

    def param_names(self):
        return 'Net_10'


np.random.seed(0)
train, test = get_mnist(ndim=3)
if binary:
    train, test = (
        TupleDataset(np.where(part._datasets[0] != 0, 1, -1).astype(np.float32), part._datasets[1])
        for part in (train, test)
    )
model = Net(1, 10, n_filters=10)
opt = optimizers.Adam(0.003)
opt.setup(model)
train_iter = chainer.iterators.SerialIterator(train, 32)
test_iter = chainer.iterators.SerialIterator(test, 32, repeat=False, shuffle=False)
trainer = training.Trainer(training.StandardUpdater(train_iter, opt, device=-1), (2, 'epoch'), out='_output')
trainer.extend(extensions.Evaluator(test_iter, model, device=-1))
trainer.extend(extensions.LogReport())
trainer.run()
os.makedirs(os.path.join('_models', model.param_names()))
save_hdf5(os.path.join('_models', model.param_names(), 'model.hdf5'), model)
load_hdf5(os.path.join('_models', model.param_names(), 'model.hdf5'), model)
model.generate_c('simple.h', train._datasets[0].shape[1:])

x, y = train._datasets[0][:20], train._datasets[1][:20]
if binary:
    x_str = binary_util.np_to_packed_uint8C(np.where(x == -1, 0, 1), 'train_data', 'row_major')
else:
    x_str = binary_util.np_to_floatC(x, 'train_data', 'row_major')
with open('data.h', 'w+') as fp:
    fp.write(x_str)
    fp.write(binary_util.np_to_floatC(y, 'train_labels', 'row_major'))

header = '#include "ebnn.h"\\n'
shape = (1, 1, 28, 28)
for i, link in enumerate(model.link_order()):
    header += link.generate_c(i, shape)
    with chainer.using_config('train', False):
        shape = link(np.zeros(shape, np.float32)).shape
calls = ['{}0(input, temp1);'.format(model.l1.cname), '{}1(temp1, output);'.format(model.l2.cname)]
kind = 'uint8_t' if binary else 'float'
header += 'uint8_t temp1[{}] = {{0}};\\n'.format(model.l1.temp_mem((1, 1, 28, 28)))
header += 'void ebnn_compute({} *input, uint8_t *output){{\\n{}\\n}}'.format(kind, '\\n'.join(calls))
with open('theirs.h', 'w+') as fp:
    fp.write(header)
with chainer.using_config('train', False):
    print(*np.argmax(model.l2(model.l1(x)).array, axis=1))
np.save('x.npy', x)
"""

PROGRAM = """\
#include <stdio.h>
#include <stdint.h>
#include "simple.h"
#include "data.h"

int main()
{
  uint8_t output[1];

  for(int j = 0; j < 20; ++j) {
    ebnn_compute(&train_data[SIZE*j], output);
    printf("%d ", output[0]);
  }

  return 0;
}
"""


def write_mnist(folder):
    """Images of which each class has bright rows of its own."""
    rng = np.random.default_rng(0)
    (folder / "mnist").mkdir()
    for part, count in (("train", 240), ("t10k", 40)):
        labels = rng.integers(0, 10, count).astype(np.uint8)
        images = rng.integers(0, 256, (count, 28, 28)) * (rng.random((count, 28, 28)) < 0.15)
        for image, label in zip(images, labels, strict=True):
            image[2 * label + 3 : 2 * label + 8, 4:24] = 200
        for name, head, data in (
            ("images-idx3", struct.pack(">4i", 2051, count, 28, 28), images.astype(np.uint8).tobytes()),
            ("labels-idx1", struct.pack(">2i", 2049, count), labels.tobytes()),
        ):
            (folder / "mnist" / f"{part}-{name}-ubyte.gz").write_bytes(gzip.compress(head + data))


@pytest.mark.parametrize("kind", ["simple", "binary"])
def test_its_script_its_header_and_its_program(kind, tmp_path):
    write_mnist(tmp_path)
    (tmp_path / "script.py").write_text(SCRIPT)
    environment = {**os.environ, "EBNN_DATA": str(tmp_path), "CHAINER_DATASET_ROOT": str(tmp_path / "cache")}
    command = [sys.executable, "script.py", kind]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    classes = [int(word) for word in done.stdout.splitlines()[-1].split()]
    assert len(set(classes)) > 1
    (tmp_path / "simple.c").write_text(PROGRAM.replace("SIZE", "98" if kind == "binary" else "1*28*28"))
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", f"-I{RUNTIME}"]
    subprocess.run([require("gcc"), *flags, "simple.c", "-o", "simple"], cwd=tmp_path, check=True)
    printed = subprocess.run([tmp_path / "simple"], capture_output=True, text=True, check=True)
    assert [int(word) for word in printed.stdout.split()] == classes
    # The header in eBNN's own form comes back. Its C leaves the eps of batch normalisation out; no sum here feels it.
    x = np.load(tmp_path / "x.npy")
    network = import_ebnn_header(tmp_path / "theirs.h").network
    samples = (x > 0).astype(np.uint8) if kind == "binary" else x
    assert network.predict(samples).tolist() == classes
