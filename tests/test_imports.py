"""Who may import whom: the table of the design, walked over the source; and life without Chainer."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from test_network import float_network, three_layers

import ebnn

PACKAGE = Path(ebnn.__file__).parent

BASE = {"errors", "names", "version"}
NETWORK = {"model", *BASE}
TRAINING = {"atomic", "extras", "figures", *NETWORK}
EVERYTHING = {path.stem for path in PACKAGE.iterdir()} - {"__init__", "__main__", "__pycache__"}

# Each room: what it may import when it is imported, and what its functions may import when they run.
ROOMS: dict[str, tuple[set[str], set[str]]] = {
    "errors": (set(), set()),
    "version": (set(), set()),
    "names": ({"errors"}, set()),
    "user_code": ({"errors"}, set()),
    "frames": (set(), set()),
    "extras": (BASE, set()),
    "firmware_sources": (BASE, set()),
    "leftovers": (BASE, set()),
    "atomic": ({"leftovers", *BASE}, set()),
    "c_compiler": (BASE, set()),
    "cache": (BASE, set()),
    "build_folders": ({"cache", "leftovers", *BASE}, set()),
    "boards": (BASE, set()),
    "recipes": (BASE, set()),
    "printable": (set(), set()),
    "figures": (set(), set()),
    "model": ({"atomic", "printable", *BASE}, set()),
    "compile": ({"atomic", "boards", "build_folders", "c_compiler", "firmware_sources", *NETWORK}, set()),
    "published": ({"boards", "compile", "report", "recipes", "figures", *NETWORK}, set()),
    "importers": ({"extras", "training", "user_code", *NETWORK}, set()),
    "training": ({"compile", "datasets", "recipes", *TRAINING}, {"frontends"}),
    "frontends": ({"training", "compile", *TRAINING}, {"show"}),
    "functions": ({"frontends"}, set()),
    "links": ({"frontends"}, set()),
    "utils": ({"frontends", "errors"}, set()),
    "datasets": ({"cache", "extras", "user_code", *NETWORK}, set()),
    "ports": ({"device"}, set()),
    "updatable": ({"boards", *BASE}, set()),
    "platformio": (
        {"atomic", "boards", "build_folders", "extras", "firmware_sources", "leftovers", "updatable", *BASE},
        set(),
    ),
    "device": ({"compile", "frames", "boards", "printable", "updatable", *NETWORK}, set()),
    "simulation": (
        {
            *("boards", "build_folders", "c_compiler", "frames", "compile", "firmware_sources", "leftovers"),
            *("updatable", *NETWORK),
        },
        {"platformio"},
    ),
    "report": ({"compile", "boards", *BASE}, set()),
    "sweep": ({"report", "compile", "boards", "training", *NETWORK}, set()),
    "show": (
        {
            "atomic",
            "boards",
            "compile",
            "datasets",
            "figures",
            "printable",
            "published",
            "recipes",
            "report",
            "training",
            *TRAINING,
        },
        {"answering", "classifying", "device", "profiling", "sweep"},
    ),
    "network_data": ({"datasets", *NETWORK}, set()),
    "streaming": ({"compile", "datasets", "device", "report", "simulation", *NETWORK}, set()),
    "classifying": ({"compile", "device", "simulation", "streaming", *NETWORK}, set()),
    "answering": ({"compile", "report", *NETWORK}, set()),
    "profiling": ({"compile", "datasets", "device", "report", "streaming", *NETWORK}, set()),
    "pushing": ({"compile", "device", *NETWORK}, set()),
    "sketches": ({"boards", "compile", "device", "platformio", *NETWORK}, set()),
    "flashing": (
        {
            *("atomic", "boards", "build_folders", "compile", "device", "firmware_sources", "platformio", "updatable"),
            *NETWORK,
        },
        set(),
    ),
    "cli": (EVERYTHING, EVERYTHING),
    "__main__": ({"cli"}, set()),
    "__init__": ({"version"}, {"compile", "errors", "frontends", "model", "published", "streaming", "training"}),
}

OUTSIDE = {
    "chainer": {"frontends"},
    "chainerx": set(),
    "serial": {"device", "simulation"},
    "platformio": {"platformio"},
    "cobs": {"frames"},
    "click": {"cli"},
    "sklearn": {"datasets"},
    "matplotlib": {"show"},
    "rich": {"show"},
    "tensorboardX": {"training"},
    "torchfile": {"importers"},
}


@cache
def imports():
    """All of them, read once."""
    return tuple(_imports())


def _imports():
    """(file, room, whether inside a function or for types only, imported module or name of ours, package)."""
    for path in sorted(PACKAGE.rglob("*.py")):
        inside = path.relative_to(PACKAGE)
        if not all(part.isidentifier() for part in inside.parts[:-1]):
            continue  # no module: a script that is copied to a project or to PlatformIO's folder
        room = inside.parts[0].removesuffix(".py")
        tree = ast.parse(path.read_text())
        late = {
            id(node)
            for function in ast.walk(tree)
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
            or (isinstance(function, ast.If) and ast.unparse(function.test).endswith("TYPE_CHECKING"))
            for node in ast.walk(function)
        }
        for node in ast.walk(tree):
            for target in targets(node, ["ebnn", *inside.parent.parts]):
                yield str(inside), room, id(node) in late, target


def targets(node, package):
    """Full dotted names of what a statement imports, as far as they can be modules.

    A call ``import_extra("package", …)`` imports as well.
    """
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "import_extra":
        return [node.args[0].value] if isinstance(node.args[0], ast.Constant) else []
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = package[: len(package) - node.level + 1] if node.level else []
    base = [*base, *([node.module] if node.module else [])]
    # "from . import bits" and "from .. import lower" name a room; "from .network import Block" does not.
    return [".".join([*base, alias.name]) for alias in node.names] if base == ["ebnn"] else [".".join(base)]


def test_every_room_has_its_line():
    """A new room is added to the table above, with what it may import."""
    assert {room for _, room, _, _ in imports()} | {"errors", "version"} <= ROOMS.keys()
    assert len(list(imports())) > 100


def test_no_two_rooms_have_a_module_of_one_name():
    """Who reads `ports` must not ask which. A command is called as what it shows, a kernel as its header."""
    rooms = {}
    for file, _, _, _ in imports():
        *folders, module = Path(file).with_suffix("").parts
        if module != "__init__" and folders not in (["cli"], ["compile", "kernels"]):
            if folders[:1] == ["frontends"]:
                folders[1:2] = ["*"]  # each front end has a `front_end`, and a `trainer` and the like of its own
            rooms.setdefault(module, set()).add("/".join(folders))
    doubled = {module: folders for module, folders in rooms.items() if len(folders) > 1}
    assert doubled == {"npz": {"datasets/formats", "model"}}  # archives of a data set, and of a network


def test_rooms_import_only_what_lies_below_them():
    """The design's "Who may import whom"."""
    wrong = []
    for file, room, late, target in imports():
        parts = target.split(".")
        if parts[0] != "ebnn" or len(parts) == 1 or parts[1] == room:
            continue
        at_import, when_run = ROOMS[room]
        if parts[1] not in at_import | (when_run if late else set()):
            wrong.append(f"{file} imports {target}")
    assert wrong == []


