"""Compiles networks for Linux, many into one program, and runs samples through every path with threads and without."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebnn.compile.linux.source_files import linux_header, linux_source
from ebnn.firmware_sources import linux_library
from ebnn.model.network import Network

from .c_networks import require

WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wshadow", "-pedantic"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


@dataclass(frozen=True)
class LinuxCompiler:
    """How to compile and run: a compiler's command, flags, and what starts its programs."""

    command: str
    flags: tuple[str, ...] = ("-O1", *SANITIZERS)
    runner: tuple[str, ...] = ()

    def build(self, folder: Path, sources: Sequence[Path], program: str) -> Path:
        """Compiles each source on its own, then links them."""
        objects = []
        for source in sources:
            objects.append(folder / f"{source.stem}.o")
            command = [
                require(self.command),
                "-std=c99",
                *WARNINGS,
                *self.flags,
                "-pthread",
                f"-I{linux_library() / 'include'}",
            ]
            subprocess.run([*command, f"-I{folder}", "-c", source, "-o", objects[-1]], check=True)
        subprocess.run([self.command, *self.flags, "-pthread", *objects, "-o", folder / program], check=True)
        return folder / program


def library_sources() -> list[Path]:
    return sorted(linux_library().glob("src/*.c"))


def run_all(
    networks: Sequence[Network], samples: Sequence[NDArray[Any]], folder: Path, compiler: LinuxCompiler
) -> dict[str, list[NDArray[np.int32]]]:
    """Scores of each network's samples on every path that runs here, by the path's name: with 1 and with 3 threads.

    Raises AssertionError where classes are not the first largest scores, or a sanitizer complains.
    """
    includes, entries = [], []
    for i, (network, x) in enumerate(zip(networks, samples, strict=True)):
        (folder / f"n{i}.h").write_text(linux_header(network, f"n{i}"))
        (folder / f"n{i}.inc").write_text(linux_source(network, f"n{i}", f"n{i}.h"))
        includes.append(f'#include "n{i}.inc"')
        entries.append(f"    {{&n{i}_network, {len(x)}}},")
    main = folder / "all_networks.c"
    main.write_text(_MAIN.format(includes="\n".join(includes), entries="\n".join(entries)))
    program = compiler.build(folder, [main, *library_sources()], "all_networks")
    data = b"".join(network.pack_input(x).tobytes() for network, x in zip(networks, samples, strict=True))
    found = {}
    for path in paths_of(program, compiler):
        for threads in ("1", "3"):
            command = [*compiler.runner, program, path, threads]
            done = subprocess.run(command, input=data, capture_output=True, check=False)
            assert done.returncode == 0, f"{path}: {done.stderr.decode()[-3000:]}"
            scores, at = [], 0
            for network, x in zip(networks, samples, strict=True):
                each = np.frombuffer(done.stdout, "<i4", len(x) * network.classes, at)
                scores.append(each.reshape(len(x), network.classes))
                at += each.nbytes
            assert at == len(done.stdout)
            found[f"{path}, {threads} threads"] = scores
    return found


def paths_of(program: Path, compiler: LinuxCompiler) -> list[str]:
    """The paths that run here."""
    done = subprocess.run([*compiler.runner, program], capture_output=True, text=True, check=True)
    return done.stdout.split()


# Samples and scores lie in heap blocks of exactly their size, so that the address sanitizer sees what is beyond.
_MAIN = """\
{includes}
#include <stdio.h>
#include <stdlib.h>

static const struct {{
    const ebnn_linux_network_t *network;
    size_t count;
}} all[] = {{
{entries}
}};

int main(int argc, char **argv)
{{
    size_t i, j;
    uint32_t k;

    if (argc == 1) {{
        for (k = 0; ebnn_linux_path_name(k); k++)
            if (ebnn_linux_path_runs(ebnn_linux_path_name(k)))
                puts(ebnn_linux_path_name(k));
        return 0;
    }}
    for (i = 0; i < sizeof all / sizeof all[0]; i++) {{
        const ebnn_linux_network_t *network = all[i].network;
        const size_t bytes = all[i].count * network->sample_bytes, classes = network->classes;
        uint8_t *samples = (uint8_t *)malloc(bytes);
        int32_t *scores = (int32_t *)malloc(all[i].count * classes * sizeof *scores);
        uint32_t *found = (uint32_t *)malloc(all[i].count * sizeof *found);
        ebnn_linux_t *net;

        if (fread(samples, 1, bytes, stdin) != bytes)
            return 2;
        if (ebnn_linux_open(&net, network, NULL, (uint32_t)atoi(argv[2]), argv[1]))
            return 3;
        ebnn_linux_scores(net, samples, all[i].count, scores);
        ebnn_linux_predict(net, samples, all[i].count, found);
        ebnn_linux_close(net);
        for (j = 0; j < all[i].count; j++) {{
            uint32_t best = 0;

            for (k = 1; k < classes; k++)
                if (scores[j * classes + k] > scores[j * classes + best])
                    best = k;
            if (best != found[j])
                return 4;
        }}
        fwrite(scores, sizeof *scores, all[i].count * classes, stdout);
        free(samples);
        free(scores);
        free(found);
    }}
    return 0;
}}
"""
