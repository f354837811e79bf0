"""A board in Python, for answers that the firmware never gives."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable

from ebnn.frames import Decoder, Frame


class PythonBoard:
    """Answers frames with a function, behind a terminal."""

    def __init__(self, master: int, reply: Callable[[Frame], bytes]) -> None:
        self.master, self.reply = master, reply
        self.stop = threading.Event()
        os.set_blocking(master, False)
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self) -> None:
        decoder = Decoder()
        while not self.stop.wait(0.001):
            with contextlib.suppress(OSError):
                for frame in decoder.feed(os.read(self.master, 4096)):
                    os.write(self.master, self.reply(frame))

    def __enter__(self) -> PythonBoard:
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop.set()
        self.thread.join()
