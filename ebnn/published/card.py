"""The model card of a published network: README.md in its folder."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..boards import load_board
from ..compile.estimate import Estimate, estimate
from ..compile.summary import describe_network
from ..figures import percent
from ..model.network import Network
from ..recipes import load_recipe
from ..report import estimate_text
from .published_network import PublishedNetwork, deviation
from .sources import SOURCES, DataSource

BOARDS = ("uno", "genuino101")
"""Whose estimates are shown."""


def estimates(network: Network) -> tuple[Estimate, ...]:
    """What the network takes on each of `BOARDS`, with the serial firmware."""
    return tuple(estimate(network, load_board(name)) for name in BOARDS)


def sample_time(found: Estimate) -> str:
    """The time for a sample, as people read it; "-" where the network does not fit."""
    return estimate_text(found) if found.fits else "-"


def card_text(published: PublishedNetwork) -> str:
    """Returns the model card, Markdown, of what is known of a network; equal values give equal text."""
    source = SOURCES[published.training["dataset"]]
    parts = (
        _opening(published, source),
        _input(published, source),
        _size(published),
        _accuracy(published),
        _boards(published),
        _training(published, source),
        _limits(source),
    )
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _opening(published: PublishedNetwork, source: DataSource) -> Iterator[str]:
    name, network, training = published.name, published.network, published.training
    yield f"# {name}"
    yield ""
    yield (
        f"Reads {source.reads}: {load_recipe(name).summary}. {_bits(network)} It is right "
        f"about {percent(published.accuracy)} of the {training['test_samples']:,} test images of {source.title}, and "
        f"takes {published.data_bytes:,} B of weights, thresholds and score constants."
    )
    yield ""
    yield "```python"
    yield "import ebnn"
    yield ""
    yield f'net = ebnn.load("{name}")'
    shape = ", ".join(map(str, network.input.shape))
    yield f"net.predict(images)  # images (n, {shape}), returns (n,) classes"
    yield "```"
    yield ""
    yield "```"
    yield "# the test images through a simulated board"
    yield f"ebnn run {name} --dataset {training['dataset']}"
    yield "# the network as a C header"
    yield f"ebnn export {name} -o network.h"
    yield "```"
    yield ""
    yield "This file is generated: `tools/publish.py`."


def _bits(network: Network) -> str:
    """How many bits weights and activations have, where all weights are single bits."""
    bits = {layer["output_kind"] == "bits" for layer in describe_network(network)["layers"][:-1]}
    if bits == {True}:
        return "Weights and activations are single bits."
    return f"Weights are single bits, {'some' if True in bits else 'all'} activations bytes."


def _input(published: PublishedNetwork, source: DataSource) -> Iterator[str]:
    network = published.network
    yield "## Input and output"
    yield ""
    yield f"- Image: {source.image}."
    yield (
        f"- Input: {network.input.kind}, {network.input.shape}, {network.input.bytes:,} B a sample; "
        f"{network.input.values.pixel}."
    )
    yield f"- Output: {network.classes} classes ({source.classes}), and an integer score for each; the largest wins."


def _size(published: PublishedNetwork) -> Iterator[str]:
    network = published.network
    described = describe_network(network)
    yield "## Size"
    yield ""
    yield from _table(
        ("layer", "input", "output", "weights", "thresholds, score constants", "MACs"),
        (
            (
                layer["name"] + (", pool" if layer["pool"] else ""),
                f"{_sides(layer['input_shape'])} {layer['input_kind']}",
                _sides(layer["output_shape"])
                + (" scores" if layer["name"] == "output" else f" {layer['output_kind']}"),
                f"{layer['weight_bytes']:,} B",
                f"{layer['threshold_bytes'] + layer['score_bytes']:,} B",
                f"{layer['macs']:,}",
            )
            for layer in described["layers"]
        ),
        numbers=3,
    )
    yield ""
    yield (
        f"- Flash: {published.data_bytes:,} B: weights {network.weight_bytes:,}, thresholds "
        f"{network.threshold_bytes:,}, score constants {network.score_bytes:,}."
    )
    yield f"- RAM: {network.arena_bytes:,} B of arena, {network.avr_arena_bytes:,} B on AVR, the input in it."
    yield f"- Work: {network.macs:,} multiply-accumulates a sample."
    yield f"- Hash: `{network.hash}`."


def _accuracy(published: PublishedNetwork) -> Iterator[str]:
    with_float = bool(published.float_accuracies)
    yield "## Accuracy"
    yield ""
    yield (
        f"On the {published.training['test_samples']:,} test images. The validation accuracy chose the epoch of each "
        "seed, and the published seed."
    )
    yield ""
    rows = []
    for one in published.seeds:
        chosen = " (published)" if one.seed == published.seed else ""
        row = [f"{one.seed}{chosen}", percent(one.accuracy), percent(one.validation_accuracy), str(one.epoch)]
        if with_float:
            row.append("" if one.float_accuracy is None else percent(one.float_accuracy))
        rows.append(row)
    headers = ["seed", "test accuracy", "validation accuracy", "epoch"] + ["float baseline, test"] * with_float
    yield from _table(headers, rows, numbers=len(headers) - 1)
    yield ""
    yield f"- Over the seeds: {_spread(published.accuracies)}."
    if with_float:
        yield f"- Float baseline, the same shape with float weights and ReLU: {_spread(published.float_accuracies)}."


def _boards(published: PublishedNetwork) -> Iterator[str]:
    yield "## On boards"
    yield ""
    yield f"Estimates of `ebnn info {published.name}`, with the serial firmware:"
    yield ""
    yield from _table(
        ("board", "flash", "RAM with the stack", "a sample"),
        (
            (
                found.board.title,
                f"{found.flash_bytes:,} of {found.board.flash_bytes:,} B",
                f"{found.ram_bytes:,} of {found.board.ram_bytes:,} B",
                sample_time(found) if found.fits else f"does not fit: {', '.join(found.lacking)}",
            )
            for found in estimates(published.network)
        ),
        numbers=3,
    )


def _training(published: PublishedNetwork, source: DataSource) -> Iterator[str]:
    name, training, config = published.name, published.training, published.training["config"]
    yield "## Training"
    yield ""
    yield (
        f"Recipe `{training['recipe']}`: architecture `{training['architecture']}`, {config['epochs']} epochs, "
        f"{config['validation']:,} training images held out to choose the epoch, {training['epoch']} here. It took "
        f"{training['train_seconds'] / 60:.0f} minutes. `train.json` has every setting, `log.jsonl` every epoch, "
        "`seeds.json` every seed."
    )
    yield ""
    yield "```"
    yield f"ebnn train --recipe {name} --seed {published.seed}"
    yield "```"
    yield ""
    yield (
        "makes it again, and the same to the last bit on one machine; another may round sums of gradients in another "
        "order, and so end with another network of about the same accuracy."
    )
    yield ""
    yield f"- Data: {source.title}. {source.origin}."
    yield f"- Licence of the data: {source.licence}."
    yield "- Licence of the network: ebnn's."


def _limits(source: DataSource) -> Iterator[str]:
    yield "## Not good for"
    yield ""
    for phrase in source.unfit:
        yield f"- {phrase}."


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]], numbers: int) -> Iterator[str]:
    """A Markdown table; its last ``numbers`` columns stand to the right."""
    words = len(headers) - numbers
    rules = ["---"] * words + ["--:"] * numbers
    for row in (headers, rules, *rows):
        yield f"| {' | '.join(row)} |"


def _spread(values: tuple[float, ...]) -> str:
    if len(values) == 1:
        return f"{percent(values[0])}, one seed"
    return (
        f"mean {percent(statistics.fmean(values))}, standard deviation {percent(deviation(values) or 0.0)}, from "
        f"{percent(min(values))} to {percent(max(values))}, {len(values)} seeds"
    )


def _sides(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))


def card_values(one: PublishedNetwork) -> dict[str, Any]:
    """Returns what is known of a published network as plain JSON values."""
    floats = one.float_accuracies
    return {
        "name": one.name,
        "summary": load_recipe(one.name).summary,
        "recipe": one.training["recipe"],
        "dataset": one.training["dataset"],
        "architecture": one.training["architecture"],
        "seed": one.seed,
        "accuracy": one.accuracy,
        "mean_accuracy": statistics.fmean(one.accuracies),
        "accuracy_deviation": deviation(one.accuracies),
        "mean_float_accuracy": statistics.fmean(floats) if floats else None,
        "seeds": [seed.values() for seed in one.seeds],
        "data_bytes": one.data_bytes,
        **describe_network(one.network),
        "estimates": [found.values() for found in estimates(one.network)],
    }
