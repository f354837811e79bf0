"""Front ends: found by their folder, and all that trains goes through them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import ebnn
from ebnn.cli.train import train
from ebnn.errors import UnknownNameError
from ebnn.frontends.chainer.front_end import FRONT_END
from ebnn.training.front_ends import find_front_end, front_end_names

OWN = Path(__file__).parents[1] / "support" / "front_ends"
WITH_OWN = """
import sys

class Without:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "chainer":
            raise ModuleNotFoundError("No module named 'chainer'", name="chainer")

sys.meta_path.insert(0, Without())
import ebnn.frontends
ebnn.frontends.__path__.append(sys.argv[1])
from ebnn.cli import main
main(sys.argv[2:], prog_name="ebnn")
"""


def ebnn_with_own(*words: str, cwd: Path) -> str:
    """Output of a command of an ebnn that has one more room of front ends, and no Chainer."""
    command = [sys.executable, "-c", WITH_OWN, str(OWN), *words]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_chainer_is_found_without_being_imported():
    assert front_end_names() == ("chainer",)
    assert find_front_end() is find_front_end("chainer") is FRONT_END
    program = "import sys; from ebnn.training import find_front_end; find_front_end(); print('chainer' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "False\n"
    )


def test_an_unknown_front_end_is_told():
    with pytest.raises(UnknownNameError, match="front end is called 'chained', did you mean chainer"):
        find_front_end("chained")


def test_one_front_end_is_no_choice():
    assert "--front-end" not in CliRunner().invoke(train, ["--help"]).output


def test_another_front_end_is_a_folder(tmp_path):
    """The commands train, lower, compare and sweep with it, and nothing outside its folder knows it."""
    words = ("--front-end", "perceptron", "--dataset", "digits", "--epochs", "9", "--learning-rate", "9")
    output = ebnn_with_own(
        "train", *words, "--architecture", "d200", "-o", "own.ebnn", "--json", "own.json", cwd=tmp_path
    )
    values = json.loads((tmp_path / "own.json").read_text())
    assert "the network and the perceptron agree on 450 of 450 test images" in output
    assert values["perceptron_agreement"] == values["test_samples"] == 450
    assert values["accuracy"] > 0.3  # chance is 0.1
    assert ebnn.load(tmp_path / "own.ebnn").hash == values["network"]["hash"]
    ebnn_with_own(
        "sweep", "d20", "d60", *words, "--validation", "100", "--out", "sweep", "--boards", "uno", cwd=tmp_path
    )
    assert (tmp_path / "sweep/d60/model.ebnn").is_file()
