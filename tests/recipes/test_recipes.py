"""Recipes: complete, readable, and within the limits that their boards set."""

import pytest

from ebnn import lower
from ebnn.cli.train import train
from ebnn.datasets import info
from ebnn.errors import UnknownNameError
from ebnn.recipes import load_recipe, recipe_names
from ebnn.training import TrainConfig, build_network

NOT_SETTINGS = {"dataset", "architecture", "input_kind", "teacher", "teacher_epochs"}
DATA_LIMITS = {
    **{"mnist-tiny": 4096, "mnist-bits": 4096, "mnist-uno": 16_384, "mnist-101": 12_288, "mnist-mlp": 262_144},
    "mnist-int8": 5120,
    "fashion-101": 10_240,
    "mnist-binaryconnect": 1_400_000,
    "cifar10-binaryconnect": 1_900_000,
    "cifar10-shallow": 400_000,
    "cifar10-alexnet": 2048,
}
"""Bytes of weights, thresholds and score constants."""
ARENA_LIMITS = {
    "mnist-101": 3072,
    "mnist-int8": 3072,
    "fashion-101": 4224,
    "mnist-binaryconnect": 20_480,
    "cifar10-binaryconnect": 400_000,
    "cifar10-shallow": 100_000,
    "cifar10-alexnet": 4096,
}
UNO_ARENA = 1_368  # bytes that an ATmega328P has beside the serial firmware and ten scores


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_names_options_of_train_and_all_that_decide(name):
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe.summary
    parameters = {parameter.name for parameter in train.params}
    assert recipe.options.keys() <= parameters - {"recipe", "resume", "overwrite", "out", "output"}
    assert recipe.options.keys() >= {"dataset", "architecture", "epochs", "validation", "seed"}
    TrainConfig(**{key: value for key, value in recipe.options.items() if key not in NOT_SETTINGS})


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_makes_a_network_that_fits(name):
    options = load_recipe(name).options
    data = info(options["dataset"])
    kind = options.get("input_kind", data.kind)
    network = lower(build_network(options["architecture"], data.shape, data.classes, kind), data.shape, kind)
    assert network.weight_bytes + network.threshold_bytes + network.score_bytes <= DATA_LIMITS[name]
    assert network.avr_arena_bytes <= ARENA_LIMITS.get(name, UNO_ARENA)


def test_a_recipe_that_is_not_there():
    with pytest.raises(UnknownNameError, match="no recipe is called 'mnist-umo', did you mean mnist-uno"):
        load_recipe("mnist-umo")
    with pytest.raises(UnknownNameError, match=r"no recipe is called 'x'; there are .*mnist-uno"):
        load_recipe("x")
