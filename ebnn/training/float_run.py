"""The record of a float run: what is needed to build its network again."""

from __future__ import annotations

import json
import operator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..atomic import write_atomically
from ..datasets.read_options import Reading, Span
from ..errors import TrainingError, WriteError
from ..model.kinds import InputKind
from .encoder_fitting import LEVELS
from .run_folders import FLOAT_NAME

_MAX_RECORD = 65_536  # bytes


@dataclass(frozen=True)
class FloatRun:
    """What a float network was trained as.

    Attributes:
        architecture: of :func:`ebnn.training.architectures.read_architecture`.
        kind: what it takes.
        dataset: name or path of the data it was trained on.
        front_end: name of the front end that trained it.
        levels: bits of each raw value, where it takes bits of raw samples.
        reading: how the data were read, where they are the user's own.
    """

    architecture: str
    kind: InputKind
    dataset: str
    front_end: str
    levels: int = LEVELS
    reading: Reading = field(default_factory=Reading)

    def write(self, run: Path) -> None:
        """Writes the record of a run to its folder, which is made where missing. Raises WriteError."""
        try:
            run.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WriteError(f"{run} cannot be made: {error.strerror}") from None
        write_atomically(run / FLOAT_NAME, (json.dumps(asdict(self), indent=2) + "\n").encode())

    @classmethod
    def read(cls, run: Path) -> FloatRun:
        """Returns the record in a run's folder. Raises TrainingError where there is none, or it is damaged."""
        path = run / FLOAT_NAME
        try:
            with path.open("rb") as file:
                values = json.loads(file.read(_MAX_RECORD))
            texts = {name: values[name] for name in ("architecture", "kind", "dataset", "front_end")}
            found = cls(**texts, levels=operator.index(values["levels"]), reading=_reading(values.get("reading", {})))
            if not all(isinstance(text, str) for text in texts.values()):
                raise TypeError
        except FileNotFoundError:
            raise TrainingError(
                f"{run} has no {FLOAT_NAME}: name the folder of a float run, the --out of ebnn train --float"
            ) from None
        except NotADirectoryError:
            raise TrainingError(
                f"{run} is no folder: RUN is the folder of a float run, the --out of ebnn train --float"
            ) from None
        except OSError as error:
            raise TrainingError(f"{path} cannot be read ({error.strerror})") from None
        except (ValueError, TypeError, KeyError, AttributeError):
            raise TrainingError(f"{path} is damaged: train the float network again") from None
        return found


def _reading(values: dict[str, Any]) -> Reading:
    """A reading from what JSON made of it."""
    spans = {name: Span(**values[name]) for name in ("recording", "window", "step") if values.get(name)}
    lists = {name: tuple(values[name]) for name in ("size", "unknown", "classes") if values.get(name)}
    return Reading(**{**values, **spans, **lists, **{name: lists.get(name, ()) for name in ("unknown", "classes")}})
