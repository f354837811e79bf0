"""Says what a camera sees, or what is drawn in a picture file, as it changes: see README.md."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import Image

import ebnn
from ebnn.classifying import asking
from ebnn.datasets.single_pictures import picture_sample, read_picture
from ebnn.errors import EbnnError, MissingDependencyError

LOOK_SECONDS = 0.1  # between two looks at a file


def frames(source: str, network: ebnn.Network, invert: bool) -> Iterator[Any]:
    """Yields samples: of a picture file whenever it changes, else of what OpenCV opens, a camera or a film."""
    path = Path(source)
    if path.suffix.lower() in (".png", ".jpg", ".jpeg", ".bmp", ".gif"):
        seen = None
        while True:
            changed = path.stat().st_mtime_ns
            if changed != seen:
                seen = changed
                yield read_picture(path, network, invert=invert)
            time.sleep(LOOK_SECONDS)
    try:
        import cv2
    except ImportError:
        raise MissingDependencyError(
            "a camera needs OpenCV: pip install opencv-python-headless; or give a picture file", name="cv2"
        ) from None
    capture = cv2.VideoCapture(int(source) if source.isdigit() else source)
    try:
        while True:
            there, frame = capture.read()
            if not there:
                return
            yield picture_sample(Image.fromarray(frame[:, :, ::-1]), network, invert=invert)
    finally:
        capture.release()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="an .ebnn file, or a published network's name")
    parser.add_argument("source", help="a camera's number, a film, or a picture file that is looked at as it changes")
    parser.add_argument("--port", help="ask a board; default: the network runs here, compiled")
    parser.add_argument("--top", type=int, default=3, help="how many classes are shown")
    parser.add_argument("--invert", action="store_true", help="for dark strokes on white paper")
    parser.add_argument("--count", type=int, help="stop after so many answers; default: Ctrl-C")
    given = parser.parse_args()
    network = ebnn.load(given.model)
    with asking(network, given.port, given.top) as ask:
        for number, sample in enumerate(frames(given.source, network, given.invert), 1):
            began = time.perf_counter()
            answer = ask(sample)
            us = answer.device_us if answer.device_us is not None else 1e6 * (time.perf_counter() - began)
            shown = (
                f"{name} {100 * share:.0f} %" for name, share in zip(answer.names, answer.probabilities, strict=True)
            )
            print(f"{'unknown: ' if answer.unsure else ''}{', '.join(shown)}  ({us / 1000:.1f} ms)", flush=True)
            if number == given.count:
                return


if __name__ == "__main__":
    try:
        main()
    except (EbnnError, OSError) as error:
        sys.exit(f"Error: {error}")
    except KeyboardInterrupt:
        pass
