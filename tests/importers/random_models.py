"""Random model.def texts, and what tinier-nn's C answers: an evaluation of the text in plain Python, bit by bit."""

from itertools import pairwise

import numpy as np


def make_text(rng, widest=70, layers=4, ending="\n"):
    """A model.def of random widths; no final line end."""
    widths = [int(rng.integers(1, widest + 1)) for _ in range(int(rng.integers(2, layers + 2)))]
    lines = ["bnn"]
    for inputs, outputs in pairwise(widths):
        lines.append(f"{inputs},{outputs}")
        lines += ["".join(rng.choice(["0", "1"], inputs)) for _ in range(outputs)]
    return ending.join([*lines, "0,0"])


def answers_of(text, samples):
    """Output bits as texts, for samples that are texts of 0 and 1."""
    _, *lines = text.split()
    answers = []
    for sample in samples:
        rest = iter(lines)
        value = sample
        while (sizes := next(rest)) != "0,0":
            inputs, outputs = map(int, sizes.split(","))
            assert len(value) == inputs
            rows = [next(rest) for _ in range(outputs)]
            differ = [sum(a != b for a, b in zip(row, value, strict=True)) for row in rows]
            value = "".join("1" if count < inputs / 2 else "0" for count in differ)
        answers.append(value)
    return answers


def make_samples(rng, text, count=20):
    inputs = int(text.split()[1].split(",")[0])
    return ["".join(rng.choice(["0", "1"], inputs)) for _ in range(count)]


def as_array(texts):
    return np.array([[int(bit) for bit in text] for text in texts])
