"""The options that say how to train, for every command that does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from .. import datasets
from ..compile.estimate import estimate, estimated_boards
from ..errors import TrainingError
from ..model.kinds import INPUT_KINDS
from ..recipes import load_recipe, recipe_names
from ..show.console import make_console, print_line
from ..show.plots import check_drawing
from ..show.training_progress import ConsoleProgress
from ..training.architectures import with_bits
from ..training.choosing import Choice, choose
from ..training.config import INITS, LOSSES
from ..training.encoder_fitting import LEVELS
from ..training.front_ends import DEFAULT, find_front_end, front_end_names
from ..training.run_folders import HISTORY_NAME
from ..training.run_settings import DIGITS_EPOCHS, EPOCHS, RunSettings, read_settings
from ..training.task import Task
from ..training.tensorboard import check_tensorboard
from .data_options import DATA_NAMES, SAMPLE_NAMES, data_options, is_own, sample_options, take_reading
from .layout import Headings
from .options import dataset_option, folder_option, load_dataset


def check_training(tensorboard: bool = False, front_end: str = DEFAULT) -> None:
    """Refuses to begin where a package is missing that training, its picture or its log for TensorBoard needs.

    Raises:
        MissingDependencyError: the message says what to install.
    """
    find_front_end(front_end).check()
    check_drawing(f"drawing {HISTORY_NAME}")
    if tensorboard:
        check_tensorboard()


def use_recipe(context: click.Context, _: click.Parameter, name: str | None) -> str | None:
    """Makes a recipe's options the defaults; those given beside it hold."""
    if name is not None:
        context.default_map = {**(context.default_map or {}), **load_recipe(name).options}
    return name


architecture_option = click.option(
    "--architecture",
    default="conv",
    help="conv (c32k3p1-m2-c64k3p1-m2), conv-small (half as many filters), digits (c32k3p1-c32k3p1-m2, for 8×8), "
    "mlp (d128), ebnn-conv and ebnn-mlp (the paper's), or parts of your own joined by '-': c16k3p1 is a convolution of "
    "16 filters, kernel 3, padding 1; dw a depthwise one; m2 a max-pool behind either; a2 an average pool, g one over "
    "the whole map; d64 a dense layer of 64. w8 at a part's end: 8-bit weights, a8: 8-bit activations in place of "
    "signs, as in c16k3p1w8a8; ws: signs times the mean magnitude of each output's weights, a8s: 8 bits of either "
    "sign, n0: a bias in place of batch normalisation. A kernel, stride, padding or window that is not square is "
    "HEIGHTxWIDTH, as in c16k3x5. The last layer is added; ow8 at the very end gives it 8-bit weights, ok1g makes it a "
    "convolution (kernel 1) and its mean over the map.",
)

TRAINING_HEADINGS: Headings = {
    "Data": ("dataset", "folder", *DATA_NAMES, *SAMPLE_NAMES, "validation", "folds", "class_weights"),
    "Distortion": (
        *("shift", "rotation", "scale", "elastic", "mirror"),
        *("jitter", "gain", "time_shift", "time_stretch", "turn"),
    ),
    "Network": ("recipe", "architecture", "input_kind", "levels", "reject", "float_baseline"),
    "Training": ("epochs", "batch_size", "learning_rate", "seed", "resume", "overwrite"),
    "Results": ("out", "output", "board_list", "plot", "tensorboard", "json_file"),
    "Teacher": ("distillation", "temperature", "teacher", "teacher_epochs"),
    "Advanced": (
        "front_end",
        "optimizer",
        "bop_gamma",
        "bop_threshold",
        "schedule",
        "final_rate",
        "warmup",
        "estimator",
        "stochastic",
        "stochastic_weights",
        "clip_weights",
        "scale_rate",
        "init",
        "dropout",
        "loss",
        "averaging",
        "statistics_samples",
        "label_smoothing",
    ),
}
"""How the help of a command that trains is laid out, by the names of its parameters."""

