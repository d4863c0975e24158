"""The format of the access log, taken apart: a name, or text with gunicorn's atoms, `%(h)s`.

Here is only what may be asked for; what stands in a line for it is in watch/plan.py.
"""

from __future__ import annotations

import re
from typing import NamedTuple

COMMON = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(B)s'
NAMES = ("common", "combined", "json", "dev")
# One letter each, and what it means; gunicorn's, then ours.
ATOMS = {
    "h": "client",
    "l": "-",
    "u": "user",
    "t": "time",
    "r": "request line",
    "m": "method",
    "U": "path",
    "q": "query",
    "H": "protocol",
    "s": "status",
    "b": "bytes of the body, or -",
    "B": "bytes of the body",
    "f": "referer",
    "a": "user agent",
    "T": "seconds",
    "M": "milliseconds",
    "D": "microseconds",
    "L": "seconds with a fraction",
    "p": "process",
    "Q": "seconds in the queue",
    "F": "seconds to the first byte",
    "R": "request id",
    "x": "bytes of the request's body",
    "X": "how the connection ended",
}
_FIELDS = {"i": "request field", "o": "response field", "e": "variable"}
_PIECE = re.compile(
    r"%(?:(?P<percent>%)|\((?P<letter>\w)\)(?P<width>-?[0-9]{0,3})[sd]"
    r"|\(\{(?P<name>[^{}()]{1,100})\}(?P<kind>[ioe])\)(?P<more>-?[0-9]{0,3})s|)"
)
_EXPECTED = (
    "common, combined, json, dev, or a text with atoms such as "
    '%(h)s %(t)s "%(r)s" %(s)s %({x-request-id}i)s'
)


class Atom(NamedTuple):
    """What is to stand at one place of a line: a letter, or a field by its name."""

    letter: str
    name: str = ""  # of a field or variable, where the letter is i, o or e
    width: str = ""  # as in %-10s


def parse(text: str) -> list[str | Atom]:
    """The pieces of a format, in their order. Raises ValueError for what is no atom."""
    pieces: list[str | Atom] = []
    end = 0
    for found in _PIECE.finditer(text):
        pieces.append(text[end : found.start()])
        end = found.end()
        if found["percent"]:
            pieces.append("%")
        elif found["name"]:
            pieces.append(Atom(found["kind"], found["name"], found["more"]))
        elif found["letter"] in ATOMS:
            pieces.append(Atom(found["letter"], "", found["width"]))
        else:
            near = text[found.start() :][:20]
            raise ValueError(
                f"{_EXPECTED}; {near!r} begins no atom: there are {' '.join(ATOMS)}, {{name}}i of "
                "the request, {name}o of the response and {name}e of environ; % itself is %%"
            )
    pieces.append(text[end:])
    return [piece for piece in pieces if piece]


def check_format(text: str) -> str:
    """Return the format, a name in lower case; ValueError where it is none."""
    name = text.strip().lower()
    if name in NAMES:
        return name
    if not any(isinstance(piece, Atom) for piece in parse(text)):
        raise ValueError(_EXPECTED)
    if "\n" in text or "\r" in text:
        raise ValueError("a format of one line")
    return text
