"""Options that have no effect beside the others are refused, before any work."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from .. import datasets
from ..compile.image import is_image_file
from ..datasets.dataset import RAW, Dataset
from ..errors import InputError
from ..training.architectures import AverageSpec, Numbers, OutputSpec, read_architecture
from .data_options import OWN_NAMES, is_own, take_reading

Command = TypeVar("Command", bound=Callable[..., Any])
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Rule:
    """When some options of a command have an effect.

    Attributes:
        options: names of their parameters.
        works: whether they have one, from the values of all parameters.
        needs: what they need for that, as the message says it.
    """

    options: tuple[str, ...]
    works: Callable[[Values], bool]
    needs: str


def refuses_idle(*rules: Rule) -> Callable[[Command], Command]:
    """Makes a command refuse an option that was typed and has no effect; a recipe may hold such options.

    It stands below the command's options. The rules are in the function's ``idle_rules``.
    """

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def checked(*arguments: Any, **values: Any) -> Any:
            context = click.get_current_context()
            for rule in rules:
                if not rule.works(context.params):
                    _refuse_typed(context, rule)
            return command(*arguments, **values)

        checked.idle_rules = rules  # type: ignore[attr-defined]
        return checked  # type: ignore[return-value]

    return decorate


def _refuse_typed(context: click.Context, rule: Rule) -> None:
    for parameter in context.command.params:
        name = parameter.name or ""
        if name in rule.options and context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            off = context.params[name] is False and parameter.secondary_opts
            flag = max(parameter.secondary_opts if off else parameter.opts, key=len)
            raise InputError(f"{flag} has no effect here: it needs {rule.needs}; give that, or leave {flag} out")


def _has_files(values: Values) -> bool:
    return values["dataset"] is not None and datasets.has_files(values["dataset"])


def _is_built(port: str) -> bool:
    from ..simulation.protocol_sim import takes_header

    return takes_header(port)


def _is_own(values: Values) -> bool:
    return values["dataset"] is not None and is_own(values["dataset"])


def _is_raw(values: Values) -> bool:
    name = values["dataset"]
    return is_own(name) and datasets.info(name, take_reading(dict(values))).kind == RAW


def _read(values: Values) -> Dataset:
    """The user's own data, as they are read for the command too."""
    return datasets.load(values["dataset"], reading=take_reading(dict(values)))


def _brings_to_size(values: Values) -> bool:
    return values["size"] is None or not _is_own(values) or _read(values).shape[1:] == values["size"]


def _has_colours(values: Values) -> bool:
    if values["colour"] is None or not _is_own(values):
        return True
    data = _read(values)
    return data.kind != RAW and data.shape[0] == (3 if values["colour"] else 1)


def _cuts(values: Values) -> bool:
    asked = any(values[name] is not None for name in ("recording", "window", "step"))
    return not asked or not _is_own(values) or _read(values).step is not None


_WITH_FILES = ", ".join(name for name in datasets.names() if datasets.has_files(name))

FOLDER = Rule(
    ("folder",), _has_files, f"a --dataset that is read from files ({_WITH_FILES}); data of your own are --data FOLDER"
)
RECORDED_FOLDER = Rule(
    ("folder",),
    lambda values: values["dataset"] is None or datasets.has_files(values["dataset"]),
    f"a --dataset that is read from files ({_WITH_FILES})",
)
NAMED_FOLDER = Rule(("folder",), lambda values: datasets.has_files(values["name"]), f"a NAME of {_WITH_FILES}")
SAMPLE = Rule(
    ("fraction_seed",), lambda values: values["fraction"] is not None, "a sample to choose, as in --fraction 0.1"
)
OWN_DATA = (
    Rule(
        ("flip",), lambda values: values["dataset"] == "noisy-mnist", "the data set with noise, --dataset noisy-mnist"
    ),
    Rule(OWN_NAMES, _is_own, "data of your own, as in --data my-folder"),
    Rule(("size",), _brings_to_size, "files of pictures, as in --data my-pictures"),
    Rule(("colour",), _has_colours, "files of pictures, as in --data my-pictures"),
    Rule(("recording", "window", "step"), _cuts, "recordings, whose rows follow each other in time"),
)
SERIES = Rule(
    ("jitter", "gain", "time_shift", "time_stretch", "turn", "levels"),
    _is_raw,
    "raw samples, such as recordings of your own, as in --data my-folder",
)
RAW_LEVELS = Rule(("levels",), _is_raw, "raw samples, such as recordings of your own, as in --data my-folder")
FIRST_NETWORK = Rule(("architecture", "input_kind", "levels"), lambda values: values["model"] is None, "no MODEL")
BUILT_HEADER = Rule(
    ("arithmetic", "optimize"),
    lambda values: _is_built(values["port"]),
    "a simulated board, as in --port sim://host; a real one, and a sim://…?program=, has what it was built with",
)
SERIAL_PORT = Rule(("baud",), lambda values: "://" not in (values["port"] or ""), "a serial port, as in /dev/ttyACM0")
WITH_NETWORK = Rule(("arithmetic", "optimize"), lambda values: values["model"] is not None, "a network, MODEL")
MODEL_OPTION_FOR_HEADER = Rule(("arithmetic", "optimize"), lambda values: values["model"] is not None, "a --model")
UPDATABLE_FIRMWARE = Rule(("key_file", "empty"), lambda values: values["updatable"], "--updatable")
STORE = Rule(
    ("store",), lambda values: values["updatable"] or values["program"] is not None, "--updatable or --program"
)
BUILT_FIRMWARE = Rule(("updatable",), lambda values: values["program"] is None, "firmware that is built: no --program")
NO_SKETCH = Rule(("updatable",), lambda values: values["sketch"] is None, "the serial firmware: no --sketch")
FOR_SKETCHES = Rule(("rate",), lambda values: values["sketch"] is not None, "a --sketch")
FOR_C = Rule(
    ("target", "self_test", "probabilities", "weights_file"), lambda values: values["file_format"] == "c", "--format c"
)
FOR_IMAGE = Rule(
    ("name", "board", "arithmetic", "optimize"),
    lambda values: values["file_format"] in ("c", "image"),
    "--format c or image",
)
FLAT_WEIGHTS = Rule(
    ("outputs",), lambda values: values["architecture"] is not None, "flat weights, as with --architecture d1024"
)
FOR_BOARDS = Rule(
    ("board", "arithmetic", "optimize", "self_test", "probabilities"),
    lambda values: values["target"] == "boards",
    "--target boards",
)
NETWORK_FILE = Rule(
    ("board", "arithmetic", "optimize"),
    lambda values: not is_image_file(values["model"]),
    "an .ebnn file as MODEL, not an image, which is made for one kind of board, arithmetic and optimization",
)
FOR_LINUX = Rule(("weights_file",), lambda values: values["target"] == "linux", "--target linux")


