"""From data to a trained network in one call."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from .. import datasets
from ..datasets import Dataset
from ..datasets.dataset import RAW
from ..errors import DatasetError, TrainingError
from ..model.network import Network
from ..recipes import load_recipe
from .choosing import choose, raw_kind
from .progress import Progress
from .run_settings import read_settings
from .task import train_network

_IDLE = {
    "dataset": 'the data come first, as in fit("digits")',
    "resume": "it begins anew; ebnn train --resume goes on with a run",
    "overwrite": "it always replaces the run that is in out",
}
_IDLE_BESIDE_ARRAYS = dict.fromkeys(("folder", "reading"), "the data are a Dataset, which is read already")
"""Settings that have no effect, and why."""


def fit(
    data: Dataset | str | os.PathLike[str] | ArrayLike,
    labels: ArrayLike | None = None,
    *,
    out: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> Network:
    """Trains a network on the training part of data and returns it.

    What is not asked for suits the data's shape and size, see :func:`ebnn.training.choosing.choose`. Of raw samples the
    network has an encoder: :meth:`Network.predict_raw` takes them as they are.

    Args:
        data: a data set, as of :meth:`ebnn.datasets.Dataset.from_arrays`; or a name or a path of one, as
            :func:`ebnn.datasets.load` takes it; or samples as arrays, with their labels.
        labels: of samples; both as :meth:`ebnn.datasets.Dataset.from_arrays` takes them.
        out: folder for the run's log, snapshot and ``model.ebnn``; a run that is there is replaced. None keeps none.
        progress: who is told how it goes; by default nobody.
        settings: by the names of ``ebnn train``'s options with ``_`` for ``-``, such as ``epochs=40``,
            ``architecture="d32"`` or ``recipe="mnist-tiny"``; how a path is read is ``reading=Reading(window=…)``.

    Raises:
        DatasetError: the data cannot be read, or have no labels.
        TrainingError: a setting is out of its range or has no effect here, or the network cannot be trained.
        UnknownNameError: there is no such data set or setting.
        WriteError: a file cannot be written.
    """
    if not isinstance(data, Dataset | str | os.PathLike):
        if labels is None:
            raise DatasetError("samples without labels train nothing: give both, as in fit(x, y)")
        data, labels = Dataset.from_arrays(data, labels), None
    if labels is not None:
        raise DatasetError("a data set has labels of its own: leave labels out, or give samples as arrays")
    for name, why in (_IDLE | _IDLE_BESIDE_ARRAYS if isinstance(data, Dataset) else _IDLE).items():
        if name in settings:
            raise TrainingError(f"{name} has no effect in fit: {why}; leave {name} out")
    if not isinstance(data, Dataset):
        given = {name: settings[name] for name in ("folder", "reading") if name in settings}
        data = datasets.load(os.fspath(data), **given)
    about = datasets.info_of(data)
    recipe = settings.get("recipe")
    values = {**(choose(about).values if recipe is None else load_recipe(recipe).options), **settings}
    architecture = str(values.pop("architecture", "conv"))
    kind = values.pop("input_kind", None) or (raw_kind(about.shape) if about.kind == RAW else about.kind)
    run = read_settings({**values, "dataset": data.name, "input_kind": kind, "overwrite": True})
    with tempfile.TemporaryDirectory(prefix="ebnn-fit-") as scratch:
        folder = Path(scratch) / "run" if out is None else Path(out)
        with run.task(folder, progress=progress, load=lambda *_: data) as task:
            return train_network(task, architecture, run.config, run.teacher_for(architecture)).network