_OPTIONS = (
    click.option(
        "--recipe",
        callback=use_recipe,
        is_eager=True,
        help=f"Settings by name: {', '.join(recipe_names())}. Options given beside it hold.",
    ),
    dataset_option("What to train on: a name, or data of your own, a file, a folder or an archive.", default="digits"),
    data_options,
    sample_options,
    click.option(
        "--input",
        "input_kind",
        type=click.Choice(INPUT_KINDS),
        help="What the board is given. [default: the data set's own]",
        show_default=False,
    ),
    click.option(
        "--epochs",
        type=int,
        help=f"Passes over the training images. [default: {DIGITS_EPOCHS} for digits, else {EPOCHS}]",
        show_default=False,
    ),
    click.option("--batch-size", type=int, default=128, help="Images in a batch."),
    click.option(
        "--optimizer",
        default="adam",
        help="adam for all; or bop, which flips binary weights without latent ones, and Adam for the rest.",
    ),
    click.option("--learning-rate", type=float, default=0.01, help="Of Adam, at the start."),
    click.option(
        "--bop-gamma",
        type=float,
        default=1e-3,
        help="Share of the newest gradient in Bop's average, at the start; follows the schedule.",
    ),
    click.option("--bop-threshold", type=float, default=1e-6, help="How large that average must be for a flip."),
    click.option("--schedule", default="cosine", help="How the learning rate falls: cosine, exponential or constant."),
    click.option(
        "--final-rate", type=float, default=0.01, help="Fraction of the learning rate that is left in the end."
    ),
    click.option("--warmup", type=float, default=0.0, help="Epochs over which the learning rate rises first."),
    click.option("--estimator", default="hard_tanh", help="Pseudo-gradient of the sign; a wrong name lists them."),
    click.option("--stochastic", is_flag=True, help="Draw the activations of training at random, likelier their sign."),
    click.option(
        "--stochastic-weights", is_flag=True, help="Draw the binary weights of training at random, likelier their sign."
    ),
    click.option(
        "--scale-rate",
        is_flag=True,
        help="Let the latent weights of a large layer learn faster: their rate times sqrt((inputs + outputs) / 1.5).",
    ),
    click.option(
        "--init",
        help=f"Distribution of the first weights: {', '.join(INITS)}. [default: lecun, and he for layers of 8 bits]",
        show_default=False,
    ),
    click.option(
        "--dropout", type=float, default=0.0, help="Share of the float network's hidden outputs that training drops."
    ),
    click.option("--loss", default="cross-entropy", help=f"What training makes small: {' or '.join(LOSSES)}."),
    click.option(
        "--clip/--no-clip", "clip_weights", default=True, help="Keep the latent weights of training within [-1, 1]."
    ),
    click.option("--shift", type=int, default=0, help="Move training images by up to so many pixels, at random."),
    click.option("--rotation", type=float, default=0.0, help="Turn them by up to so many degrees."),
    click.option(
        "--scale", type=float, default=0.0, help="Stretch or shrink each of their axes by up to this fraction."
    ),
    click.option("--elastic", type=float, default=0.0, help="Displace their pixels smoothly, by so many pixels (std)."),
    click.option("--mirror", is_flag=True, help="Mirror half of them at random, left for right; not for letters."),
    click.option("--jitter", type=float, default=0.0, help="Add noise to raw series, by this share of their spread."),
    click.option("--gain", type=float, default=0.0, help="Let their channels grow or shrink by up to this fraction."),
    click.option("--time-shift", type=float, default=0.0, help="Move them by up to so many rows."),
    click.option("--time-stretch", type=float, default=0.0, help="Run their time faster or slower by this fraction."),
    click.option("--turn", type=float, default=0.0, help="Turn x, y and z of their sensors by up to so many degrees."),
    click.option("--class-weights", is_flag=True, help="Weigh all classes alike, however many samples each has."),
    click.option(
        "--levels", type=int, default=LEVELS, help="Bits of each value of raw samples, where the board is given bits."
    ),
    click.option(
        "--averaging",
        type=float,
        default=0.0,
        help="Keep a moving average of the weights, such as 0.999; 0: the last ones.",
    ),
    click.option(
        "--statistics",
        "statistics_samples",
        type=int,
        default=4096,
        help="Training images on which batch normalisation is measured after every epoch; 0: running averages.",
    ),
    click.option("--label-smoothing", type=float, default=0.0, help="Share of the target spread over all classes."),
    click.option(
        "--distillation",
        type=float,
        default=0.0,
        help="Weight, up to 1, of a teacher's answers in the loss. The teacher, a float network, is trained first, in "
        "OUT/teacher.",
    ),
    click.option("--temperature", type=float, default=4.0, help="Of distillation: the higher, the softer the answers."),
    click.option("--teacher", help="The teacher's architecture. [default: the network's]", show_default=False),
    click.option("--teacher-epochs", type=int, default=10, help="The teacher's passes over the training images."),
    click.option(
        "--validation",
        type=int,
        default=0,
        help="Hold out so many training images: they choose the epoch that is kept, and the test images are used once. "
        "0: train on all, keep the last epoch.",
    ),
    click.option(
        "--reject",
        type=click.FloatRange(0, 1, max_open=True),
        metavar="FRACTION",
        help='Answer "unknown" where the probability is low: from the threshold on that rejects at most this fraction '
        "of the right answers to the held-out samples of --validation, such as 0.05.",
    ),
    click.option("--seed", type=int, default=0, help="The same seed gives the same network, on the same machine."),
    click.option(
        "--front-end",
        type=click.Choice(front_end_names()),
        default=DEFAULT,
        hidden=len(front_end_names()) == 1,
        help="What trains.",
    ),
    folder_option,
    click.option("--tensorboard", is_flag=True, help="Also log for TensorBoard, in OUT/tensorboard."),
    click.option(
        "--resume", is_flag=True, help="Go on from the snapshot in OUT, with the same options; --epochs may be more."
    ),
    click.option("--overwrite", is_flag=True, help="Replace the run in OUT."),
)


