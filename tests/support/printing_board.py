"""A simulated board that prints what its sensor measures: a process of its own at a pseudo terminal.

Run as a program it takes the path at which its port is to be linked and a script in JSON: a list of steps, which begin
when somebody opens the port. A step is text to send, a number of seconds to wait, or one of

- ``{"bytes": "ff00"}``: bytes in hexadecimal;
- ``{"rows": [...], "hz": 100}``: lines, so many a second;
- ``{"leave": 0.3}``: the port vanishes for so many seconds, as one of a board with its own USB does at a reset;
- ``{"baud": 57600}``: from here on, what is sent is garbage unless the port has this speed;
- ``{"listen": 1}``: waits until so many bytes have come.

After the last step the board stays and is silent.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import struct
import subprocess
import sys
import termios
import time
import tty
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

Script = Sequence[Any]

LONGEST_OPENING = 5.0  # seconds; then it was opened by something else than pySerial


@contextlib.contextmanager
def printing_board(folder: Path, script: Script) -> Iterator[str]:
    """Plugs a board in that follows the script, gives its port, and ends it."""
    link = folder / "ttyBOARD"
    command = [sys.executable, __file__, str(link)]
    board = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert board.stdin is not None
    assert board.stdout is not None
    try:
        board.stdin.write(json.dumps(list(script)))
        board.stdin.close()
        assert board.stdout.readline() == "plugged in\n"
        yield str(link)
        assert board.poll() is None, "the simulated board has failed"
    finally:
        board.kill()
        board.wait()
        board.stdout.close()


class Board:
    """What runs in the board's process."""

    def __init__(self, link: Path) -> None:
        self.link = link
        self.baud: int | None = None
        self.plug()

    def plug(self) -> None:
        self.master, slave = os.openpty()
        tty.setraw(slave)
        temporary = self.link.with_suffix(".new")
        temporary.symlink_to(os.ttyname(slave))
        os.close(slave)
        self.watch_openings(True)  # before anybody can open it
        temporary.replace(self.link)

    def watch_openings(self, on: bool) -> None:
        """In packet mode the port tells that what has come was dropped, also to who asks later."""
        fcntl.ioctl(self.master, termios.TIOCPKT, struct.pack("i", on))

    def wait_until_open(self) -> None:
        """Returns when somebody has opened the port and is done with it: pySerial's last step drops what has come."""
        poll = select.poll()
        poll.register(self.master, 0)
        while any(event & select.POLLHUP for _, event in poll.poll(0)):
            time.sleep(0.005)
        end = time.monotonic() + LONGEST_OPENING
        dropped = False
        while not dropped and select.select([self.master], [], [], max(0.0, end - time.monotonic()))[0]:
            try:
                dropped = bool(os.read(self.master, 100)[0] & termios.TIOCPKT_FLUSHREAD)
            except OSError:  # closed again
                break
        self.watch_openings(False)

    def send(self, data: bytes) -> None:
        if self.baud is not None:
            speed = termios.tcgetattr(self.master)[5]
            if speed != getattr(termios, f"B{self.baud}"):
                data = bytes((0x80 | byte >> 1) ^ 0x15 for byte in data)
        while data:
            try:
                data = data[os.write(self.master, data) :]
            except OSError:  # nobody is there
                return

    def follow(self, script: Script) -> None:
        for step in script:
            if isinstance(step, str):
                self.send(step.encode())
            elif isinstance(step, (int, float)):
                time.sleep(step)
            elif "bytes" in step:
                self.send(bytes.fromhex(step["bytes"]))
            elif "baud" in step:
                self.baud = step["baud"]
            elif "leave" in step:
                self.link.unlink()
                os.close(self.master)
                time.sleep(step["leave"])
                self.plug()
                self.wait_until_open()
            elif "listen" in step:
                heard = 0
                while heard < step["listen"]:
                    heard += len(os.read(self.master, 100))
            else:
                begin = time.monotonic()
                for i, row in enumerate(step["rows"]):
                    time.sleep(max(0.0, begin + i / step["hz"] - time.monotonic()))
                    self.send(row.encode())


if __name__ == "__main__":
    script = json.loads(sys.stdin.read())
    board = Board(Path(sys.argv[1]))
    print("plugged in", flush=True)
    board.wait_until_open()
    board.follow(script)
    while True:
        time.sleep(60)
