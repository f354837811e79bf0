"""What is known of a network, as a page: its layers, what it takes on boards, its answers to data, its training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from ..compile.estimate import Estimate
from ..compile.summary import describe_network, input_text
from ..errors import MissingDependencyError
from ..figures import percent
from ..model.network import Network
from ..report import estimate_text
from ..version import __version__
from .network_tables import flash_text, names_and_rejection
from .page import Cell, Code, Grid, Page, Part, Picture, Pictures, Section, Text, grid
from .plots import history_svg
from .sample_pictures import sample_picture

if TYPE_CHECKING:
    from ..answering import Answers
    from ..datasets import Dataset
    from ..published import PublishedNetwork
    from ..training.history import History

SHOWN_WRONG = 24
"""Wrong answers that are listed, the most probable first."""
_MOST_CLASSES = 30  # of a confusion matrix; of more classes the most frequent confusions are listed
_CONFUSIONS = 30


@dataclass(frozen=True, eq=False)
class Reported:
    """What a report is made of.

    Attributes:
        name: of the network, as the user calls it.
        network: the network.
        estimates: what it takes on boards; empty where no board takes it.
        refusal: why none does.
        answers, data: to test samples of data, and the data; None without data.
        limited: whether only the first test samples were asked.
        history: of the run that trained it; None where it is not known.
        published: what is known of a published network.
        commands: that make this report again, and what it tells.
        pictures: whether there is room for them.
    """

    name: str
    network: Network
    estimates: Sequence[Estimate] = ()
    refusal: str = ""
    answers: Answers | None = None
    data: Dataset | None = None
    limited: bool = False
    history: History | None = None
    published: PublishedNetwork | None = None
    commands: tuple[str, ...] = ()
    pictures: bool = True


def report_page(reported: Reported) -> Page:
    """Returns the page; equal values give an equal page."""
    sections = [Section("The network", tuple(_network(reported))), Section("On boards", tuple(_boards(reported)))]
    if reported.answers is not None and reported.data is not None:
        parts = tuple(_accuracy(reported, reported.answers, reported.data))
        sections.append(Section(f"On {reported.data.name}", parts))
    if reported.history is not None or reported.published is not None:
        sections.append(Section("Training", tuple(_training(reported))))
    sections.append(Section("How to make it again", tuple(_again(reported))))
    return Page(reported.name, tuple(sections))


def _network(reported: Reported) -> Iterator[Part]:
    network = reported.network
    yield grid(
        "What it is",
        ("", "this network"),
        [
            ("input", input_text(network)),
            ("output", network.output_text),
            *names_and_rejection(network),
            ("flash", flash_text(network)),
            ("RAM", f"{network.arena_bytes:,} B of arena, {network.avr_arena_bytes:,} B on AVR, the input in it"),
            ("work", f"{network.macs:,} multiply-accumulates a sample"),
            ("hash", network.hash),
        ],
    )
    yield grid(
        "Layers",
        ("layer", "input", "output", "weights", "thresholds, score constants", "multiply-accumulates"),
        [
            (
                layer["name"] + (", pool" if layer["pool"] and layer["weight_kind"] else ""),
                f"{_sides(layer['input_shape'])} {layer['input_kind']}",
                f"{_sides(layer['output_shape'])} {layer['output_kind']}",
                f"{layer['weight_bytes']:,} B" + (f", {layer['weight_kind']}" if layer["weight_kind"] else ""),
                f"{layer['threshold_bytes'] + layer['score_bytes']:,} B",
                f"{layer['macs']:,}",
            )
            for layer in describe_network(network)["layers"]
        ],
        numbers=3,
    )
    if network.encoder is not None:
        meta = network.meta
        yield grid(
            "Channels of a raw sample",
            ("channel", "unit", "range of the encoder"),
            [
                (
                    meta.channel_names[k] if meta.channel_names else str(k),
                    meta.channel_units[k] if meta.channel_units else "",
                    f"{low:.4g} to {high:.4g}",
                )
                for k, (low, high) in enumerate(zip(*network.encoder.ranges, strict=True))
            ],
            numbers=1,
        )


def _boards(reported: Reported) -> Iterator[Part]:
    if reported.refusal:
        yield Text(f"No board: {reported.refusal}")
        return
    yield grid(
        "Estimates, with the serial firmware; times are for images as in training",
        ("board", "flash, B", "RAM with the stack, B", "a sample", "fits"),
        [
            (
                found.board.title,
                f"{found.flash_bytes:,} of {found.board.flash_bytes:,}",
                f"{found.ram_bytes:,} of {found.board.ram_bytes:,}",
                ("" if found.board.measured else "~") + estimate_text(found),
                Cell("yes", "right") if found.fits else Cell(f"no: {', '.join(found.lacking)}", "wrong"),
            )
            for found in reported.estimates
        ],
        numbers=4,
    )
    yield Text("~: the cost of a core's instructions is assumed from similar boards; elsewhere it was measured.")


def _accuracy(reported: Reported, answers: Answers, data: Dataset) -> Iterator[Part]:
    total, right = len(answers.labels), int(np.count_nonzero(answers.predicted == answers.labels))
    which = f"the first {total:,} of {len(data.test_labels):,}" if reported.limited else f"all {total:,}"
    yield Text(
        f"{percent(answers.accuracy)} right: {right:,} of {which} test samples, answered on this computer by the "
        "integers that a board computes."
    )
    if answers.unsure is not None:
        wrong = answers.predicted != answers.labels
        counts = [int(np.count_nonzero(one & answers.unsure)) for one in (~wrong, wrong)]
        yield Text(f"Unknown are {counts[0]:,} right and {counts[1]:,} wrong answers.")
    names = _class_names(reported.network, data)
    yield _confusion(answers, names)
    places = answers.surest_wrong(SHOWN_WRONG)
    if not len(places):
        yield Text("No answer is wrong.")
        return
    wrong_ones = [(int(i), names[answers.labels[i]], names[answers.predicted[i]]) for i in places]
    probabilities = [percent(float(answers.probabilities[i].max()), 1) for i in places]
    yield grid(
        "Wrong answers, the most probable first",
        ("test sample", "label", "answer", "probability of the answer", "of the label"),
        [
            (f"{i:,}", label, answer, sure, percent(float(answers.probabilities[i, answers.labels[i]]), 1))
            for (i, label, answer), sure in zip(wrong_ones, probabilities, strict=True)
        ],
        numbers=2,
    )

    def pictures() -> Iterator[Picture]:
        brightest = float(data.test_images.max())
        for (i, label, answer), sure in zip(wrong_ones, probabilities, strict=True):
            words = f"test sample {i:,}: {label}, taken for {answer}"
            shown = sample_picture(data.test_images[i], brightest, words, f"{label}, taken for {answer}: {sure}")
            if shown is not None:
                yield shown

    yield from _pictures(reported, pictures, "of the samples")


def _class_names(network: Network, data: Dataset) -> list[str]:
    """The network's names of its classes, else the data's, else numbers."""
    if network.meta.class_names or len(data.class_names) != network.classes:
        return [network.class_name(k) for k in range(network.classes)]
    return list(data.class_names)


def _confusion(answers: Answers, names: Sequence[str]) -> Grid:
    counts = answers.confusion
    if len(counts) > _MOST_CLASSES:
        wrong = counts - np.diag(np.diag(counts))
        order = np.argsort(-wrong, axis=None, kind="stable")[:_CONFUSIONS]
        pairs = [divmod(int(place), len(counts)) for place in order]
        return grid(
            "The most frequent confusions",
            ("label", "answer", "samples"),
            [(names[row], names[column], f"{wrong[row, column]:,}") for row, column in pairs if wrong[row, column]],
            numbers=1,
        )
    rows: list[tuple[str | Cell, ...]] = []
    for row, line in enumerate(counts):
        marks = ["none" if not count else "right" if row == column else "wrong" for column, count in enumerate(line)]
        cells = [Cell(f"{count:,}", mark) for count, mark in zip(line, marks, strict=True)]  # type: ignore[arg-type]
        total = int(line.sum())
        rows.append((names[row], *cells, percent(int(line[row]) / total, 1) if total else ""))
    return grid("Confusion: label down, answer across", ("label", *names, "right"), rows, numbers=len(names) + 1)


def _training(reported: Reported) -> Iterator[Part]:
    published, history = reported.published, reported.history
    if published is not None:
        training = published.training
        yield Text(
            f"{percent(published.accuracy)} right of the {training['test_samples']:,} test samples of "
            f"{training['dataset']} when it was published, by the epoch that the validation samples chose."
        )
    if history is not None and history.records:
        values = history.values()
        accuracies = {"validation": values["validation_accuracy"], "test": values["test_accuracy"]}
        yield grid(
            "The run",
            ("", history.name),
            [
                ("epochs", f"{values['epochs']:,}, of which {values['best_epoch']:,} is kept"),
                *(
                    (f"{name} accuracy", percent(accuracy))
                    for name, accuracy in accuracies.items()
                    if accuracy is not None
                ),
                ("loss of the last epoch", f"{values['loss']:.4f}"),
                ("time", str(timedelta(seconds=round(history.seconds)))),
            ],
        )

        def curves() -> Iterator[Picture]:
            words = "Loss, accuracy and learning rate over the epochs"
            yield Picture(history_svg([history]), "image/svg+xml", words, words)

        yield from _pictures(reported, curves, "of the epochs", wide=True)
    if published is not None:
        training = published.training
        names = ("recipe", "dataset", "architecture")
        given: dict[str, Any] = {name: training[name] for name in names} | training["config"]
        yield grid("Settings", ("setting", "value"), [(name, str(value)) for name, value in given.items()])


def _again(reported: Reported) -> Iterator[Part]:
    published = reported.published
    if published is not None:
        yield Text(
            "Training makes the same network on one machine; another may round sums of gradients in another order, and "
            "so end with another network of about the same accuracy."
        )
        yield Code(f"ebnn train --recipe {published.name} --seed {published.seed}")
    elif reported.history is not None:
        yield Text("The folder of a run does not tell the options it was trained with: keep the command beside it.")
    yield Text(f"This report, by ebnn {__version__}:")
    yield Code("\n".join(reported.commands))


def _pictures(
    reported: Reported, drawn: Callable[[], Iterator[Picture]], what: str, wide: bool = False
) -> Iterator[Part]:
    """The pictures, or a line that says why they are missing."""
    if not reported.pictures:
        return
    try:
        pictures = tuple(drawn())
    except MissingDependencyError as error:
        yield Text(f"Without pictures {what}: {error}.")
        return
    if pictures:
        yield Pictures(pictures, wide)


def _sides(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))
