"""One error for a name that nothing has, whatever was looked for; it names what may be meant."""

import pytest

import ebnn
from ebnn import datasets, published
from ebnn.boards import load_board
from ebnn.errors import EbnnError, UnknownNameError
from ebnn.names import similar_names, unknown_name
from ebnn.recipes import load_recipe
from ebnn.simulation.protocol_sim import find_board
from ebnn.training.architectures import read_architecture
from ebnn.training.config import TrainConfig
from ebnn.training.estimators import get_estimator

ROOMS = {
    "board": (load_board, "unno", "uno"),
    "simulated board": (find_board, "hostt", "sim://host"),
    "data set": (datasets.info, "mnst", "mnist"),
    "recipe": (load_recipe, "mnist-tinny", "mnist-tiny"),
    "file and no published network": (ebnn.load, "mnist-tinny", "mnist-tiny"),
    "published network": (published.load_published, "mnist-tinny", "mnist-tiny"),
    "architecture": (read_architecture, "conv-smal", "conv-small"),
    "estimator": (get_estimator, "hard_tan", "hard_tanh"),
    "optimizer": (lambda name: TrainConfig(optimizer=name), "adan", "adam"),
    "schedule": (lambda name: TrainConfig(schedule=name), "cosin", "cosine"),
}


@pytest.mark.parametrize("what", ROOMS)
def test_an_unknown_name_is_one_error_with_a_near_one(what):
    find, name, near = ROOMS[what]
    with pytest.raises(UnknownNameError) as caught:
        find(name)
    assert str(caught.value).startswith(f"no {what} is called {name!r}, did you mean {near}? ")
    assert len(str(caught.value).splitlines()) == 1
    assert isinstance(caught.value, EbnnError)


def test_names_that_are_far_long_or_of_other_capitals():
    assert str(unknown_name("tree", "sea", ["oak", "elm"])) == "no tree is called 'sea'; there are oak, elm"
    assert str(unknown_name("tree", "x" * 1000, [])) == f"no tree is called '{'x' * 60}…'; there are none"
    assert similar_names("OAK", ["Oak", "elm"]) == ["Oak"]
