"""A training script of the shape that eBNN's users have, run as it is."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPT = """
import argparse
import os

import chainer
import chainer.functions as F
import numpy as np
from chainer import optimizers, reporter, training
from chainer.datasets import TupleDataset
from chainer.serializers import load_hdf5, save_hdf5
from chainer.training import extensions

import ebnn.links as BL


class ConvNet(BL.CChainMixin, chainer.Chain):
    def __init__(self, n_in, n_filters, n_out):
        super(ConvNet, self).__init__()
        with self.init_scope():
            self.l1 = BL.ConvPoolBNBST(n_in, n_filters, 3, stride=2, pksize=3, pstride=2)
            self.l2 = BL.BinaryLinearBNSoftmax(None, n_out)

    def link_order(self):
        return [self.l1, self.l2]

    def __call__(self, x, t, ret_param="loss"):
        h = self.l2(self.l1(x))
        report = {"loss": F.softmax_cross_entropy(h, t), "acc": F.accuracy(h, t)}
        reporter.report(report, self)
        return report[ret_param]


class MLP(BL.CChainMixin, chainer.Chain):
    def __init__(self, n_units, n_out):
        super(MLP, self).__init__()
        with self.init_scope():
            self.l1 = BL.LinearBNBST(n_units)
            self.l2 = BL.LinearBNBST(n_units)
            self.l3 = BL.BinaryLinearBNSoftmax(n_out)

    def link_order(self):
        return [self.l1, self.l2, self.l3]

    def __call__(self, x, t, ret_param="loss"):
        h = self.l3(self.l2(self.l1(x)))
        report = {"loss": F.softmax_cross_entropy(h, t), "acc": F.accuracy(h, t)}
        reporter.report(report, self)
        return report[ret_param]


def make_data(n):
    random = np.random.RandomState(3)
    labels = random.randint(0, 2, n).astype(np.int32)
    images = random.rand(n, 1, 14, 12).astype(np.float32) / 2
    images[labels == 1, :, 3:11, 4:9] += 0.5
    return TupleDataset(images, labels)


parser = argparse.ArgumentParser()
parser.add_argument("--out", default="_output")
args = parser.parse_args()

np.random.seed(0)
train, test = make_data(256), make_data(64)
for model, name in ((ConvNet(1, 10, 2), "conv"), (MLP(16, 2), "mlp")):
    chainer.config.train = True
    opt = optimizers.Adam(0.003)
    opt.setup(model)
    train_iter = chainer.iterators.SerialIterator(train, 32)
    test_iter = chainer.iterators.SerialIterator(test, 32, repeat=False, shuffle=False)
    updater = training.StandardUpdater(train_iter, opt, device=-1)
    trainer = training.Trainer(updater, (10, "epoch"), out=os.path.join(args.out, name))
    trainer.extend(extensions.Evaluator(test_iter, model, device=-1))
    trainer.extend(extensions.LogReport())
    trainer.extend(extensions.PrintReport(["epoch", "main/loss", "validation/main/loss", "validation/main/acc"]))
    trainer.extend(extensions.ProgressBar())
    trainer.run()

    path = os.path.join(args.out, name, "model.hdf5")
    save_hdf5(path, model)
    load_hdf5(path, model)
    x, t = test._datasets
    acc = model(x, t, ret_param="acc")
    acc.to_cpu()
    print("accuracy", name, float(acc.data))
    model.generate_c(os.path.join(args.out, name + ".h"), train._datasets[0].shape[1:])
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp("script")
    (folder / "simple.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "simple.py", "--out", "out"], cwd=folder, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, folder / "out"


@pytest.mark.parametrize("name", ["conv", "mlp"])
def test_the_script_trains(run: tuple[str, Path], name: str) -> None:
    output, folder = run
    log = json.loads((folder / name / "log").read_text())
    assert log[-1]["validation/main/acc"] > 0.9
    assert np.isfinite(log[-1]["main/loss"])
    assert f"accuracy {name}" in output


@pytest.mark.parametrize("name", ["conv", "mlp"])
def test_the_script_writes_a_header_that_takes_floats(run: tuple[str, Path], name: str) -> None:
    header = (run[1] / f"{name}.h").read_text()
    assert "ebnn_compute" in header
    assert f"{name}_predict" in header
    assert "float" in header