def test_a_framework_stays_in_its_front_end():
    """What one front end imports from outside, and no other room does, no second front end imports either."""
    users = {}
    for file, room, _, target in imports():
        package = target.split(".")[0]
        if package not in sys.stdlib_module_names | {"ebnn", "numpy"}:
            users.setdefault(package, set()).add("/".join(Path(file).parts[:2]) if room == "frontends" else room)
    frameworks = {package: rooms for package, rooms in users.items() if any("frontends/" in room for room in rooms)}
    assert frameworks["chainer"] == {"frontends/chainer"}
    assert [package for package, rooms in frameworks.items() if len(rooms) > 1] == []


@pytest.mark.parametrize("package", OUTSIDE)
def test_packages_from_outside_stay_in_their_rooms(package):
    """Chainer only where networks are trained or lowered; pySerial only where there are ports."""
    users = {(file, room) for file, room, _, target in imports() if target.split(".")[0] == package}
    assert [file for file, room in users if room not in OUTSIDE[package]] == []


def test_programs_of_the_maintainers_import_no_command():
    """A command parses and prints; what benchmarks and tools need of it is in the library."""
    users = [
        f"{path.name} imports {target}"
        for folder in ("benchmarks", "tools")
        for path in sorted((PACKAGE.parent / folder).glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        for target in targets(node, [folder])
        if target.split(".")[:2] == ["ebnn", "cli"]
    ]
    assert users == []


def test_there_is_no_circle():
    """What is imported at import time can be laid in an order."""
    edges = {room: set() for room in ROOMS}
    for _, room, late, target in imports():
        parts = target.split(".")
        if not late and parts[0] == "ebnn" and len(parts) > 1 and parts[1] in ROOMS and parts[1] != room:
            edges[room].add(parts[1])
    while edges:
        free = {room for room, below in edges.items() if not below & edges.keys()}
        assert free, f"a circle among {sorted(edges)}"
        edges = {room: below for room, below in edges.items() if room not in free}


def run_python(program, *arguments):
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_ebnn_never_imports_chainer():
    loaded = run_python("import sys, ebnn, ebnn.model.reference, ebnn.compile; print(*sys.modules)").split()
    assert "ebnn.model.network" in loaded
    for package in ("chainer", "serial", "click", "sklearn", "ebnn.links", "ebnn.frontends", "ebnn.datasets"):
        assert package not in loaded


WITHOUT_CHAINER = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("chainer", "chainerx", "pkg_resources", "serial"):
            raise ImportError(name + " is not installed here")

sys.meta_path.insert(0, Blocker())
import numpy as np
import ebnn

for path in sys.argv[1:]:
    network = ebnn.load(path)
    x = np.ones((3, *network.input.shape), np.float32 if network.input.kind == "float" else np.uint8)
    print(network.hash, network.predict(x).tolist(), network.scores(x).tolist(), network.pack_input(x).tobytes().hex())
    network.save(path + ".again")
    print(ebnn.load(path + ".again") == network)
    ebnn.write_header(network, path + ".h", name="net", arithmetic="integer")
    print("net_predict" in open(path + ".h").read())
assert "chainer" not in sys.modules
try:
    ebnn.lower
except ImportError as error:
    print(error)
"""


def test_everything_but_training_works_without_chainer(tmp_path):
    """load, predict, scores, pack_input, save and write_header, in a Python that has no Chainer."""
    expected, paths = [], []
    for i, network in enumerate([three_layers(), float_network()]):
        paths.append(str(tmp_path / f"{i}.ebnn"))
        network.save(paths[-1])
        x = np.ones((3, *network.input.shape), np.uint8)
        values = network.predict(x).tolist(), network.scores(x).tolist(), network.pack_input(x).tobytes().hex()
        expected += [" ".join([network.hash, *map(str, values)]), "True", "True"]
    output = run_python(WITHOUT_CHAINER, *paths).splitlines()
    assert output[:-1] == expected
    assert "is not installed here" in output[-1]
