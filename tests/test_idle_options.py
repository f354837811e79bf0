"""An option that has no effect beside the others is refused by every command, in one line that says what it needs."""

import sys
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from ebnn.cli import main
from ebnn.cli.datasets import fetch
from ebnn.errors import InputError
from ebnn.recipes import Recipe

ALWAYS = {
    "bench": {"json_file", "path", "seconds", "threads"},
    "boards": {"json_file"},
    "compare": {"architecture", "out", "output"},
    "data": {"classes", "fraction", "json_file"},
    "datasets": {"folder", "json_file"},
    "demo": {"json_file", "out", "seed"},
    "evolve": {
        *("bias", "classes", "crossover", "dataset", "elite", "fitness", "fraction", "generations", "json_file"),
        *("mutation", "out", "output", "overwrite", "population", "resume", "seed", "threads", "validation"),
    },
    "export": {"file_format", "output"},
    "fetch": {"json_file"},
    "flash": {"baud", "board", "folder", "json_file", "port", "updatable"},
    "history": {"json_file", "output"},
    "import": {
        *("architecture", "binary_weights", "importer", "input_kind", "mean", "nearest", "output", "shape", "std"),
    },
    "info": {"json_file"},
    "init": {"board", "model", "sketch"},
    "live": {"count", "json_file", "port", "rate", "seconds", "smooth", "wait"},
    "networks": {"json_file"},
    "platformio-offline": {"platforms"},
    "predict": {"invert", "json_file", "port", "top"},
    "push": {"forget", "json_file", "key_file", "port"},
    "profile": {"classes", "dataset", "json_file", "port", "samples"},
    "quantize": {"dataset", "json_file", "output", "samples", "seed"},
    "record": {"count", "json_file", "label", "out", "port", "rate", "seconds", "start", "wait"},
    "report": {"dataset", "output", "run_folder"},
    "run": {"classes", "dataset", "json_file", "limit", "port", "top"},
    "simulate": {"bootloader", "link", "model", "program"},
    "sweep": {"board_list", "out", "plot"},
    "train": {"architecture", "float_baseline", "folds", "out", "output"},
}
"""Options that have an effect whatever the others say, or are refused by the command itself."""

IMAGE = str(Path(__file__).parent / "images/dense.img")
TRAINING = {
    *(
        "averaging",
        "batch_size",
        "dataset",
        "elastic",
        "epochs",
        "mirror",
        "front_end",
        "input_kind",
        "json_file",
        "learning_rate",
        "overwrite",
    ),
    *("recipe", "resume", "rotation", "scale", "schedule", "seed", "shift", "statistics_samples", "tensorboard"),
    *("validation", "warmup", "class_weights", "classes", "fraction", "init"),
}
"""Those of every command that trains."""
ALL_COMMANDS = {**{name: main.get_command(click.Context(main), name) for name in main.lazy}, "fetch": fetch}


def rules(command):
    return getattr(command.callback, "idle_rules", ())


@pytest.mark.parametrize("name", ALL_COMMANDS)
def test_it_is_known_of_every_option_when_it_has_an_effect(name):
    """A new option needs a line here, or a rule."""
    command = ALL_COMMANDS[name]
    options = {parameter.name for parameter in command.params if isinstance(parameter, click.Option)}
    ruled = {option for rule in rules(command) for option in rule.options}
    always = ALWAYS[name] | (TRAINING if name in ("train", "compare", "sweep") else set())
    if name == "compare":
        always = always | {"dropout"}
    if name in ("compare", "sweep"):
        always = always | {"estimator", "stochastic", "optimizer", "distillation"}
    assert not ruled & always
    assert options == ruled | always


