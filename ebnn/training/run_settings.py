"""All that a training run is told: the data set, what the board is given, the front end, how to train."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from .. import datasets
from ..compile.header import header_text
from ..datasets import Dataset, Reading
from ..datasets.dataset import RAW
from ..datasets.own import find_own
from ..errors import TrainingError
from ..model.kinds import InputKind
from ..model.network import Network
from ..names import similar_names, unknown_name
from ..recipes import load_recipe
from .choosing import raw_kind
from .config import TrainConfig
from .encoder_fitting import LEVELS, Fitted, fit_encoder
from .front_ends import DEFAULT, FrontEnd, find_front_end
from .lock import only_run
from .progress import Progress
from .results import SNAPSHOT_NAME
from .run_folders import (
    KEPT_FILES,
    MODEL_NAME,
    TEACHER_FOLDER,
    check_runs,
    check_strangers,
    delete_run,
    has_snapshot,
)
from .task import Task, Teacher

DIGITS_EPOCHS = 40  # where none are asked for
EPOCHS = 12  # a quarter of an hour at most on two cores


@dataclass(frozen=True)
class RunSettings:
    """What a run, or several that differ in their architecture, are told.

    Attributes:
        recipe: name of the recipe the others come from, where one was given.
        dataset: name of the data set, or a file of the user's own.
        input_kind: what the board is given; None for the data set's own.
        teacher: the teacher's architecture; None for the network's.
        teacher_epochs: its passes over the training images.
        folder: where the data lie; None for where :func:`ebnn.datasets.load` finds them.
        resume, overwrite: what to do with a run that is there already.
        front_end: name of the front end that trains.
        reading: how data of the user's own are read.
        levels: bits of each raw value, where the board is given bits of raw samples.
        reject: of the right answers on the validation set, the largest fraction that a rejection threshold may make
            "unknown"; None for no threshold.
        config: everything else.
    """

    recipe: str | None = None
    dataset: str = "digits"
    input_kind: InputKind | None = None
    teacher: str | None = None
    teacher_epochs: int = 10
    folder: Path | None = None
    resume: bool = False
    overwrite: bool = False
    front_end: str = DEFAULT
    reading: Reading = field(default_factory=Reading)
    levels: int = LEVELS
    reject: float | None = None
    config: TrainConfig = field(default_factory=TrainConfig)

    @property
    def name(self) -> str:
        """Of a folder for the run."""
        return self.recipe or Path(self.dataset).stem or Path(self.dataset).resolve().stem

    @property
    def trainer(self) -> FrontEnd:
        """The front end. Raises UnknownNameError where there is none of that name."""
        return find_front_end(self.front_end)

    @property
    def kind(self) -> InputKind:
        """What the board is given."""
        if self.input_kind is not None:
            return self.input_kind
        about = datasets.info(self.dataset, self.reading)
        return raw_kind(about.shape) if about.kind == RAW else about.kind

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of a sample as the board is given it, (channels, height, width)."""
        about = datasets.info(self.dataset, self.reading)
        channels, height, width = about.shape
        return channels * (self.levels if about.kind == RAW and self.kind == "bits" else 1), height, width

    def task_of(self, data: Dataset, out: Path, progress: Progress) -> tuple[Task, Fitted | None]:
        """Returns the task of training on a data set in a folder, and its encoder, fitted to the training part.

        Raises:
            TrainingError: the data cannot be encoded.
        """
        kind = self.kind
        fitted = fit_encoder(data.train_images, kind, self.levels) if data.kind == RAW and kind != "float" else None
        encoder = None if fitted is None else fitted.encoder
        own = find_own(self.dataset) if self.dataset not in datasets.names() else None
        return Task(
            data,
            kind,
            out,
            self.resume,
            progress,
            front_end=self.front_end,
            encoder=encoder,
            reject=self.reject,
            source=self.dataset if own is None else str(own.absolute()),
            reading=self.reading,
        ), fitted

    @contextmanager
    def task(
        self,
        out: Path,
        runs: Sequence[Path] = (),
        *,
        model: bool = True,
        progress: Progress | None = None,
        load: Callable[[str, Path | None, Reading], Dataset] | None = None,
    ) -> Iterator[Task]:
        """Loads the data for a run in ``out``, or for several in the folders ``runs``, and holds these folders.

        A run that is there already must be one to resume or to replace; what is to be replaced is deleted, once the
        data are there and no other run holds one of the folders. Of several runs to resume, one that was begun is
        enough.

        Args:
            out: folder of the run, or above those of several.
            runs: their folders.
            model: whether the network is to be written to the folder too.
            progress: who is told how it goes; by default nobody.
            load: what loads a data set by its name, from a folder or where it is found, read in some way; by default
                :func:`ebnn.datasets.load`.

        Raises:
            TrainingError: a run is there that is neither, there is none to resume, or one is under way.
            WriteError: a file is there that a run would replace, and that is of no run.
        """
        progress = progress or Progress()
        folders = list(runs or [out])
        check_runs(out, folders, self.resume, self.overwrite)
        if not self.overwrite:
            for run in folders:
                check_strangers(run, (*KEPT_FILES, MODEL_NAME) if model else KEPT_FILES)
                check_strangers(run / TEACHER_FOLDER, KEPT_FILES)
        if load is not None:
            data = load(self.dataset, self.folder, self.reading)
        else:
            data = datasets.load(self.dataset, folder=self.folder, reading=self.reading)
        with ExitStack() as held:
            for run in folders:
                held.enter_context(only_run(run))
            check_runs(out, folders, self.resume, self.overwrite)
            if self.overwrite:
                for run in folders:
                    delete_run(run)
            if self.resume and not any(map(has_snapshot, folders)):
                progress.say(f"{out} has no {SNAPSHOT_NAME} yet: the run begins anew")
            task, fitted = self.task_of(data, out, progress)
            if fitted is not None:
                progress.say(fitted.sentence())
            yield task

    def check(self, architecture: str, *, baseline: bool = False) -> Network:
        """Builds and lowers the untrained network, and builds its teacher, before any data are loaded or folders made.

        Returns the untrained network, which takes as much of a board as the trained one. ``baseline`` says that a float
        network of the architecture is trained too.

        Raises:
            TrainingError: an architecture cannot be read, or does not fit the images.
            LoweringError, NetworkError: the network could not be run.
        """
        data, shape = datasets.info(self.dataset, self.reading), self.shape
        model = self.trainer.build(architecture, shape, data.classes, self.kind, seed=0)
        network = self.trainer.lower(model, shape, self.kind)
        header_text(network, name="network")
        if self.config.optimizer == "bop" and not any(layer.binary for layer in network.layers):
            raise TrainingError("optimizer bop flips binary weights, and the network has none: use adam")
        if self.config.distillation:
            self.trainer.build_float(self.teacher or architecture, shape, data.classes, self.kind, seed=0)
        if baseline:
            self.trainer.build_float(architecture, shape, data.classes, self.kind, seed=0)
        return network

    def teacher_for(self, architecture: str) -> Teacher | None:
        """Returns the teacher of a network of that architecture, where the settings ask for one."""
        return Teacher(self.teacher or architecture, self.teacher_epochs) if self.config.distillation else None


