"""The emitted header: constants, tables and calls of one network."""

import hashlib
import keyword
import os
import re
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from textwrap import indent

from ..atomic import write_atomically
from ..boards import Board, load_board
from ..errors import NetworkError
from ..model.network import Network
from ..model.transforms import Scores
from ..version import __version__
from .c_arrays import constant_array, float_literal
from .class_names import class_names_part
from .encoder import encoder_code, encoder_part
from .file_names import check_header_name
from .header_part import HeaderPart
from .lines import listed
from .options import Options
from .original_function import original_function
from .plan import Plan, Step, plan
from .readings import readings_part
from .self_test import LARGEST_ARRAY, sample_bytes, self_test_arrays, self_test_function, self_test_macro
from .softmax import softmax_part
from .target import AVR, WORDS, Target, target_of

RUNTIME_VERSION = 3  # EBNN_RUNTIME_VERSION of firmware/lib/ebnn/src/ebnn.h; a test compares them
ONES_IN_RAM = """
/* On AVR, the table that counts ones lies in RAM, 256 bytes of it, unless ebnn.h was included without. */
#ifndef EBNN_ONES_IN_RAM
#define EBNN_ONES_IN_RAM
#endif
"""
MAX_SELF_TEST = 255  # samples: the number of their wrong scores fits 16 bits
MAX_NAME = 63  # characters of an identifier that C99 tells apart

# Words that a header's names must not be: C, C++ and the Arduino core's own.
_RESERVED = frozenset(
    """auto bool break case char class const continue default delete do double else enum extern false float for friend
    goto if inline int long main namespace new operator private protected public register restrict return setup loop
    short signed sizeof static struct switch template this throw true try typedef union unsigned using virtual void
    volatile while""".split()
)


def write_header(
    network: Network,
    path: str | os.PathLike[str],
    *,
    name: str | None = None,
    arithmetic: str = "integer",
    optimize: str = "balanced",
    self_test: int = 0,
    board: str | Board | None = None,
    probabilities: bool = False,
) -> None:
    """Writes ``network`` as a C header to ``path``; the same network gives the same text.

    ``name`` (default: the file's stem) starts every name in it; ``arithmetic`` is "integer" or "float"; ``optimize`` is
    "size", "compact", "balanced" or "speed" (see `ebnn.compile.options`); ``self_test`` is how many samples with their
    scores the header brings, and a function that counts the wrong ones; ``board`` is one of `ebnn.boards`, whose RAM an
    AVR's layers may take: the header then needs an AVR with as much (default: an Uno's, checked by nobody);
    ``probabilities`` adds a function that makes them of scores. Raises NetworkError where the name is no C identifier,
    the file's name is another header's, or the network lacks what the arithmetic needs, and UnknownNameError where
    there is no such board.
    """
    path = Path(path)
    check_header_name(path)
    if name is None:
        name = identifier(path.stem)
    text = header_text(
        network,
        name=name,
        arithmetic=arithmetic,
        optimize=optimize,
        self_test=self_test,
        board=board,
        probabilities=probabilities,
    )
    write_atomically(path, text.encode())


def flash_bytes(
    network: Network, arithmetic: str = "integer", optimize: str = "balanced", target: Target = WORDS
) -> int:
    """Bytes of the header's constants on a core: of the layers, and of an encoder and names where there are any."""
    return plan(network, Options.named(arithmetic, optimize), target).flash_bytes


def identifier(text: str) -> str:
    """``text`` made into a valid name: other characters become ``_``, lower case, cut to 63."""
    name = re.sub(r"\W", "_", text, flags=re.ASCII).lower().strip("_")[:MAX_NAME]
    return name if _is_name(name) else f"net_{name}"[:MAX_NAME].rstrip("_")