def training_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds every option of training but the architecture; they are read by :func:`read_training_options`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@contextmanager
def open_task(settings: RunSettings, out: Path, runs: Sequence[Path] = (), *, model: bool = True) -> Iterator[Task]:
    """Yields the task of the settings (see :meth:`RunSettings.task`), shown on the console."""
    with settings.task(out, runs, model=model, progress=ConsoleProgress(make_console()), load=load_dataset) as task:
        yield task


def check_architecture(settings: RunSettings, architecture: str, *, baseline: bool = False) -> None:
    """Refuses what cannot be trained or run, before anything is loaded; a network that fits no board gets a line."""
    network = settings.check(architecture, baseline=baseline)
    if not any(estimate(network, board).fits for board in estimated_boards()):
        print_line(
            make_console(), f"note: {architecture} fits no board that ebnn knows; ebnn info will say what it lacks"
        )


def choose_for_own(architecture: str, values: dict[str, Any], *, binary: bool = False) -> str:
    """Replaces what was not asked for by what suits data of the user's own, where it is that; says so in a line.

    Args:
        architecture: as asked for, or the default.
        values: of all options of training; changed in place.
        binary: whether the architecture that is chosen has binary weights and signs, in place of 8 bits.

    Returns:
        The architecture.
    """
    context = click.get_current_context()
    if values["recipe"] is not None or not is_own(values["dataset"]):
        return architecture
    choice = choose(datasets.info(values["dataset"], take_reading(dict(values))))
    chosen = dict(choice.values)
    if binary:
        chosen["architecture"] = with_bits(chosen["architecture"], 1, 1)
    left = {
        name: value for name, value in chosen.items() if context.get_parameter_source(name) is ParameterSource.DEFAULT
    }
    if left:
        print_line(make_console(), Choice(left, choice.reason).sentence())
    values.update(left)
    return str(values.pop("architecture", architecture))


def read_training_options(values: dict[str, Any]) -> RunSettings:
    """Takes what :func:`training_options` added from a command's parameters.

    Raises:
        TrainingError: a value is out of its range, or two contradict each other.
        MissingDependencyError: see :func:`check_training`.
    """
    check_training(values["tensorboard"], values["front_end"])
    values = dict(values)
    values["reading"] = take_reading(values)
    if values["resume"] and values["overwrite"]:
        raise TrainingError("--resume and --overwrite contradict each other: give one of them")
    return read_settings(values)