def _has_layer(values: Values, fits: Callable[[Numbers], bool]) -> bool:
    """Whether the numbers of a layer of the architecture, the last one too, are as asked for.

    An architecture that cannot be read may have any.
    """
    try:
        layers = read_architecture(values["architecture"])
    except ValueError:
        return True
    if not any(isinstance(layer, OutputSpec) for layer in layers):
        layers = (*layers, OutputSpec(Numbers(activations=0)))
    return any(fits(layer.numbers) for layer in layers if not isinstance(layer, AverageSpec))


TRAINING = (
    FOLDER,
    *OWN_DATA,
    SAMPLE,
    SERIES,
    Rule(("bop_gamma", "bop_threshold"), lambda values: values["optimizer"] == "bop", "--optimizer bop"),
    Rule(
        ("clip_weights",),
        lambda values: values["optimizer"] != "bop",
        "latent weights, which --optimizer adam has and bop has not",
    ),
    Rule(
        ("final_rate",),
        lambda values: values["schedule"] != "constant",
        "a learning rate that falls, as with --schedule cosine",
    ),
    Rule(
        ("teacher", "teacher_epochs", "temperature"),
        lambda values: values["distillation"] != 0,
        "a teacher, as with --distillation 0.5",
    ),
    Rule(("reject",), lambda values: values["validation"] != 0, "held-out samples to learn it on, --validation N"),
    Rule(
        ("label_smoothing",),
        lambda values: values["distillation"] != 1 or values["label_smoothing"] == 0,
        "labels in the loss: a --distillation below 1",
    ),
    Rule(("loss",), lambda values: values["distillation"] != 1, "labels in the loss: a --distillation below 1"),
    Rule(
        ("scale_rate", "stochastic_weights"),
        lambda values: values["optimizer"] != "bop",
        "latent weights, which --optimizer adam has and bop has not",
    ),
)
FLOAT_NETWORK = Rule(
    ("dropout",),
    lambda values: values["float_baseline"] or values["distillation"] != 0,
    "a float network: --float, or a teacher, as with --distillation 0.5",
)
SWEPT_TEACHER = Rule(
    ("dropout",), lambda values: values["distillation"] != 0, "a float network: a teacher, as with --distillation 0.5"
)
BINARY_NETWORK = (
    Rule(
        ("estimator", "stochastic"),
        lambda values: values["float_baseline"] or _has_layer(values, lambda numbers: numbers.activations == 1),
        "a layer that ends in a sign: one without a8",
    ),
    Rule(
        ("clip_weights", "scale_rate", "stochastic_weights"),
        lambda values: values["float_baseline"] or _has_layer(values, lambda numbers: numbers.weights == 1),
        "a layer of binary weights: one without w8",
    ),
    Rule(
        (
            *("bop_gamma", "bop_threshold", "estimator", "reject", "stochastic", "temperature", "teacher"),
            *("scale_rate", "stochastic_weights", "teacher_epochs"),
        ),
        lambda values: not values["float_baseline"],
        "a binarized network: no --float",
    ),
    Rule(
        ("optimizer",),
        lambda values: not values["float_baseline"] or values["optimizer"] == "adam",
        "a binarized network: no --float",
    ),
    Rule(
        ("clip_weights",),
        lambda values: not (values["float_baseline"] and values["clip_weights"]),
        "a binarized network: no --float",
    ),
    Rule(
        ("distillation",),
        lambda values: not (values["float_baseline"] and values["distillation"]),
        "a binarized network: no --float",
    ),
)
