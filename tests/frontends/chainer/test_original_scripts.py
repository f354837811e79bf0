"""Scripts written for the original eBNN: its modules, its links' methods, Chainer's data sets without a network."""

import gzip
import os
import struct
import subprocess
import sys

import chainer
import numpy as np
import pytest

import ebnn.links as BL
from ebnn.errors import InputError, LoweringError
from ebnn.importers.ebnn_network import convert
from ebnn.importers.ebnn_parser import parse_header
from ebnn.utils import binary_util as bu

MODULES = """
from ebnn.links import CLink, CChainMixin, BST
from ebnn.links.link_bst import BST as a
from ebnn.links.link_binary_conv_pool_BN_BST import BinaryConvPoolBNBST
from ebnn.links.link_binary_linear_softmax_layer import BinaryLinearSoftmax
from ebnn.functions.function_binary_linear import binary_linear
from ebnn.functions.function_binary_convolution_2d import binary_convolution_2d
from ebnn.utils import binary_util
import ebnn.links.link_pool
assert a is BST and ebnn.links.link_pool.Pool2D is ebnn.links.Pool2D
"""


def run(program, tmp_path, **environment):
    return subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **environment}, cwd=tmp_path, capture_output=True, text=True
    )


def test_its_modules_are_found_in_a_fresh_process(tmp_path):
    done = run(MODULES, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("content", ["", "raise SystemError\n", "def supply():\n    raise OSError\n"])
def test_chainer_is_imported_where_another_ebnn_comes_first(tmp_path, content):
    folder = tmp_path / "other/ebnn/frontends/chainer"
    folder.mkdir(parents=True)
    (folder / "compat.py").write_text(content)
    done = run("import chainer; print(chainer.__version__)", tmp_path, PYTHONPATH=str(tmp_path / "other"))
    assert (done.stdout.strip(), done.stderr) == ("7.8.1", "")


def test_arrays_as_c_text():
    assert bu.np_to_floatC(np.float32([[0.1, -2], [3.5, 1e-9]]), "x") == "float x[4] = {0.1,-2.0,3.5,1e-09};"
    assert bu.np_to_floatC(np.int32([7, 0]), "y", "row_major") == "float y[2] = {7,0};"
    rows = np.array([[1, 0, 1], [0, 1, 1]])
    assert bu.np_to_uint8C(rows, "b", "row_major") == "uint8_t b[2] = {160,96};"
    assert bu.np_to_uint8C(rows, "b", "row_major", pad="1") == "uint8_t b[2] = {191,127};"
    assert bu.np_to_uint8C(rows.T, "b", "col_major") == "uint8_t b[2] = {160,96};"
    assert bu.np_to_packed_uint8C(rows, "b", "row_major") == "uint8_t b[1] = {172};"
    assert bu.binarize([-0.5, 0]).tolist() == [-1, 1]
    assert bu.binarize_real([-0.5, 0]).tolist() == [0, 1]
    with pytest.raises(InputError, match="storage_t is 'diagonal'"):
        bu.np_to_floatC(rows, "b", "diagonal")


def test_pool_has_its_defaults():
    pool = BL.Pool2D()
    assert (pool.ksize, pool.kern, pool.stride, pool.pad) == ((3, 3), (3, 3), (2, 2), (0, 0))
    assert BL.Pool2D(kern=2).window == ((2, 2), (2, 2), (0, 0))
    assert BL.Pool2D(3, None).stride == (3, 3)


def float_chain():
    return [BL.ConvPoolBNBST(1, 5, 3, 1, 1, ppad=1), BL.BinaryConvBNBST(5, 9, 2), BL.BinaryLinearBNSoftmax(None, 4)]


def bit_chain():
    return [BL.BinaryConvPoolBNBST(3, 4, 3), BL.BinaryLinearBNBST(None, 11), BL.BinaryLinearBNSoftmax(None, 3)]


@pytest.mark.parametrize(("kind", "chain"), [("float", float_chain), ("uint8_t", bit_chain)])
def test_layers_print_themselves_for_its_c(kind, chain):
    """Put together as its generator does, they are a header that predicts as the chain."""
    rng = np.random.default_rng(3)
    np.random.seed(3)
    blocks = chain()
    shape = (1, 1 if kind == "float" else 3, 9, 9)
    x = (rng.integers(0, 256, (80, *shape[1:])) / 256).astype(np.float32)
    x = x if kind == "float" else np.where(x > 0.5, np.float32(1), np.float32(-1))
    h = x
    for _ in range(30):
        h = x
        for block in blocks:
            h = block(h)  # train mode: batch normalisation learns its statistics
    text, calls, sizes = '#include "ebnn.h"\n', [], []
    given, h = shape, x
    with chainer.using_config("train", False):
        for i, block in enumerate(blocks):
            text += block.generate_c(i, given)
            source, target = ("input", "temp1", "temp2")[(i > 0) + (i > 0 and i % 2 == 0)], f"temp{i % 2 + 1}"
            calls.append(f"{block.cname}{i}({source}, {'output' if i == len(blocks) - 1 else target});")
            sizes.append(block.temp_mem(given))
            h = block(h)
            given = (1, *h.shape[1:])
            assert block.param_mem() > 0
    text += f"uint8_t temp1[{max(sizes)}] = {{0}};\nuint8_t temp2[{max(sizes)}] = {{0}};\n"
    text += f"void ebnn_compute({kind} *input, uint8_t *output){{\n" + "\n".join(calls) + "\n}"
    imported = convert(parse_header(text, "simple.h"))
    assert not [note for note in imported.notes if "overwrites" in note]
    samples = x if kind == "float" else (x > 0).astype(np.uint8)
    assert imported.network.predict(samples).tolist() == h.array.argmax(axis=1).tolist()


def test_memory_of_a_layer():
    """3 filters of 3×3 bits over 2 channels: 2 bytes a channel; 7×7 outputs of 3 filters are 147 bits."""
    block = BL.BinaryConvBNBST(2, 3, 3)
    assert block.param_mem() == 3 * (2 * 2 + 5 * 4)
    assert block.temp_mem((1, 2, 9, 9)) == 19


def test_what_its_c_lacks_is_refused():
    for block in (BL.LinearBNBST(4, 3), BL.BinaryLinearSoftmax(4, 3)):
        with pytest.raises(LoweringError, match=rf"{type(block).__name__} has no counterpart in eBNN's own C"):
            block.generate_c(0, (1, 4))


@pytest.mark.parametrize("packed", [True, False])
def test_mnist_of_chainer_comes_from_the_folder_of_data(tmp_path, packed):
    folder = tmp_path / "mnist"
    folder.mkdir()
    for part, count in (("train", 5), ("t10k", 3)):
        for name, header, data in (
            ("images-idx3", struct.pack(">4i", 2051, count, 28, 28), bytes(range(count)) * 784),
            ("labels-idx1", struct.pack(">2i", 2049, count), bytes(range(count))),
        ):
            path = folder / f"{part}-{name}-ubyte{'.gz' if packed else ''}"
            path.write_bytes(gzip.compress(header + data) if packed else header + data)
    program = """
import chainer
from chainer.datasets import get_mnist
import ebnn.links as BL
train, test = get_mnist(ndim=3)
print(train._datasets[0].shape, len(test), test[2][1])
"""
    done = run(program, tmp_path, EBNN_DATA=str(tmp_path), CHAINER_DATASET_ROOT=str(tmp_path / "cache"))
    assert (done.stdout, done.returncode) == ("(5, 1, 28, 28) 3 2\n", 0), done.stderr
