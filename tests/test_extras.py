"""Packages that only a part of ebnn needs: what is imported when, and what is said where one is absent."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from ebnn.cli import main

HEAVY = ("chainer", "matplotlib", "sklearn", "serial", "rich.console", "tensorboardX", "platformio")


def python(program: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )


def loaded(statement: str, cwd: Path) -> set[str]:
    """Modules that are imported after a statement, but not by Python's own start."""
    done = python(f"import sys\nbefore = {{*sys.modules}}\n{statement}\nprint(*{{*sys.modules}} - before)", cwd)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


def test_importing_ebnn_imports_nothing_else(tmp_path):
    ours = {name for name in loaded("import ebnn", tmp_path) if name.startswith("ebnn")}
    assert ours == {"ebnn", "ebnn.version"}
    assert "numpy" not in loaded("import ebnn", tmp_path)


def test_a_network_is_used_without_packages_for_people(tmp_path):
    modules = loaded("import ebnn; ebnn.write_header(ebnn.load('mnist-tiny'), 'a.h')", tmp_path)
    assert "numpy" in modules
    assert modules.isdisjoint({*HEAVY, "click"})


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_the_list_of_commands_imports_none(tmp_path, arguments):
    modules = loaded(f"from ebnn.cli import main\nmain({arguments}, standalone_mode=False)", tmp_path)
    assert "click" in modules
    assert modules.isdisjoint({*HEAVY, "numpy"})


def test_every_command_in_the_list_is_there():
    context = click.Context(main)
    names = main.list_commands(context)
    assert len(names) == len(set(names)) > 10
    for name in names:
        found = main.get_command(context, name)
        assert found is not None
        assert (found.name, bool(found.help)) == (name, True)
    assert main.get_command(context, "no-such-command") is None


def test_names_of_commands_are_completed(tmp_path):
    environment = {"_EBNN_COMPLETE": "bash_complete", "COMP_WORDS": "ebnn in", "COMP_CWORD": "1"}
    done = python("from ebnn.cli import main; main(prog_name='ebnn')", tmp_path, **environment)
    assert done.stdout.split() == ["plain,info", "plain,init"]


def test_training_s_settings_and_logs_need_no_chainer(tmp_path):
    record = {"epoch": 1, "loss": 0.5, "train_accuracy": 0.5, "learning_rate": 0.1, "seconds": 1.0}
    (tmp_path / "log.jsonl").write_text(json.dumps(record | {"test_loss": 0.5, "test_accuracy": 0.25}) + "\n")
    statement = (
        "import ebnn.training, ebnn.training.augmentation; from ebnn.training.history import read_history\n"
        "from pathlib import Path; ebnn.training.TrainConfig(estimator='tanh')\n"
        "assert len(ebnn.training.architectures.read_architecture('conv')) == 2\n"
        "assert read_history(Path('.'), 'run').best.test_accuracy == 0.25"
    )
    assert loaded(statement, tmp_path).isdisjoint(HEAVY)


def test_every_name_of_training_is_there():
    import ebnn.training

    for name in ebnn.training.__all__:
        assert getattr(ebnn.training, name) is not None
    assert not hasattr(ebnn.training, "no_such_name")


BROKEN = {
    "absent": ("raise ModuleNotFoundError(\"No module named 'chainer'\", name='chainer')", "which is not installed"),
    "without pkg_resources": ("import no_such_pkg_resources", "ModuleNotFoundError: No module named 'no_such_pkg_reso"),
    "NumPy too new": ("import numpy; numpy.no_such_name", "AttributeError: module 'numpy' has no attribute"),
}


@pytest.mark.parametrize("state", BROKEN)
@pytest.mark.parametrize(
    "statement",
    [
        "import ebnn; ebnn.lower",
        "import ebnn.frontends.chainer.lowering",
        "import ebnn.links",
        "import ebnn.functions",
        "from ebnn.training import train",
        "import ebnn.frontends.chainer.trainer",
    ],
)
def test_a_broken_chainer_is_one_error(tmp_path, state, statement):
    """One class, one line, whatever the way to it and whatever is wrong."""
    source, reason = BROKEN[state]
    (tmp_path / "chainer.py").write_text(source)
    program = f"from ebnn.errors import MissingDependencyError as E\ntry:\n {statement}\nexcept E as e:\n print(e)"
    done = python(program, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    assert "needs Chainer, which" in done.stdout
    assert reason in done.stdout
    assert 'run pip install "ebnn[train]"' in done.stdout


@pytest.mark.parametrize(
    ("package", "arguments", "expected"),
    [
        ("chainer", ["train"], "training a network"),
        ("chainer", ["demo"], "training a network"),
        ("chainer", ["compare"], "training a network"),
        ("chainer", ["sweep", "d8", "--validation", "100", "--out", "s"], "training a network"),
        ("threadpoolctl", ["train"], "threadpoolctl"),
        ("matplotlib", ["train"], "drawing history.png needs Matplotlib"),
        ("matplotlib", ["history", "run", "-o", "x.png"], "drawing x.png needs Matplotlib"),
        ("tensorboardX", ["train", "--tensorboard"], "--tensorboard needs tensorboardX"),
        ("sklearn", ["datasets", "fetch", "digits"], "the data set digits needs scikit-learn"),
        ("SCons", ["platformio-offline", "folder"], "PlatformIO without its registry needs SCons"),
    ],
)
def test_a_command_names_the_extra_that_it_lacks(tmp_path, package, arguments, expected):
    """In one line, before anything is written."""
    place = tmp_path / "packages"
    place.mkdir()
    (place / "sitecustomize.py").write_text(f"import sys; sys.modules[{package!r}] = None")
    work = tmp_path / "work"
    work.mkdir()
    done = python(f"from ebnn.cli import main; main({arguments}, prog_name='ebnn')", work, PYTHONPATH=str(place))
    assert done.returncode == 1
    (line,) = done.stderr.split("\n")[-2:-1]
    assert line.startswith("Error: ")
    assert expected in line
    assert 'run pip install "ebnn[' in line
    assert done.stdout == ""
    assert list(work.iterdir()) == []


def test_chainer_can_be_imported_where_another_ebnn_comes_first(tmp_path):
    (tmp_path / "ebnn").mkdir()
    (tmp_path / "ebnn" / "__init__.py").write_text("raise ImportError('the wrong one')")
    done = python("import chainer; print(chainer.__version__)", tmp_path, PYTHONPATH=str(tmp_path))
    assert (done.stdout, done.stderr) == ("7.8.1\n", "")