TRAIN = ["train", "--out", "run"]
SIMULATE = ["simulate", "uno", "--bootloader"]
CASES = [
    ([*TRAIN, "--folder", "my-pictures"], "--folder has no effect here: it needs a --dataset that is read from files"),
    ([*TRAIN, "--dataset", "digits", "--folder", "."], r"files \(mnist, binary-mnist, bits-mnist, noisy-mnist, "),
    *(
        ([*words, *option.split()], f"{option.split()[0]} has no effect here: it needs data of your own")
        for words in (
            *(TRAIN, ["run", "mnist-tiny", "--dataset", "mnist"], ["profile", "mnist-tiny"], ["data", "mnist"]),
            ["evolve"],
            ["report", "mnist-tiny", "-o", "r.html"],
        )
        for option in (
            *("--label species", "--recording 119", "--window 1s", "--step 50", "--size 32", "--colour"),
            "--unknown noise",
        )
    ),
    *(
        ([*TRAIN, option, "3"], f"{option} has no effect here: it needs raw samples, such as recordings of your own")
        for option in ("--jitter", "--gain", "--time-shift", "--time-stretch", "--turn", "--levels")
    ),
    ([*TRAIN, "--fraction-seed", "3"], "--fraction-seed has no effect here: it needs a sample to choose, as in --frac"),
    *(
        (["export", "mnist-bits", "--format", "model.def", *option.split()], "has no effect here: it needs --format c")
        for option in ("--name n", "--target boards", "--board uno")
    ),
    *(
        ([*words, "--fraction-seed", "3"], "--fraction-seed has no effect here")
        for words in (["data", "digits"], ["evolve"])
    ),
    (["evolve", "--levels", "3"], "--levels has no effect here: it needs raw samples, such as recordings of your own"),
    (["evolve", "--folder", "."], "--folder has no effect here: it needs a --dataset that is read from files"),
    (["evolve", "mnist-tiny", "--architecture", "d8"], "--architecture has no effect here: it needs no MODEL"),
    (["evolve", "mnist-tiny", "--input", "bits"], "--input has no effect here: it needs no MODEL"),
    *(
        (["info", IMAGE, *option.split()], f"{option.split()[0]} has no effect here: it needs an .ebnn file as MODEL")
        for option in ("--board uno", "--arithmetic float", "--optimize size")
    ),
    *(
        (["export", "mnist-tiny", "--format", "image", *option.split()], "has no effect here: it needs --format c")
        for option in ("--target boards", "--self-test 3", "--probabilities", "--weights-file w")
    ),
    (["import", __file__, "-o", "n.ebnn", "--outputs", "3"], "--outputs has no effect here: it needs flat weights"),
    *(
        (
            [*words, "--flip", "0.3"],
            "--flip has no effect here: it needs the data set with noise, --dataset noisy-mnist",
        )
        for words in (
            *(TRAIN, ["run", "mnist-tiny", "--dataset", "mnist"], ["profile", "mnist-tiny"], ["data", "mnist"]),
            ["evolve"],
            ["report", "mnist-tiny", "-o", "r.html"],
        )
    ),
    ([*TRAIN, "--bop-gamma", "0.001"], "--bop-gamma has no effect here: it needs --optimizer bop"),
    ([*TRAIN, "--bop-threshold", "1e-6"], "it needs --optimizer bop; give that, or leave --bop-threshold out"),
    ([*TRAIN, "--optimizer", "bop", "--clip"], "--clip has no effect here: it needs latent weights"),
    ([*TRAIN, "--optimizer", "bop", "--no-clip"], "--no-clip has no effect here"),
    ([*TRAIN, "--schedule", "constant", "--final-rate", "0.1"], "--final-rate has no effect here"),
    ([*TRAIN, "--teacher", "mlp"], "--teacher has no effect here: it needs a teacher, as with --distillation 0.5"),
    ([*TRAIN, "--teacher-epochs", "3"], "--teacher-epochs has no effect here"),
    ([*TRAIN, "--temperature", "4"], "--temperature has no effect here"),
    ([*TRAIN, "--distillation", "0", "--temperature", "4"], "--temperature has no effect here"),
    ([*TRAIN, "--distillation", "1", "--label-smoothing", "0.1"], "--label-smoothing has no effect here"),
    ([*TRAIN, "--float", "--estimator", "hard_tanh"], "--estimator has no effect here: it needs a binarized network"),
    ([*TRAIN, "--architecture", "c4w8a8-d4a8", "--estimator", "tanh"], "it needs a layer that ends in a sign: one"),
    ([*TRAIN, "--architecture", "c4w8a8-g", "--stochastic"], "--stochastic has no effect here"),
    ([*TRAIN, "--architecture", "c4w8-ow8", "--no-clip"], "it needs a layer of binary weights: one without w8"),
    ([*TRAIN, "--float", "--stochastic"], "--stochastic has no effect here"),
    ([*TRAIN, "--float", "--optimizer", "bop"], "--optimizer has no effect here"),
    ([*TRAIN, "--float", "--optimizer", "bop", "--bop-gamma", "0.1"], "has no effect here: it needs a binarized"),
    ([*TRAIN, "--float", "--clip"], "--clip has no effect here"),
    ([*TRAIN, "--float", "--distillation", "0.5"], "--distillation has no effect here"),
    ([*TRAIN, "--dropout", "0.5"], "--dropout has no effect here: it needs a float network: --float, or a teacher"),
    (["sweep", "d8", "--out", "run", "--validation", "9", "--dropout", "0.5"], "it needs a float network: a teacher"),
    ([*TRAIN, "--float", "--stochastic-weights"], "--stochastic-weights has no effect here"),
    ([*TRAIN, "--float", "--scale-rate"], "--scale-rate has no effect here: it needs a binarized network"),
    ([*TRAIN, "--architecture", "c4w8-ow8", "--scale-rate"], "it needs a layer of binary weights: one without w8"),
    ([*TRAIN, "--optimizer", "bop", "--stochastic-weights"], "it needs latent weights"),
    ([*TRAIN, "--distillation", "1", "--loss", "squared-hinge"], "--loss has no effect here"),
    ([*TRAIN, "--float", "--distillation", "0.5", "--teacher", "mlp"], "has no effect here"),
    (["data", "digits", "--folder", "."], "--folder has no effect here"),
    (["compare", "--out", "run", "--folder", "."], "--folder has no effect here"),
    (["compare", "--out", "run", "--temperature", "2"], "--temperature has no effect here"),
    (["sweep", "d8", "--out", "run", "--validation", "9", "--folder", "."], "--folder has no effect here"),
    (["quantize", "run", "--dataset", "digits", "--folder", "."], "--folder has no effect here"),
    (["run", "mnist-tiny", "--dataset", "digits", "--folder", "."], "--folder has no effect here"),
    (["report", "mnist-tiny", "-o", "r.html", "--limit", "9"], "--limit has no effect here: it needs data to test"),
    (["report", "mnist-tiny", "-o", "r.html", "--classes", "0"], "--classes has no effect here: it needs data to test"),
    (["report", "mnist-tiny", "-o", "r.html", "--dataset", "digits", "--folder", "."], "--folder has no effect here"),
    (["run", "mnist-tiny", "--dataset", "mnist", "--port", "/dev/no", "--optimize", "size"], "needs a simulated board"),
    (
        ["run", "mnist-tiny", "--dataset", "mnist", "--port", "socket://h:1", "--arithmetic", "float"],
        "--arithmetic has",
    ),
    (["run", "mnist-tiny", "--dataset", "mnist", "--port", "sim://uno?program=a", "--optimize", "size"], "--optimize"),
    (
        ["run", "mnist-tiny", "--dataset", "mnist", "--baud", "9600"],
        "--baud has no effect here: it needs a serial port",
    ),
    (["profile", "mnist-tiny", "--port", "socket://h:1", "--baud", "9600"], "--baud has no effect here"),
    (["predict", "mnist-tiny", __file__, "--baud", "9600"], "--baud has no effect here: it needs a serial port"),
    (["profile", "mnist-tiny", "--folder", "."], "--folder has no effect here"),
    (["profile", "mnist-tiny", "--port", "COM3", "--arithmetic", "integer"], "--arithmetic has no effect here"),
    (["profile", "mnist-tiny", "--port", "COM3", "--optimize", "size"], "--optimize has no effect here"),
    (["flash", "--board", "uno", "--optimize", "size"], "--optimize has no effect here: it needs a network, MODEL"),
    (["flash", "--board", "uno", "--arithmetic", "float"], "--arithmetic has no effect here"),
    ([*SIMULATE, "--optimize", "size"], "--optimize has no effect here: it needs a --model"),
    ([*SIMULATE, "--arithmetic", "float"], "--arithmetic has no effect here"),
    ([*SIMULATE, "--key-file", "k"], "--key-file has no effect here: it needs --updatable"),
    ([*SIMULATE, "--empty"], "--empty has no effect here: it needs --updatable"),
    ([*SIMULATE, "--store", "s"], "--store has no effect here: it needs --updatable or --program"),
    ([*SIMULATE, "--program", "p", "--updatable"], "--updatable has no effect here: it needs firmware that is built"),
    (["flash", "--board", "uno", "--key-file", "k"], "--key-file has no effect here: it needs --updatable"),
    (["flash", "--board", "uno", "--empty"], "--empty has no effect here: it needs --updatable"),
    (["push", "--port", "COM3", "--forget", "--optimize", "size"], "--optimize has no effect here: it needs a network"),
    (["push", "--port", "COM3", "--forget", "--arithmetic", "float"], "--arithmetic has no effect here"),
    (["push", "mnist-tiny", "--port", "socket://h:1", "--baud", "9600"], "--baud has no effect here"),
    (["init", "project", "--sketch", "imu", "--updatable"], "--updatable has no effect here: it needs the serial"),
    (["init", "project", "--optimize", "speed"], "--optimize has no effect here: it needs a --model"),
    (["init", "project", "--arithmetic", "float"], "--arithmetic has no effect here"),
    (["init", "project", "--rate", "50"], "--rate has no effect here: it needs a --sketch"),
    (
        ["record", "--label", "a", "--port", "COM3", "--threshold", "3"],
        "--threshold has no effect here: it needs --start m",
    ),
    (["record", "--label", "a", "--port", "sim://uno", "--baud", "9600"], "--baud has no effect here"),
    (["live", "mnist-tiny", "--port", "sim://uno", "--baud", "9600"], "--baud has no effect here"),
    (["train", "--reject", "0.05"], "--reject has no effect here: it needs held-out samples to learn it on"),
    (["fetch", "digits", "--folder", "."], "--folder has no effect here: it needs a NAME of mnist"),
    (
        ["export", "mnist-tiny", "--target", "linux", "--board", "uno"],
        "--board has no effect here: it needs --target boards",
    ),
    (
        ["export", "mnist-tiny", "--target", "linux", "--arithmetic", "float"],
        "--arithmetic has no effect here: it needs --target boards",
    ),
    (
        ["export", "mnist-tiny", "--target", "linux", "--optimize", "speed"],
        "--optimize has no effect here: it needs --target boards",
    ),
    (
        ["export", "mnist-tiny", "--target", "linux", "--self-test", "3"],
        "--self-test has no effect here: it needs --target boards",
    ),
    (
        ["export", "mnist-tiny", "--target", "linux", "--probabilities"],
        "--probabilities has no effect here: it needs --target boards",
    ),
    (["bench", "mnist-tiny", "--product", "bits-bits"], "--product has no effect here: it needs no MODEL"),
    (["bench", "mnist-tiny", "--quick"], "--quick has no effect here: it needs no MODEL"),
    (["export", "mnist-tiny", "--weights-file", "w.bin"], "--weights-file has no effect here: it needs --target linux"),
]