def header_text(
    network: Network,
    *,
    name: str,
    arithmetic: str = "integer",
    optimize: str = "balanced",
    self_test: int = 0,
    board: str | Board | None = None,
    probabilities: bool = False,
) -> str:
    """The header's text, see write_header."""
    check_identifier(name)
    if not 0 <= self_test <= MAX_SELF_TEST:
        raise NetworkError(f"a self-test of {self_test} samples cannot be made: take 0 to {MAX_SELF_TEST}")
    if self_test and sample_bytes(network) > LARGEST_ARRAY:
        raise NetworkError(
            f"a self-test of samples of {sample_bytes(network):,} B cannot be made: AVR takes {LARGEST_ARRAY:,} B"
        )
    options = Options.named(arithmetic, optimize)
    board = load_board(board) if isinstance(board, str) else board
    avr = AVR if board is None or target_of(board) == WORDS else target_of(board)
    ram_bytes = None if board is None else target_of(board).ram_bytes
    plans = plan(network, options, WORDS), plan(network, options, avr)
    return _Header(name, *plans, self_test, ram_bytes, probabilities).text()


def check_identifier(name: str) -> None:
    """Raises NetworkError where a name cannot start the names of a program in C."""
    if not _is_name(name):
        raise NetworkError(
            f"the name {name!r} cannot be used in C: take up to {MAX_NAME} letters, digits and _, starting with a "
            "letter, no keyword, and not starting with ebnn"
        )


def _is_name(name: str) -> bool:
    return (
        re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) is not None
        and len(name) <= MAX_NAME
        and name not in _RESERVED
        and not keyword.iskeyword(name)
        and not name.lower().startswith("ebnn")
    )


_INDEX = ("uint8_t index",)  # an argument


def _by_core(avr: str, elsewhere: str) -> str:
    return f"#if EBNN_LANES == 1\n{avr}\n#else\n{elsewhere}\n#endif"


