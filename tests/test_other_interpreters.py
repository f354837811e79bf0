"""Other Pythons and NumPys: the same thresholds, the same demo, in environments of their own."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from support.c_networks import require
from support.interpreters import interpreter

TOP = Path(__file__).parents[1]
NETWORKS = "100"


@pytest.mark.parametrize(
    ("python", "numpy", "expected"),
    [("3.13", "numpy>=2", ("3.13", "2")), ("3.10", "numpy>=2", ("3.10", "2")), ("3.11", "numpy<2", ("3.11", "1"))],
)
def test_thresholds_and_demo_are_exact(tmp_path, python, numpy, expected):
    require("uv")
    require("gcc")
    environment = {
        key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")
    }
    environment |= {"EBNN_TEST_NETWORKS": NETWORKS}
    uv = ["uv", "run", "--quiet", "--isolated", "--project", TOP, "--python", interpreter(python), "--with", numpy]

    def run(*command: str) -> str:
        done = subprocess.run(
            [*uv, *command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=1200
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
        return done.stdout

    question = "import sys, numpy, chainer; print('%d.%d' % sys.version_info[:2], numpy.__version__.split('.')[0])"
    assert tuple(run("python", "-c", question).split()) == expected
    tests = ["test_networks_property.py", "frontends/chainer/test_links_script.py", "test_public_names.py"]
    output = run(
        "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(TOP), *(f"{TOP}/tests/{name}" for name in tests)
    )
    assert re.search(r"^\d+ passed", output, re.MULTILINE), output
    run("ebnn", "demo", "--json", "demo.json")
    values = json.loads((tmp_path / "demo.json").read_text())
    assert values["accuracy"] >= 0.95
    assert (values["class_mismatches"], values["score_mismatches"]) == (0, 0)
