"""Lists what random networks never reach: kernels that the planner may choose, and branches of the C library.

::

    uv run python -m tools.branches --networks 400

Makes random networks as the tests do, plans each with every arithmetic and optimization, compiles the emitted headers
for this computer with ``gcc --coverage``, with one lane as on AVR and with two, and asks gcov which branches no sample
took. Nothing is inlined: of a copy for constants, most branches can never be taken. The scores must be the reference's.
AVR's assembly is not compiled here: tests run it on simavr. Functions that no prediction calls (encoders, readings,
names, probabilities) have tests of their own; they are told by name.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.progress import track

TESTS = Path(__file__).parents[1] / "tests"
sys.path.insert(0, str(TESTS))

from support.c_networks import RUNTIME, Case, run  # noqa: E402
from support.mixed_networks import mixed_network  # noqa: E402
from support.random_networks import random_large_network, random_network, random_samples  # noqa: E402

from ebnn.compile.kernels import KERNELS  # noqa: E402
from ebnn.compile.kernels.columns import Columns  # noqa: E402
from ebnn.compile.kernels.kernel import Kernel  # noqa: E402
from ebnn.compile.kernels.tables import Tables  # noqa: E402
from ebnn.compile.options import ARITHMETICS, OPTIMIZE, Arithmetic, Options  # noqa: E402
from ebnn.compile.plan import arena_plan, plan  # noqa: E402
from ebnn.compile.target import TARGETS, WORDS, Target  # noqa: E402
from ebnn.model.network import Network  # noqa: E402

Choice = tuple[str, str, str]
"""A kernel's name, an arithmetic, an optimization."""
Branch = tuple[str, int, int]
"""A file of the library, a line, which of its branches."""
Function = tuple[str, str]
"""A file of the library, a function's name."""

SEED = 20
SAMPLES = 4
TOGETHER = 40  # networks of one program


def networks(count: int, seed: int = SEED) -> Iterator[tuple[Network, bool]]:
    """Random networks of all kinds in turn, and whether the float arithmetic runs them."""
    choose = random.Random(seed)
    floats = Options(Arithmetic.FLOAT)
    makers = [
        random_large_network,
        random_network,
        partial(random_network, normalized=True),
        mixed_network,
        mixed_network,
    ]
    for number in range(count):
        network = makers[number % 5](choose)
        yield network, number % 5 == 2 or not any(map(floats.in_float, network.layers))


def possible(kernel: Kernel, options: Options) -> bool:
    """Whether some layer is run by a kernel with these options; what runs in either arithmetic counts as integer."""
    level = options.optimize
    if (
        (kernel.grouped and not level.grouped)
        or (isinstance(kernel, Columns) and not level.columns)
        or (isinstance(kernel, Tables) and level.table_bytes == 0)
    ):
        return False
    if options.arithmetic is Arithmetic.FLOAT:
        return "float" in kernel.parts
    return "float" not in kernel.parts or kernel.takes == "float"


def all_choices() -> set[Choice]:
    """What the planner may choose."""
    return {
        (kernel.name, arithmetic, optimize)
        for arithmetic in ARITHMETICS
        for optimize in OPTIMIZE
        for kernel in KERNELS
        if possible(kernel, Options.named(arithmetic, optimize))
    }


def choices(made: Iterable[tuple[Network, bool]]) -> Counter[Choice]:
    """How often the planner chooses what for the layers of these networks."""
    found: Counter[Choice] = Counter()
    for network, normalized in made:
        for arithmetic in ARITHMETICS if normalized else ("integer",):
            for optimize in OPTIMIZE:
                steps = plan(network, Options.named(arithmetic, optimize), WORDS).steps
                found.update((step.kernel.name, arithmetic, optimize) for step in steps)
    return found


def branches(
    made: list[tuple[Network, bool]], target: Target, folder: Path
) -> tuple[Counter[Branch], Counter[Function], dict[Branch, Function]]:
    """How often samples of these networks take each branch of the library and call each function, and which function a
    branch is in. Raises AssertionError where the scores are not the reference's."""
    cases = [
        Case(network, random_samples(network, SAMPLES, i), arithmetic, OPTIMIZE[(i + i // 4 + j) % len(OPTIMIZE)])
        for i, (network, normalized) in enumerate(made)
        for j, arithmetic in enumerate(ARITHMETICS if normalized else ("integer",))
    ]
    flags = ["--coverage", "-O0", f"-DEBNN_LANES={target.lanes}"]
    flags += [f"-D{part}=static inline" for part in ("EBNN_PART", "EBNN_COUNT_PART")]
    results = run(cases, folder, flags, arena_bytes=lambda network: arena_plan(network, target).arena_bytes)
    for case, result in zip(cases, results, strict=True):
        np.testing.assert_array_equal(result.scores, case.network.scores(case.x))
    command = ["gcov", "--json-format", "--stdout", "--branch-probabilities", *folder.glob("*.gcda")]
    found: Counter[Branch] = Counter()
    called: Counter[Function] = Counter()
    inside: dict[Branch, Function] = {}
    for line in subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout.splitlines():
        for file in json.loads(line)["files"]:
            path = Path(file["file"])
            if RUNTIME not in path.parents:
                continue
            name = path.relative_to(RUNTIME).as_posix()
            for function in file["functions"]:
                called[name, function["name"]] += function["execution_count"]
            for at in file["lines"]:
                for number, branch in enumerate(at["branches"]):
                    found[name, at["line_number"], number] += branch["count"]
                    inside[name, at["line_number"], number] = name, at["function_name"]
    return found, called, inside


@click.command()
@click.option("--networks", "count", type=click.IntRange(1), default=400, show_default=True, help="How many.")
@click.option("--seed", type=int, default=SEED, show_default=True, help="Of the first network.")
def main(count: int, seed: int) -> None:
    """List what random networks never reach."""
    console = Console()
    made = list(networks(count, seed))
    taken = choices(made)
    missing = sorted(all_choices() - taken.keys())
    console.print(f"{len(all_choices())} choices of the planner, {len(missing)} never made")
    for name, arithmetic, optimize in missing:
        console.print(f"  {name}, {arithmetic}, {optimize}")
    for target in TARGETS:
        total: Counter[Branch] = Counter()
        called: Counter[Function] = Counter()
        inside: dict[Branch, Function] = {}
        parts = [made[at : at + TOGETHER] for at in range(0, count, TOGETHER)]
        for part in track(parts, f"{target.lanes} lanes", console=console):
            with tempfile.TemporaryDirectory(prefix="ebnn-branches-") as folder:
                found, calls, where = branches(part, target, Path(folder))
                total.update(found)
                total.update(dict.fromkeys(found, 0))
                called.update(calls)
                called.update(dict.fromkeys(calls, 0))
                inside |= where
        idle = sorted(function for function, times in called.items() if times == 0)
        console.print(f"{target.lanes} lanes: {len(called)} functions of the library, {len(idle)} never called")
        for file, name in idle:
            console.print(f"  {file}: {name}", highlight=False, markup=False, soft_wrap=True)
        within = {branch: times for branch, times in total.items() if called[inside[branch]]}
        never = sorted(branch for branch, times in within.items() if times == 0)
        console.print(f"{target.lanes} lanes: {len(within)} branches of the others, {len(never)} never taken")
        for file, line, number in never:
            text = (RUNTIME / file).read_text(encoding="utf-8").splitlines()[line - 1].strip()
            console.print(f"  {file}:{line} branch {number}: {text}", highlight=False, markup=False, soft_wrap=True)


if __name__ == "__main__":
    main()