class _Header:
    """One header in the making."""

    def __init__(
        self,
        name: str,
        elsewhere: Plan,
        avr: Plan,
        self_test: int = 0,
        avr_ram_bytes: int | None = None,
        probabilities: bool = False,
    ) -> None:
        self.name = name
        self.macro = name.upper()
        self.plan, self.avr_plan = elsewhere, avr
        self.network, self.options = elsewhere.network, elsewhere.options
        self.self_test = self_test
        self.avr_ram_bytes = avr_ram_bytes  # that an AVR must have
        self.parts = (
            encoder_part(self.network, name, self.emitted),
            class_names_part(self.network, name, self.emitted),
            readings_part(self.network, name, self.emitted),
            softmax_part(self.network, name, self.emitted, probabilities),
        )

    @property
    def emitted(self) -> str:
        """By what it was emitted, for errors."""
        return f"{self.name} was emitted by ebnn {__version__}"

    def of_parts(self, place: Callable[[HeaderPart], str]) -> str:
        """What the parts beside the layers add at a place."""
        return "".join(map(place, self.parts))

    def text(self) -> str:
        """The whole header: what every source file takes, then what is defined once."""
        return "\n".join([self.summary(), self.declarations(self.digest), self.definitions()])

    @cached_property
    def digest(self) -> str:
        """Eight hexadecimal digits of all of the text but themselves: files of one program must agree on it."""
        text = "\n".join([self.summary(), self.declarations(""), self.definitions()])
        return hashlib.sha256(text.encode()).hexdigest()[:8].upper()

    def declarations(self, digest: str) -> str:
        """Sizes, types, prototypes: as often as the header is included, the same in every source file."""
        macro, name = self.macro, self.name
        return f"""\
#ifndef {macro}_EBNN_NETWORK_H
#define {macro}_EBNN_NETWORK_H
{self.constants(digest)}
{self.prototypes()}
{self.aliases()}
#elif {macro}_HASH != 0x{self.network.hash32:08X}ul
#error "two networks are called {name}: export one of them with another --name"
#elif {macro}_EBNN_HEADER != 0x{digest}ul
#error "two headers of {name} differ: export it once, and include the one file everywhere"
#endif
"""

    def definitions(self) -> str:
        """Constants, arena and functions: in every source file, for the linker to keep one, or in one source file."""
        macro = self.macro
        layers = [self.layer(*steps) for steps in zip(self.plan.steps, self.avr_plan.steps, strict=True)]
        parts = [*layers, self.memory(), self.functions()]
        parts += [part.definitions for part in self.parts if part.definitions]
        if self.self_test:
            parts += self_test_arrays(self.network, self.name, self.self_test)
            parts.append(self_test_function(self.network, self.name, self.self_test))
        text = "\n".join(parts)
        return f"""\
#if !defined({macro}_EBNN_DEFINED) \\
    && (defined({macro}_IMPLEMENTATION) || !defined({macro}_DECLARATIONS))
#define {macro}_EBNN_DEFINED

#if defined(EBNN_STATIC)
#define {macro}_EBNN_LINKAGE EBNN_PRIVATE
#elif defined({macro}_IMPLEMENTATION)
#define {macro}_EBNN_LINKAGE
#elif defined(EBNN_SHARED)
#define {macro}_EBNN_LINKAGE EBNN_SHARED
#else
#error "ebnn: define NAME_IMPLEMENTATION in one source file, NAME_DECLARATIONS in all others that include the header"
#endif

{text}
#endif
"""

    def summary(self) -> str:
        network = self.network
        rows = [("layer", "input", "output", "weights", "thresholds", "MACs")]
        for step in self.plan.steps:
            layer = step.layer
            weights = step.weight_bytes
            label = f"{layer.name}, pool" if layer.pool is not None else layer.name
            gives = f"{layer.outputs} scores" if layer.transform.last else str(layer.output_shape)
            sizes = f"{weights:,} B", f"{step.flash_bytes - weights:,} B"
            rows.append((label, str(layer.input.shape), gives, *sizes, f"{layer.macs:,}"))
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join(
            [
                "/*",
                f" * {self.name}: a binarized neural network, emitted by ebnn {__version__}. Do not edit.",
                " *",
                f" * hash        {network.hash}",
                f" * arithmetic  {self.options.arithmetic.value}",
                f" * input       {network.input.kind}, {network.input.shape} (channels×height×width), "
                f"{network.input.bytes:,} B",
                f" *             {network.input.values.layout}",
                f" * flash       {self.flash()}",
                f" * RAM         {self.arena()}, the input included",
                *(f" * {title:<11} {text}" for part in self.parts for title, text in part.facts),
                " *",
                *(f" * {line}" for line in lines),
                " */",
                "",
            ]
        )

    def constants(self, digest: str) -> str:
        """The runtime, the version, and the network's numbers as macros."""
        network, macro = self.network, self.macro
        scores = network.layers[-1].transform
        assert isinstance(scores, Scores)
        emitted = f"{self.emitted} for runtime version {RUNTIME_VERSION}"
        return f"""\
{ONES_IN_RAM if self.options.optimize.ones_in_ram else ""}
#include "ebnn.h"

#if !defined(EBNN_RUNTIME_VERSION) || EBNN_RUNTIME_VERSION != {RUNTIME_VERSION}
#error "{emitted}: export again, or take that library"
#endif

#if defined({macro}_TITLE) || defined({macro}_HASH) \\
    || defined({macro}_CLASSES) || defined({macro}_LAYERS)
#error "another header has macros of {self.name}: export it with another --name"
#endif

#define {macro}_TITLE "{self.name}"
#define {macro}_HASH 0x{network.hash32:08X}ul
#define {macro}_EBNN_HEADER 0x{digest}ul /* of this text */
#define {macro}_INPUT_BYTES {network.input.bytes}
#define {macro}_INPUT_VALUES {network.input.shape.size}
#define {macro}_CLASSES {network.classes}
#define {macro}_LAYERS {len(network.layers)}
{self.by_core("FLASH_BYTES", lambda plan: plan.flash_bytes)}
#define {macro}_SCORE_SCALE {float_literal(scores.scale)} /* score × this is the trainer's logit */
{self.by_core("ARENA_BYTES", lambda plan: plan.arena_bytes)}
{self.of_parts(lambda part: part.macros)}{self.avr_checks()}
{self.flash_check()}{self.float_check()}
EBNN_ONE_HEADER("{self.name}", "{self.name}_{digest}");
"""

    def flash(self) -> str:
        elsewhere, avr = self.plan.flash_bytes, self.avr_plan.flash_bytes
        return f"{elsewhere:,} B of constants" + (f" ({avr:,} B on AVR)" if avr != elsewhere else "")

    def arena(self) -> str:
        elsewhere, avr = f"{self.plan.arena_bytes:,} B of arena", f"{self.avr_plan.arena_bytes:,} B"
        needs = "" if self.avr_ram_bytes is None else f" with {self.avr_ram_bytes:,} B or more"
        return elsewhere if elsewhere.startswith(avr) and not needs else f"{elsewhere} ({avr} on AVR{needs})"

    def avr_checks(self) -> str:
        """What the plan and the kernels need of an AVR: those for size run on any."""
        return self.ram_check() + (self.multiplication_check() if self.options.optimize.multiplies else "")

    def ram_check(self) -> str:
        """The RAM of the board that was named."""
        if self.avr_ram_bytes is None:
            return ""
        return f"""
#define {self.macro}_AVR_RAM_BYTES {self.avr_ram_bytes}
#if defined(__AVR__) && RAMEND - RAMSTART + 1 < {self.macro}_AVR_RAM_BYTES
#error "ebnn: {self.name} is for an AVR with {self.avr_ram_bytes} bytes of RAM: export it with this one's --board"
#endif
"""

    def multiplication_check(self) -> str:
        return f"""
#if defined(__AVR__) && !defined(__AVR_HAVE_MUL__)
#error "ebnn: {self.name} multiplies, which this AVR cannot: export it with --optimize size"
#endif
#if defined(__AVR__) && EBNN_RAM_OF_ONES > 0
#if {self.macro}_ARENA_BYTES + EBNN_RAM_OF_ONES > RAMEND - RAMSTART + 1
#error "ebnn: no room for {self.name} and the table of ones: export it with --optimize balanced"
#endif
#endif
"""

    def by_core(self, name: str, of: Callable[[Plan], int]) -> str:
        """A macro of a plan's figure, which the core decides where the kernels differ."""
        elsewhere, avr = (f"#define {self.macro}_{name} {of(plan)}" for plan in (self.plan, self.avr_plan))
        return elsewhere if avr == elsewhere else _by_core(avr, elsewhere)

    def flash_check(self) -> str:
        """What the linker checks for all of a program, said early for what cannot fit."""
        limit, taken = AVR.near_bytes, self.avr_plan.flash_bytes
        if limit is None or taken <= limit:
            return ""
        return f"""
#if defined(__AVR__)
#error "ebnn: {self.name} has {taken} bytes of constants, AVR reads {limit}: use fewer filters"
#endif
"""

    def float_check(self) -> str:
        """Sums of floats must be rounded to float after each operation."""
        code = encoder_code(self.network, self.name)
        if not any(map(self.options.in_float, self.network.layers)) and not (code and code.in_float):
            return ""
        return """
#if defined(__FLT_EVAL_METHOD__) && __FLT_EVAL_METHOD__ != 0 && __FLT_EVAL_METHOD__ != 16
#error "ebnn: floats are kept in higher precision here, answers would differ: compile for SSE (-msse2 -mfpmath=sse)"
#endif
"""

    def layer(self, step: Step, avr_step: Step) -> str:
        """The arrays of a layer, and the struct that its kernel is given."""
        prefix = f"{self.name}_{step.layer.name}"
        texts = []
        for name, array in step.constants.items():
            text = constant_array(f"{prefix}_{name}", array.values, array.comment)
            if array.by_target:
                avr = constant_array(f"{prefix}_{name}", avr_step.constants[name].values, array.comment)
                text = _by_core(avr.rstrip(), text.rstrip()) + "\n"
            texts.append(text)
        struct = step.kernel.struct
        fields = struct.fields(step.layer, prefix, step.constants)
        return "\n".join([*texts, _struct(f"ebnn_{struct.name}_t", prefix, fields)])

    def prototypes(self) -> str:
        """The arena's type, the functions, and the short forms that use the program's own arena."""
        name, macro, c_type = self.name, self.macro, self.c_type
        return f"""\
/* The memory of one prediction: activations lie at opposite ends in turn, a patch under the kernel between them. */
typedef union {{
    uint8_t bytes[{macro}_ARENA_BYTES];
    uint32_t words[{macro}_ARENA_BYTES / 4]; /* aligns the rest */
    float floats[{macro}_ARENA_BYTES / 4];
}} {name}_arena_t;

{self.of_parts(lambda part: part.types)}#ifdef __cplusplus
extern "C" {{
#endif

/* The program's own arena: one, whichever source files use it. */
#if defined(EBNN_STATIC)
#define {macro}_EBNN_SCOPE EBNN_PRIVATE
EBNN_PRIVATE {name}_arena_t {name}_arena;
#else
#define {macro}_EBNN_SCOPE extern
extern {name}_arena_t {name}_arena;
#endif

/* Runs one layer; in turn, from 0 to NAME_LAYERS - 1, they are a prediction. The first takes the input, the last
 * writes the scores, if not NULL, and returns the class; the others return 0. */
{self.signature(f"{macro}_EBNN_SCOPE", "layer_in", _INDEX)};

/* A prediction that touches no memory but its arguments: re-entrant, where each call under way has its own arena.
 * input: NAME_INPUT_BYTES bytes, anywhere. scores: NAME_CLASSES of them, or NULL. Returns the class. */
{self.signature(f"{macro}_EBNN_SCOPE", "predict_in")};
{self.of_parts(lambda part: part.prototypes)}{self_test_macro(name, self.self_test) if self.self_test else ""}
#ifdef __cplusplus
}}
#endif

/* Where a sample may be written; it is overwritten by the prediction. */
static inline {c_type} *{name}_input_in({name}_arena_t *arena)
{{
    return ({c_type} *)(void *)arena->bytes;
}}

/* As above, with the program's own arena. Not re-entrant: no other thread and no interrupt may use it meanwhile. */
static inline {c_type} *{name}_input(void)
{{
    return {name}_input_in(&{name}_arena);
}}

static inline uint8_t {name}_layer(uint8_t index, const {c_type} *input, int32_t *scores)
{{
    return {name}_layer_in(&{name}_arena, index, input, scores);
}}

static inline uint8_t {name}_scores(const {c_type} *input, int32_t *scores)
{{
    return {name}_predict_in(&{name}_arena, input, scores);
}}

static inline uint8_t {name}_predict(const {c_type} *input)
{{
    return {name}_predict_in(&{name}_arena, input, NULL);
}}
{self.of_parts(lambda part: part.inline)}"""

    def signature(self, linkage: str, function: str, extra: tuple[str, ...] = ()) -> str:
        """The head of a function that takes an arena, ``extra`` arguments, input and scores."""
        arguments = [f"{self.name}_arena_t *arena", *extra, f"const {self.c_type} *input", "int32_t *scores"]
        return listed(f"{linkage} uint8_t {self.name}_{function}(", arguments, ")")

    @property
    def c_type(self) -> str:
        """The type of an input's values."""
        return self.network.input.values.c_type

    def memory(self) -> str:
        """The program's own arena."""
        return f"""\
#if !defined(EBNN_STATIC)
{self.macro}_EBNN_LINKAGE {self.name}_arena_t {self.name}_arena;
#endif
"""

    def functions(self) -> str:
        """The layers, and the loop over them."""
        name, macro = self.name, self.macro
        cases = self.cases()
        unused = "" if "arena->" in cases else "    (void)arena;\n"
        return f"""\
{self.signature(f"{macro}_EBNN_LINKAGE", "layer_in", _INDEX)}
{{
{self.reach_check()}
{unused}    switch (index) {{
{cases}
    }}
}}

{self.signature(f"{macro}_EBNN_LINKAGE", "predict_in")}
{{
    uint8_t index, winner = 0;

    for (index = 0; index < {macro}_LAYERS; index++)
        winner = {name}_layer_in(arena, index, input, scores);
    return winner;
}}
"""

    def reach_check(self) -> str:
        """Names what the constants take: the arrays, and the layers that point to them."""
        others = self.plan.flash_bytes - self.plan.layer_bytes
        layers = f"{self.macro}_FLASH_BYTES" + (f" - {others}" if others else "")
        sizes = [layers, *(f"sizeof {self.name}_{layer.name}" for layer in self.network.layers)]
        return listed(f'    EBNN_CHECK_REACH("{self.name}", ', sizes, ");", " + ")

    def cases(self) -> str:
        """One case for each layer: the only place that calls its kernel."""
        lines = []
        *hidden, last = self.plan.steps
        for step in hidden:
            lines += [f"    case {step.layer.index}:", self.call(step, "        "), "        return 0;"]
        return "\n".join([*lines, "    default:", self.call(last, "        return ")])

    def call(self, step: Step, before: str) -> str:
        """The statement that calls a layer's kernel."""
        kernel, index = step.kernel, step.layer.index
        arguments = [f"&{self.name}_{step.layer.name}", *kernel.given, self.source(step)]
        arguments += [self.place(index, name) for name in kernel.struct.arguments]
        return listed(f"{before}{kernel.function}(", arguments, ");")

    def place(self, index: int, name: str) -> str:
        """What layer ``index`` is given, by the names in `Struct.arguments`."""
        if name == "scores":
            return name
        return self.scratch(index) if name == "scratch" else self.activation(index + 1)

    def source(self, step: Step) -> str:
        """Where a layer finds its input."""
        if step.layer.index > 0:
            return self.activation(step.layer.index)
        if step.kernel.whole_words:
            return f"ebnn_take_bits({self.activation(0)}, input, {self.macro}_INPUT_BYTES)"
        return "input" if self.c_type == step.kernel.takes else f"(const {step.kernel.takes} *)input"

    def activation(self, index: int) -> str:
        """Where activation ``index`` lies: even ones at the arena's low end, odd ones at its high end."""
        return self.at(f"{self.macro}_ARENA_BYTES - {self.plan.memory.activation_bytes[index]}" if index % 2 else "")

    def scratch(self, layer: int) -> str:
        return self.at(str(self.plan.memory.scratch_offsets[layer]))

    def at(self, offset: str) -> str:
        place = "arena->bytes"
        return f"{place} + {offset}" if offset else place

    def aliases(self) -> str:
        name, macro, c_type = self.name, self.macro, self.c_type
        return f"""\
/* Names without a name, for the program's first network. */
#ifndef EBNN_NETWORK_NAME
#define EBNN_NETWORK_NAME {macro}_TITLE
#define EBNN_NETWORK_HASH {macro}_HASH
#define EBNN_INPUT_TYPE {c_type}
#define EBNN_INPUT_BYTES {macro}_INPUT_BYTES
#define EBNN_CLASSES {macro}_CLASSES
#define EBNN_LAYERS {macro}_LAYERS
#define EBNN_ARENA_BYTES {macro}_ARENA_BYTES
#define ebnn_network_input {name}_input
#define ebnn_network_layer {name}_layer
#define ebnn_network_scores {name}_scores
{self.of_parts(lambda part: part.aliases)}
{original_function(self.network, name)}#endif
"""


def _struct(c_type: str, name: str, lines: list[str]) -> str:
    body = indent(",\n".join(lines), "    ")
    return f"static const {c_type} {name} EBNN_FLASH = {{\n{body}\n}};\n"
