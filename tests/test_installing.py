"""The README's ways to install a wheel, each in an environment of its own, with the newest installers there are."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.c_networks import require
from support.interpreters import interpreter

TOP = Path(__file__).parents[1]
RECIPE = re.search(r"```\n(echo 'setuptools.*?)```", (TOP / "README.md").read_text(), re.DOTALL)
OLDER_PIP = "pip==25.0.1"
"""Knows no build constraints but those of PIP_CONSTRAINT."""
BASE = {"click", "cobs", "intelhex", "numpy", "platformio", "pyelftools", "pyserial", "rich"}


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> dict[str, str]:
    """Variables as the README sets them, and nothing of this environment's own."""
    require("uv")
    folder = tmp_path_factory.mktemp("recipe")
    assert RECIPE is not None
    kept = {
        key: value
        for key, value in os.environ.items()
        if key not in ("VIRTUAL_ENV", "PYTHONPATH", "UV_PROJECT_ENVIRONMENT") and not key.startswith("UV_RUN")
    }
    done = subprocess.run(["bash", "-ec", RECIPE[1] + "env -0"], cwd=folder, env=kept, capture_output=True, check=True)
    variables = dict(line.split("=", 1) for line in done.stdout.decode().split("\0") if line)
    return {**variables, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory, environment) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(["uv", "build", "--quiet", "--wheel", "--out-dir", folder, TOP], folder, environment)
    (found,) = folder.glob("*.whl")
    return found


def run(command: list[str | Path], cwd: Path, env: Mapping[str, str], code: int = 0) -> str:
    """Both outputs of a command, standard output first."""
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=900
    )
    assert done.returncode == code, (done.stdout + done.stderr)[-4000:]
    return done.stdout + done.stderr


def check_training(ebnn: Path, cwd: Path, env: Mapping[str, str]) -> None:
    """Trains, and lowers, with the command as it was installed."""
    output = run([ebnn, "train", "--architecture", "d8", "--epochs", "1", "--out", "run"], cwd, env)
    assert "agree on 450 of 450" in output
    shutil.rmtree(cwd / "run")


def check_import(python: Path, cwd: Path, env: Mapping[str, str]) -> None:
    """Python starts in silence, and Chainer is imported by scripts that know nothing of ebnn."""
    assert run([python, "-c", ""], cwd, env) == ""
    assert run([python, "-c", "import chainer; print(chainer.__version__)"], cwd, env) == "7.8.1\n"


@pytest.mark.parametrize(("version", "pip"), [("3.13", "pip"), ("3.10", OLDER_PIP)])
def test_pip_and_uv_pip(tmp_path, wheel, environment, version, pip):
    """The extra train by ``uv pip``, then by pip; then beside other folders called ebnn, in a folder, and in ruins."""
    uv = ["uv", "pip"]
    python, ebnn = tmp_path / "venv/bin/python", tmp_path / "venv/bin/ebnn"
    run(["uv", "venv", "--quiet", "--python", interpreter(version), tmp_path / "venv"], tmp_path, environment)
    install = [*uv, "install", "--quiet", "--python", python]
    uninstall = [*uv, "uninstall", "--quiet", "--python", python]
    run([*install, "--refresh-package", "chainer", f"{wheel}[train]", pip], tmp_path, environment)
    check_training(ebnn, tmp_path, environment)

    run([*uninstall, "chainer", "ebnn"], tmp_path, environment)
    by_pip = [python, "-m", "pip", "install", "--quiet", "--no-cache-dir"]
    run([*by_pip, f"{wheel}[train]"], tmp_path, environment)
    check_training(ebnn, tmp_path, environment)
    check_import(python, tmp_path, environment)

    other = tmp_path / "other"
    (other / "ebnn").mkdir(parents=True)
    (other / "ebnn/__init__.py").write_text("raise ImportError('the wrong one')")
    check_import(python, other, environment)

    run([*uninstall, "setuptools"], tmp_path, environment)
    output = run([ebnn, "train"], tmp_path, environment, code=1)
    assert output.startswith("Error: ")
    assert output.count("\n") == 1
    assert "pkg_resources" in output
    assert "pip install" in output
    run([*install, "setuptools<81"], tmp_path, environment)

    (package,) = (tmp_path / "venv/lib").glob("python*/site-packages/ebnn")
    package.rename(tmp_path / "taken")
    assert run([python, "-c", ""], tmp_path, environment) == ""
    assert "chainer_compat" not in run([python, "-c", "import chainer"], tmp_path, environment, code=1)
    (tmp_path / "taken").rename(package)

    run([*uninstall, "ebnn"], tmp_path, environment)
    target = tmp_path / "target"
    run([*by_pip, "--no-deps", "--target", target, wheel], tmp_path, environment)
    env = {**environment, "PYTHONPATH": str(target)}
    program = "import ebnn.links, chainer, ebnn; print(ebnn.lower.__name__, ebnn.training.train.__name__)"
    assert run([python, "-c", program], tmp_path, env) == "lower train\n"