@pytest.mark.parametrize(("words", "message"), CASES)
def test_an_option_without_effect_is_refused(words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(ALL_COMMANDS[words[0]], words[1:])
    assert isinstance(result.exception, InputError), result.output
    with pytest.raises(InputError, match=message):
        raise result.exception
    assert len(str(result.exception).splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["train", "data"])
@pytest.mark.parametrize(
    ("option", "needs"),
    [
        (["--size", "20"], "files of pictures"),
        (["--grey"], "files of pictures"),
        (["--colour"], "files of pictures"),
        (["--window", "1"], "recordings"),
        (["--step", "1s"], "recordings"),
    ],
)
def test_an_option_for_other_data_is_refused(command, option, needs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [f"{i % 2 * 5 + i % 7 / 7:.3f},{i % 5},{'rain' if i % 2 else 'sun'}" for i in range(80)]
    Path("weather.csv").write_text("\n".join(["warmth,cloud,sky", *rows]) + "\n")
    named = ["--data", "weather.csv", "--out", "run"] if command == "train" else ["weather.csv"]
    result = CliRunner().invoke(ALL_COMMANDS[command], [*named, *option])
    assert str(result.exception).startswith(f"{option[0]} has no effect here: it needs {needs}"), result.output
    assert [path.name for path in Path().iterdir()] == ["weather.csv"]


def test_an_option_for_the_data_at_hand_is_taken(tmp_path, monkeypatch):
    """A size and a colour that the pictures have already are no less true."""
    monkeypatch.chdir(tmp_path)
    for i in range(16):
        folder = Path("pics") / ("round", "square")[i % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((9, 9), i * 10, np.uint8)).save(folder / f"{i}.png")
    for options in (["--size", "20"], ["--size", "9"], ["--size", "8x6"], ["--grey"], ["--colour", "--size", "8"]):
        assert CliRunner().invoke(ALL_COMMANDS["data"], ["pics", *options]).exception is None
    refused = CliRunner().invoke(ALL_COMMANDS["data"], ["pics", "--window", "9"])
    assert "--window has no effect here: it needs recordings" in str(refused.exception)


def test_every_rule_has_a_case():
    tried = {(words[0], flag) for words, _ in CASES for flag in words if flag.startswith("--")}
    for name, command in ALL_COMMANDS.items():
        for parameter in command.params:
            ruled = [rule for rule in rules(command) if parameter.name in rule.options]
            shared = name in ("compare", "sweep") and parameter.name != "folder"  # the rules of train
            if ruled and not shared:
                assert any((name, flag) in tried for flag in parameter.opts), (name, parameter.name)


def test_a_recipe_may_hold_what_has_no_effect(tmp_path, monkeypatch):
    """And what is typed beside it overrides it, as ever."""
    monkeypatch.chdir(tmp_path)
    options = {"folder": "nowhere", "temperature": 2.0, "optimizer": "adam", "bop_gamma": 0.1, "epochs": 1}
    monkeypatch.setattr(
        sys.modules["ebnn.cli.training_options"], "load_recipe", lambda name: Recipe(name, "tiny", options)
    )
    done = CliRunner().invoke(ALL_COMMANDS["train"], ["--recipe", "tiny", "--architecture", "d4", "--out", "run"])
    assert done.exception is None
    assert Path("run/model.ebnn").exists()
    refused = CliRunner().invoke(ALL_COMMANDS["train"], ["--recipe", "tiny", "--bop-gamma", "0.2", "--out", "other"])
    assert "--bop-gamma has no effect here" in str(refused.exception)
