"""The access log for people: aligned, the target last, in colours where a terminal shows them."""

from __future__ import annotations

from time import localtime, strftime
from typing import Final

from aiowsgi.watch.colours import CYAN, DIM, GREEN, PLAIN, RED, YELLOW
from aiowsgi.watch.entry import Entry
from aiowsgi.watch.lines import Stamps, escaped, is_plain

_COLOURS: Final = {2: GREEN, 3: CYAN, 4: YELLOW, 5: RED}  # by the status' first digit


class DevLine:
    """Makes the lines, coloured or not; any thread."""

    def __init__(self, *, coloured: bool) -> None:
        self._coloured = coloured
        self._stamps = Stamps(_stamp)

    def write(self, entry: Entry) -> str:
        """Make one line."""
        target = entry.target or entry.line or "-"
        if not is_plain(target, entry.printable):
            target = escaped(target)
        method = entry.method or "-"
        if not is_plain(method, entry.printable):
            method = escaped(method)
        took, size = _duration(entry.seconds).rjust(8), _size(entry.sent).rjust(9)
        status = str(entry.status or "-").rjust(3)
        status = self._in(_COLOURS.get(entry.status // 100, ""), status)
        cut = "  " + self._in(RED, "aborted") if entry.aborted else ""
        figures = self._in(DIM, took + size)
        now = self._in(DIM, self._stamps.at(int(entry.when)))
        return f"{now} {status} {figures}  {method.ljust(7)} {target}{cut}"

    def _in(self, colour: str, text: str) -> str:
        return f"{colour}{text}{PLAIN}" if self._coloured and colour else text


def _stamp(when: int) -> str:
    return strftime("%H:%M:%S", localtime(when))


def _duration(seconds: float) -> str:
    if seconds < 0:
        return "-"
    if seconds < 0.9995:
        tenths = int(seconds * 10_000 + 0.5)  # of a millisecond: formats of floats are slow
        return f"{tenths // 10}.{tenths % 10} ms"
    return f"{seconds:.1f} s" if seconds < 999 else f"{seconds / 60:.0f} min"


def _size(size: int) -> str:
    if size < 1000:
        return f"{size} B"
    if size < 999_500:
        return f"{size / 1000:.1f} kB"
    return f"{size / 1_000_000:.1f} MB" if size < 999_500_000 else f"{size / 1e9:.1f} GB"
