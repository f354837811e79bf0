"""Compiles emitted headers, hundreds at a time, and runs samples through them."""

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from ebnn import Network
from ebnn.compile.header import header_text

RUNTIME = Path(__file__).parents[2] / "firmware/lib/ebnn/src"
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wshadow", "-pedantic"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


def require(program: str) -> str:
    """The path of a program; where there is none the test is skipped, unless skipping is forbidden."""
    path = shutil.which(program)
    if path is None:
        message = f"{program} is not installed"
        pytest.fail(message) if os.environ.get("EBNN_NO_SKIP") else pytest.skip(message)
    return path


@dataclass(frozen=True)
class Case:
    """One network, samples for it (n, channels, height, width), and how its header is emitted."""

    network: Network
    x: ArrayLike
    arithmetic: str = "integer"
    optimize: str = "balanced"


@dataclass(frozen=True)
class Result:
    """What C made of a case: ``classes`` (n,), ``scores`` (n, classes), ``arena`` (n, bytes) after each sample."""

    classes: NDArray[np.uint8]
    scores: NDArray[np.int32]
    arena: NDArray[np.uint8]


def run(
    cases: Sequence[Case],
    folder: Path,
    flags: Sequence[str] = SANITIZERS,
    compiler: str = "gcc",
    arena_bytes: Callable[[Network], int] = lambda network: network.arena_bytes,
) -> list[Result]:
    """Compiles the cases into one program, feeds it their samples and reads the results.

    ``arena_bytes`` says how large arenas are, where ``flags`` ask for another core's.
    """
    calls, includes, data = [], [], []
    for i, case in enumerate(cases):
        name = f"n{i}"
        text = header_text(case.network, name=name, arithmetic=case.arithmetic, optimize=case.optimize)
        (folder / f"{name}.h").write_text(text)
        includes.append(f'#include "{name}.h"')
        packed = case.network.pack_input(case.x)
        data.append(packed.tobytes())
        c_type = case.network.input.values.c_type
        calls.append(f"    RUN({name}, N{i}, {c_type}, {len(packed)})")
    (folder / "main.c").write_text(_MAIN.format(includes="\n".join(includes), calls="\n".join(calls)))
    program = folder / "program"
    command = [require(compiler), "-std=c99", *WARNINGS, "-DEBNN_INLINE=__attribute__((unused)) static", *flags]
    subprocess.run([*command, f"-I{RUNTIME}", "-o", program, folder / "main.c"], check=True)
    done = subprocess.run([program], input=b"".join(data), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-4000:]
    return _split(cases, done.stdout, arena_bytes)


def _split(cases: Sequence[Case], output: bytes, arena_bytes: Callable[[Network], int]) -> list[Result]:
    results, at = [], 0
    for case in cases:
        network, n = case.network, len(np.asarray(case.x))
        record = np.dtype(
            [
                ("class", "u1"),
                ("same", "u1"),
                ("scores", "<i4", (network.classes,)),
                ("arena", "u1", (arena_bytes(network),)),
            ]
        )
        table = np.frombuffer(output, record, n, at)
        at += table.nbytes
        assert table["same"].all(), "predict and scores give different classes"
        results.append(Result(table["class"], table["scores"], table["arena"]))
    assert at == len(output)
    return results


# A sample lies in the arena, then in a heap block of exactly its size: the address sanitizer sees a read past its end.
_MAIN = """\
#include <stdio.h>
#include <stdlib.h>
{includes}

#define RUN(name, NAME, type, count)                                                     \\
    for (int i = 0; i < (count); i++) {{                                                  \\
        type *input = (type *)malloc(NAME##_INPUT_BYTES);                                \\
        int32_t scores[NAME##_CLASSES];                                                  \\
        uint8_t answer[2];                                                               \\
        if (fread(input, 1, NAME##_INPUT_BYTES, stdin) != NAME##_INPUT_BYTES) return 3;  \\
        memcpy(name##_input(), input, NAME##_INPUT_BYTES);                               \\
        answer[1] = name##_predict(name##_input());                                      \\
        answer[0] = name##_scores(input, scores);                                        \\
        answer[1] = answer[0] == answer[1];                                              \\
        fwrite(answer, 1, 2, stdout);                                                    \\
        fwrite(scores, 4, NAME##_CLASSES, stdout);                                       \\
        fwrite(name##_arena.bytes, 1, NAME##_ARENA_BYTES, stdout);                       \\
        free(input);                                                                     \\
    }}

int main(void)
{{
{calls}
    return 0;
}}
"""