def test_uv_tool(tmp_path, wheel, environment):
    env = {**environment, "UV_TOOL_DIR": str(tmp_path / "tools"), "UV_TOOL_BIN_DIR": str(tmp_path / "bin")}
    tool = ["uv", "tool", "install", "--quiet", "--python", interpreter("3.13")]
    run([*tool, wheel], tmp_path, env)
    assert 'run uv tool install "ebnn[train]"' in run([tmp_path / "bin/ebnn", "train"], tmp_path, env, code=1)
    run([*tool, "--refresh-package", "chainer", f"{wheel}[train]"], tmp_path, env)
    check_training(tmp_path / "bin/ebnn", tmp_path, env)


@pytest.mark.parametrize("backend", ["pip", "uv"])
def test_pipx(tmp_path, wheel, environment, backend):
    run(["uv", "venv", "--quiet", tmp_path / "venv"], tmp_path, environment)
    run(["uv", "pip", "install", "--quiet", "--python", tmp_path / "venv/bin/python", "pipx"], tmp_path, environment)
    env = {
        **environment,
        "PIPX_HOME": str(tmp_path / "home"),
        "PIPX_BIN_DIR": str(tmp_path / "bin"),
        "PIPX_DEFAULT_BACKEND": backend,
    }
    run([tmp_path / "venv/bin/pipx", "install", f"{wheel}[train]"], tmp_path, env)
    check_training(tmp_path / "bin/ebnn", tmp_path, env)


@pytest.fixture(scope="module")
def base(tmp_path_factory, wheel, environment) -> Path:
    """The folder of programs of an environment with ebnn and none of its extras."""
    folder = tmp_path_factory.mktemp("base")
    run(["uv", "venv", "--quiet", "--seed", "--python", interpreter("3.10"), folder / "venv"], folder, environment)
    pip = [folder / "venv/bin/python", "-m", "pip", "install", "--quiet"]
    run([*pip, "--upgrade", "pip"], folder, environment)
    run([*pip, wheel], folder, environment)
    return folder / "venv/bin"


def test_without_extras_trained_networks_are_used(tmp_path, base, environment):
    listed = run([base / "python", "-m", "pip", "list", "--format=freeze"], tmp_path, environment)
    packages = {line.split("==")[0].lower() for line in listed.splitlines()}
    assert packages >= BASE
    assert packages.isdisjoint({"chainer", "matplotlib", "scikit-learn", "scipy", "h5py", "tensorboardx", "scons"})
    ebnn = base / "ebnn"
    run([ebnn, "info", "mnist-tiny"], tmp_path, environment)
    run([ebnn, "boards"], tmp_path, environment)
    run([ebnn, "datasets"], tmp_path, environment)
    run([ebnn, "export", "mnist-tiny", "-o", "network.h"], tmp_path, environment)
    run([ebnn, "history", TOP / "ebnn/published/mnist-tiny"], tmp_path, environment)
    run([ebnn, "init", "project", "--board", "uno"], tmp_path, environment)
    require("cc")
    run([ebnn, "profile", "mnist-tiny", "--port", "sim://host"], tmp_path, environment)


def test_without_extras_every_command_has_help(tmp_path, base, environment):
    program = (
        "import click\nfrom ebnn.cli import main\n"
        "for name in main.list_commands(click.Context(main)): main([name, '--help'], standalone_mode=False)\n"
        "import ebnn.training; print('end')"
    )
    assert run([base / "python", "-c", program], tmp_path, environment).endswith("end\n")


@pytest.mark.parametrize(
    "statement",
    ["import ebnn; ebnn.lower", "import ebnn.links", "from ebnn import datasets; datasets.load('digits')"],
)
def test_without_extras_python_gets_one_error(tmp_path, base, environment, statement):
    program = f"from ebnn.errors import MissingDependencyError as E\ntry:\n {statement}\nexcept E as e:\n print(e)"
    output = run([base / "python", "-c", program], tmp_path, environment)
    assert output.count("\n") == 1
    assert 'which is not installed: run pip install "ebnn[train]"' in output
