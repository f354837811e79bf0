"""What a run is told: the library's settings and those of the commands are the same."""

import pytest

from ebnn import datasets
from ebnn.cli.train import train
from ebnn.cli.training_options import read_training_options
from ebnn.errors import TrainingError, UnknownNameError
from ebnn.recipes import recipe_names
from ebnn.training import RunSettings, read_settings, recipe_settings, train_network

TRAIN_ONLY = {"architecture", "out", "output", "float_baseline", "folds", "json_file"}


def told(*words: str) -> tuple[str, RunSettings]:
    """The architecture and the settings of ``ebnn train`` with these words."""
    values = train.make_context("train", list(words)).params
    return values["architecture"], read_training_options({k: v for k, v in values.items() if k not in TRAIN_ONLY})


def test_the_defaults_are_those_of_the_command():
    for dataset in ("digits", "mnist"):
        assert read_settings({"dataset": dataset}) == told("--dataset", dataset)[1]


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_is_one_thing_for_both(name):
    assert recipe_settings(name) == told("--recipe", name)
    assert recipe_settings(name, seed=3)[1] == told("--recipe", name, "--seed", "3")[1]


def test_bad_settings_are_told():
    with pytest.raises(UnknownNameError, match="no setting is called 'epoch', did you mean epochs"):
        read_settings({"epoch": 3})
    with pytest.raises(TrainingError, match="epochs is 0"):
        read_settings({"epochs": 0})
    with pytest.raises(TrainingError):
        RunSettings().check("c4k99")


def test_from_a_data_set_to_a_network(tmp_path):
    """The run that is there is not lost, and its folder is held while it is trained."""
    settings = read_settings({"epochs": 1, "batch_size": 500})
    assert settings.check("d4").classes == 10
    with settings.task(tmp_path) as task:
        trained = train_network(task, "d4", settings.config)
        with pytest.raises(TrainingError), settings.task(tmp_path):
            pass
    assert trained.test_samples == len(datasets.load("digits").test_labels)
    with pytest.raises(TrainingError, match="holds a run"), settings.task(tmp_path):
        pass
