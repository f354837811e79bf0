"""What tests need, by folder and by file: each gets these markers in conftest.py; those without one are core."""

from __future__ import annotations

MARKERS: dict[str, str] = {
    "core": "needs no compiler, simulator or Chainer, and is quick",
    "compiler": "compiles C, for this computer or for a board",
    "simulator": "runs programs on simavr or QEMU",
    "chainer": "trains or lowers with Chainer",
    "slow": "takes long: MNIST, fuzzing, installing, other Pythons, types and style",
}
"""The markers, and what they say."""

NEEDS: dict[str, tuple[str, ...]] = {
    "frontends": ("chainer",),
    "recipes": ("chainer",),
    "device/test_device_live.py": ("compiler",),
    "device/test_device_recording.py": ("slow",),
    "fuzz": ("compiler", "slow"),
    "importers/test_flat_files.py": ("slow",),
    "frontends/chainer/test_original_story.py": ("compiler", "chainer"),
    "importers/test_importers_ebnn.py": ("compiler",),
    "importers/test_importers_edited.py": ("compiler",),
    "importers/test_importers_many.py": ("slow",),
    "importers/test_model_def.py": ("compiler", "chainer"),
    "link": ("compiler",),
    "published": ("compiler", "slow"),
    "published/test_published_by_name.py": ("compiler",),
    "published/test_published_tool.py": ("chainer",),
    "linux": ("compiler",),
    "linux/test_linux_networks.py": ("compiler", "simulator"),
    "platformio": ("compiler", "slow"),
    "simulation": ("simulator", "compiler"),
    "training": ("chainer",),
    "training/test_training_evolution.py": ("compiler",),
    "test_arduino_101.py": ("compiler",),
    "test_avr_reach.py": ("compiler",),
    "test_benchmarks.py": ("compiler", "simulator"),
    "test_benchmarks_training.py": ("chainer",),
    "test_c_compile.py": ("compiler",),
    "test_c_facts.py": ("compiler",),
    "test_class_names.py": ("compiler",),
    "test_cli.py": ("compiler", "chainer"),
    "test_cli_layout.py": ("chainer",),
    "test_cli_paths.py": ("chainer",),
    "test_encoder_c.py": ("compiler",),
    "test_errors.py": ("chainer",),
    "test_extras.py": ("chainer",),
    "test_library_folder.py": ("compiler",),
    "test_probabilities.py": ("compiler",),
    "test_raw_runs.py": ("compiler", "simulator"),
    "test_readings_c.py": ("compiler",),
    "test_reference.py": ("chainer",),
    "test_samples.py": ("chainer",),
    "test_cli_process.py": ("compiler", "chainer"),
    "test_columns.py": ("compiler", "simulator"),
    "test_compare.py": ("compiler",),
    "test_count.py": ("compiler", "simulator"),
    "test_docs.py": ("compiler", "chainer"),
    "test_ebnn_program.py": ("compiler", "chainer"),
    "test_estimate.py": ("compiler", "simulator"),
    "test_examples.py": ("compiler", "chainer"),
    "test_header_files.py": ("compiler",),
    "test_header_parts.py": ("compiler",),
    "test_idle_options.py": ("chainer",),
    "test_installing.py": ("slow", "chainer"),
    "test_layers.py": ("compiler",),
    "test_mnist.py": ("slow", "chainer", "compiler"),
    "test_networks_property.py": ("compiler", "chainer"),
    "test_other_interpreters.py": ("slow",),
    "test_quant_chains_property.py": ("compiler", "chainer"),
    "test_self_test.py": ("compiler",),
    "test_streaming.py": ("compiler",),
    "test_style.py": ("slow",),
    "test_sweep.py": ("chainer",),
    "test_predict.py": ("compiler",),
    "test_push_command.py": ("compiler",),
    "test_tables.py": ("compiler",),
    "test_top.py": ("compiler",),
    "test_vectors.py": ("compiler",),
}
"""By a path below ``tests``; the longest that fits counts."""


def markers_of(path: str) -> tuple[str, ...]:
    """Returns the markers of a test file, ``path`` below the folder of tests, as in "link/test_link_build.py"."""
    fitting = [known for known in NEEDS if path == known or path.startswith(f"{known}/")]
    return NEEDS[max(fitting, key=len)] if fitting else ()
