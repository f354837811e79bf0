"""Random files of the old systems, made from their formats' description: no answer may differ from the file's own.

``EBNN_MODELS=1000 uv run pytest -n 0 -s tests/importers/test_importers_many.py`` runs a thousand, and says how many.
"""

import os
from collections import Counter

import numpy as np
from original_ebnn import bits_of, classes_of, header_of, make_network
from random_models import answers_of, as_array, make_samples, make_text
from test_importers_edited import qualified, with_arrays

from ebnn.errors import LoweringError
from ebnn.importers import import_network

MODELS = int(os.environ.get("EBNN_MODELS", "60"))
SAMPLES = 12


def model_def(rng, path):
    """Whether the bits of a model.def are its own; the format has nothing that is refused."""
    text = make_text(rng, ending=str(rng.choice(["\n", "\r\n"])))
    path.write_bytes(text.encode())
    samples = make_samples(rng, text, SAMPLES)
    bits = import_network(path).network.predict_bits(as_array(samples))
    return ["".join("01"[bit] for bit in row.astype(int)) for row in bits] == answers_of(text, samples)


def header(rng, path):
    """Whether the classes or bits of a header of eBNN's are its own; None where it is refused."""
    kind = str(rng.choice(["bits", "float"]))
    channels = int(rng.choice([1, 1, 2, 3]))
    convs, hidden = int(rng.integers(0, 4)), int(rng.integers(0, 3))
    if kind == "float" and convs == 0:
        hidden += 1
    last = str(rng.choice(["blinear_sm", "blinear_sm", "blinear"]))
    layers, shape = make_network(rng, kind, channels, convs, hidden, int(rng.integers(2, 20)), last)
    text = header_of(layers, early=bool(rng.random() < 0.2))
    for edit in (qualified, with_arrays):  # that change no number
        if rng.random() < 0.3:
            text = edit(rng, text)
    path.write_text(text)
    bytes_of = rng.integers(0, 256, (SAMPLES, *shape)).astype(np.float32) / np.float32(255)
    x = bytes_of if kind == "float" else (bytes_of > 0.5).astype(np.uint8)
    try:
        network = import_network(path).network
    except LoweringError:
        return None
    if last == "blinear":
        return np.array_equal(network.predict_bits(x), bits_of(layers, x))
    return network.predict(x).tolist() == classes_of(layers, x).tolist()


def test_no_random_file_answers_otherwise(tmp_path):
    found = Counter()
    differ = []
    for seed in range(MODELS):
        rng = np.random.default_rng(seed)
        same = (model_def if seed % 3 == 0 else header)(rng, tmp_path / "model")
        found["refused" if same is None else "same" if same else "other"] += 1
        if same is False:
            differ.append(seed)
    print(dict(found))
    assert differ == []
    assert found["refused"] <= MODELS / 20
