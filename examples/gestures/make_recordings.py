"""Writes recordings as a sketch of ``ebnn init --sketch imu`` gives them: python make_recordings.py [FOLDER] [--seed N]

They are made up, of how a hand moves: acceleration of ax, ay, az in g, with gravity at the board's tilt. Three classes,
12 recordings of each, 1.6 to 2.4 seconds at 50 readings a second.
"""

from __future__ import annotations

import argparse
import math
import random
from pathlib import Path

RATE = 50.0
RECORDINGS = 12
NOISE = 0.03  # g


def wave(t: float, speed: float, strength: float) -> tuple[float, float, float]:
    """To and fro, about twice a second."""
    return strength * math.sin(2 * math.pi * speed * t), 0.15 * strength * math.cos(4 * math.pi * speed * t), 0.0


def circle(t: float, speed: float, strength: float) -> tuple[float, float, float]:
    """Round and round, about once a second."""
    angle = 2 * math.pi * speed / 2 * t
    return 0.7 * strength * math.cos(angle), 0.0, 0.7 * strength * math.sin(angle)


def idle(t: float, speed: float, strength: float) -> tuple[float, float, float]:
    """A hand that rests, with what it trembles."""
    tremble = 0.03 * strength * math.sin(2 * math.pi * 4 * speed * t)
    return tremble, -tremble, 0.0


GESTURES = {"circle": circle, "idle": idle, "wave": wave}


def record(name: str, chance: random.Random) -> list[str]:
    """The lines of a recording."""
    speed, strength = chance.uniform(1.6, 2.4), chance.uniform(0.7, 1.3)
    start, tilt, roll = chance.uniform(0, 1), chance.gauss(0, 0.15), chance.gauss(0, 0.15)
    gravity = (math.sin(roll), math.sin(tilt), math.cos(tilt) * math.cos(roll))
    lines = ["time_ms,ax,ay,az"]
    for i in range(chance.randint(80, 120)):
        moved = GESTURES[name](start + i / RATE, speed, strength)
        values = [g + a + chance.gauss(0, NOISE) for g, a in zip(gravity, moved, strict=True)]
        lines.append(",".join([f"{1000 * i / RATE:.0f}", *(f"{value:.2f}" for value in values)]))
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(__file__).with_name("recordings"))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    for name in GESTURES:
        (options.folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(1, RECORDINGS + 1):
            path = options.folder / name / f"{name}-{number:04}.csv"
            path.write_text("\n".join(record(name, chance)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
