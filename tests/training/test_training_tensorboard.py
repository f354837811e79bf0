"""The event files of a run, read back record by record."""

import json
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from tensorboardX.proto.event_pb2 import Event
from test_training_run import CONFIG, Killed, network, run, stop_at

from ebnn.errors import TrainingError
from ebnn.training.records import LOG_NAME


def read_events(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Steps and values by tag. A record is its length, that one's CRC, an Event, and its CRC, little-endian."""
    found: dict[str, list[tuple[int, float]]] = {}
    for path in sorted((folder / "tensorboard").iterdir()):
        content = path.read_bytes()
        while content:
            (length,) = struct.unpack_from("<Q", content)
            event = Event.FromString(content[12 : 12 + length])
            content = content[12 + length + 4 :]
            for value in event.summary.value:
                found.setdefault(value.tag, []).append((event.step, value.simple_value))
    return found


def logged(folder: Path, field: str) -> list[tuple[int, float]]:
    lines = [json.loads(line) for line in (folder / LOG_NAME).read_text().splitlines()]
    return [(line["epoch"], pytest.approx(line[field], rel=1e-6)) for line in lines]


FIELDS = {
    "loss/train": "loss",
    "accuracy/train": "train_accuracy",
    "learning_rate": "learning_rate",
    "sign_flips": "flips",
}


@pytest.mark.parametrize("name", ["test", "validation"])
def test_events_are_the_log(tmp_path, name):
    run(network(), tmp_path, replace(CONFIG, tensorboard=True, validation=20 if name == "validation" else 0))
    events = read_events(tmp_path)
    fields = FIELDS | {f"loss/{name}": f"{name}_loss", f"accuracy/{name}": f"{name}_accuracy"}
    assert events.keys() == fields.keys()
    for tag, field in fields.items():
        assert events[tag] == logged(tmp_path, field)
        assert len(events[tag]) == 4


def test_a_resumed_run_repeats_no_epoch(tmp_path):
    config = replace(CONFIG, tensorboard=True)
    killed = network()
    stop_at(killed, 6 + 6 + 3, Killed)
    with pytest.raises(Killed):
        run(killed, tmp_path, config)
    assert [epoch for epoch, _ in read_events(tmp_path)["loss/train"]] == [1, 2]
    run(network(), tmp_path, config, resume=True)
    assert read_events(tmp_path)["loss/train"] == logged(tmp_path, "loss")


def test_it_can_be_asked_for_when_a_run_is_resumed(tmp_path):
    run(network(), tmp_path, CONFIG)
    assert not (tmp_path / "tensorboard").exists()
    run(network(), tmp_path, replace(CONFIG, tensorboard=True), resume=True)
    assert read_events(tmp_path)["loss/test"] == logged(tmp_path, "test_loss")


def test_other_files_in_the_folder_stay(tmp_path):
    (tmp_path / "tensorboard").mkdir()
    (tmp_path / "tensorboard" / "notes.txt").write_text("")
    (tmp_path / "tensorboard" / "events.out.tfevents.1.old").write_text("of another run")
    run(network(), tmp_path, replace(CONFIG, epochs=1, tensorboard=True))
    names = [path.name for path in (tmp_path / "tensorboard").iterdir()]
    assert len(names) == 2
    assert "notes.txt" in names
    assert "events.out.tfevents.1.old" not in names


def test_a_folder_that_cannot_be_is_named(tmp_path):
    (tmp_path / "tensorboard").write_text("")
    with pytest.raises(
        TrainingError, match=r"tensorboard cannot be written: File exists \(or leave --tensorboard out\)"
    ):
        run(network(), tmp_path, replace(CONFIG, tensorboard=True))
