"""What a person sees while a network answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.text import Text

from ..figures import percent
from ..printable import printable
from .console import print_line

if TYPE_CHECKING:
    from ..device.live import Answer

_LONGEST_NAME = 24
_QUIT = "qQ\x03\x04"


class LiveView:
    """Bars of the classes' probabilities on a terminal; a line for each answer elsewhere.

    Args:
        console: where to.
        names: of the classes.
        keys: returns the keys pressed since its last call; ``q`` raises KeyboardInterrupt.
    """

    def __init__(self, console: Console, names: Sequence[str], keys: Callable[[], str] = lambda: "") -> None:
        self.console = console
        self.counts: Counter[str] = Counter()
        """How often each name was answered."""
        self._names = tuple(names)
        self._keys = keys
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> LiveView:
        return self

    def __exit__(self, *error: object) -> None:
        if self._live.is_started:
            self._live.stop()

    def say(self, line: str) -> None:
        """Shows a line."""
        print_line(self.console, line)

    def show(self, answer: Answer | None) -> None:
        """Shows an answer, where there is one."""
        if any(key in _QUIT for key in self._keys()):
            raise KeyboardInterrupt
        if answer is None:
            return
        self.counts[answer.name] += 1
        if self.console.is_terminal:
            if not self._live.is_started:
                self._live.start()
            self._live.update(Text("\n".join(self.lines(answer)), no_wrap=True, overflow="crop"), refresh=True)
        else:
            share = "" if answer.probability is None else f"  {percent(answer.probability, 1)}"
            self.say(f"{answer.name}{share}")
            self.console.file.flush()

    def lines(self, answer: Answer) -> list[str]:
        """Returns what is drawn, in lines that fit the console."""
        shares = answer.probabilities
        if shares is None:
            shares = tuple((answer.probability or 1.0) if name == answer.name else 0.0 for name in self._names)
        room = max(1, self.console.height - 4)
        shown = range(len(self._names))
        if len(shown) > room:
            shown = sorted(sorted(shown, key=lambda k: -shares[k])[: room - 1])  # type: ignore[assignment]
        wide = min(_LONGEST_NAME, max(len(printable(self._names[k])) for k in shown))
        bar = max(4, self.console.width - wide - 12)
        block = "#" if self.console.options.ascii_only else "█"
        lines = []
        for k in shown:
            mark = ">" if self._names[k] == answer.name else " "
            name = printable(self._names[k])[:wide].ljust(wide)
            known = answer.probabilities is not None or answer.probability is not None
            told = percent(shares[k], 1) if known and (answer.probabilities or mark == ">") else ""
            lines.append(f"{mark} {name} {told:>7} {block * round(bar * shares[k])}")
        if len(shown) < len(self._names):
            lines.append(f"  and {len(self._names) - len(shown)} more classes")
        lines.append(f"{printable(answer.name)}; q is the end")
        return [line[: self.console.width].rstrip() for line in lines]