def read_settings(values: Mapping[str, Any]) -> RunSettings:
    """Returns the settings that plain values stand for, by the names of ``ebnn train``'s options with ``_`` for ``-``.

    What is not among them is as ``ebnn train`` has it.

    Raises:
        UnknownNameError: there is no such setting.
        TrainingError: a value is out of its range.
    """
    given = {"learning_rate": 0.01, "estimator": "hard_tanh", **values}
    given.pop("architecture", None)
    known = {each.name for kind in (RunSettings, TrainConfig) for each in fields(kind)} - {"config"}
    for name in given:
        if name not in known:
            near = similar_names(name, sorted(known))
            raise unknown_name("setting", name, ["the options of ebnn train --help"], near=near)
    own = {each.name: given.pop(each.name) for each in fields(RunSettings) if each.name in given}
    if given.get("epochs") is None:
        given["epochs"] = DIGITS_EPOCHS if own.get("dataset", RunSettings.dataset) == "digits" else EPOCHS
    return RunSettings(config=TrainConfig(**given), **own)


def recipe_settings(name: str, **more: Any) -> tuple[str, RunSettings]:
    """Returns the architecture and the settings of ``ebnn train --recipe``; ``more`` are settings given beside it.

    Raises:
        UnknownNameError: there is no such recipe.
        TrainingError: see :func:`read_settings`.
    """
    values = {**load_recipe(name).options, **more, "recipe": name}
    return values.pop("architecture", "conv"), read_settings(values)
