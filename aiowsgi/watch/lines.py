"""What every kind of access line is made of: escaped text, times, and who makes a line of them.

Nothing of a request forges a line (S14): in text from outside, quotes, backslashes and all that is
no printable ASCII are escaped.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Final

from aiowsgi.bridge.exchange import Exchange
from aiowsgi.errors import ProtocolError

_MONTHS: Final = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_UNSAFE: Final = re.compile(r'[^\x20-\x7e]|["\\]')


class Lines:
    """Makes the lines of one format; any thread, several at once.

    `timed`: whether it wants to know when the first and the last byte of a response were sent.
    """

    timed = False

    def answered(self, exchange: Exchange) -> str:
        """The line of an exchange that is over."""
        raise NotImplementedError

    def rejected(self, client: str, error: ProtocolError, sent: int) -> str:
        """The line of a request that the server refused by itself; `sent` in bytes."""
        raise NotImplementedError


def is_plain(text: str, printable: bool = False) -> bool:
    """Whether nothing in it has to be escaped; `printable`: it is known to be printable ASCII.

    Asked of ascii(), which is faster than a pattern.
    """
    if printable:
        return '"' not in text and "\\" not in text
    return '"' not in text and len(ascii(text)) == len(text) + 2  # that puts it between quotes


def escaped(text: str) -> str:
    """Printable ASCII; quotes, backslashes and everything else as \\xNN."""
    return _UNSAFE.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def six_digits(seconds: float) -> str:
    """Seconds to the microsecond. By a whole number: formats of floats are slow, compiled or not.

    `seconds` is not negative.
    """
    micros = int(seconds * 1_000_000 + 0.5)
    if micros < 1_000_000:
        return "0." + str(1_000_000 + micros)[1:]
    return f"{micros // 1_000_000}.{str(1_000_000 + micros % 1_000_000)[1:]}"


class Stamps:
    """The time as the lines of one format have it; the text is made once a second, by `form`."""

    def __init__(self, form: Callable[[int], str]) -> None:
        self._form = form
        self._last = (0, "")  # in one piece: several threads read and replace it

    def now(self) -> str:
        """The time now."""
        return self.at(int(time.time()))

    def at(self, when: int) -> str:
        """A time in seconds since the epoch; nearly always that of the call before."""
        second, text = self._last
        if when != second:
            text = self._form(when)
            self._last = (when, text)
        return text


def stamp(now: int) -> str:
    """A time in seconds since the epoch as log lines have it, English under any locale."""
    local = time.localtime(now)
    hours, minutes = divmod(abs(local.tm_gmtoff) // 60, 60)
    sign = "-" if local.tm_gmtoff < 0 else "+"
    return (
        f"{local.tm_mday:02}/{_MONTHS[local.tm_mon - 1]}/{local.tm_year}:"
        f"{local.tm_hour:02}:{local.tm_min:02}:{local.tm_sec:02} {sign}{hours:02}{minutes:02}"
    )
