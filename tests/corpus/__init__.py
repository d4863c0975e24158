r"""Requests as they come over the wire, each with its rule and the answers that it must get.

Each `*.txt` file here holds the cases of one topic, in paragraphs:

    # H4 Content-Length with a sign          the rules' numbers, then the case's name
    | POST / HTTP/1.1                        one line on the wire; CRLF is added
    | Host: a
    | Content-Length: +5
    |
    | hello\                                 a backslash at the end: no CRLF is added
    => 400                                   the final statuses when an application answers 200

`@ Name: value` stands for a whole GET of / with this field after its Host. Escapes: \r \n \t \\
\xNN; `{ab*300}` is "ab" 300 times. An answer of 200 may be followed by the body that the
application sees, in quotes (none given: it is empty). After the answers: `close` where the server
closes after the last of them, `waits` where it waits for more of a message; a status from 400 on
always closes.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

_GET = "GET / HTTP/1.1\\r\\nHost: a\\r\\n"
_REPEAT = re.compile(r"\{([^{}]+)\*(\d+)\}")
_ESCAPE = re.compile(r"\\(x[0-9a-f]{2}|.)")
_PLAIN = {"r": "\r", "n": "\n", "t": "\t", "\\": "\\", '"': '"'}
_ANSWER = re.compile(r'(\d{3})(?: "((?:[^"\\]|\\.)*)")?|close|waits')


class Case(NamedTuple):
    """One exchange of bytes; `bodies` are what the application sees, one for each status of 200."""

    name: str
    rules: tuple[str, ...]
    raw: bytes
    statuses: tuple[int, ...]
    bodies: tuple[bytes, ...]
    closes: bool
    waits: bool


def _bytes(text: str) -> bytes:
    def one(match: re.Match[str]) -> str:
        code = match[1]
        return chr(int(code[1:], 16)) if code[0] == "x" and len(code) == 3 else _PLAIN[code]

    wide = _REPEAT.sub(lambda match: match[1] * int(match[2]), text)
    return _ESCAPE.sub(one, wide).encode("latin-1")


def _wire(line: str) -> bytes:
    if line.startswith("@ "):
        return _bytes(f"{_GET}{line[2:]}\\r\\n\\r\\n")
    text = line[2:]
    if re.search(r"(?<!\\)(?:\\\\)*\\$", text):
        return _bytes(text[:-1])
    return _bytes(text + "\\r\\n")


def _case(topic: str, paragraph: str) -> Case:
    title, *wire, outcome = paragraph.splitlines()
    if title[:2] != "# " or outcome[:3] != "=> " or any(line[:1] not in "|@" for line in wire):
        raise ValueError(f"{topic}: not a case:\n{paragraph}")
    rules, _, name = title[2:].partition(" ")
    answers = list(_ANSWER.finditer(outcome[3:]))
    if " ".join(match[0] for match in answers) != outcome[3:]:
        raise ValueError(f"{topic}: not an outcome: {outcome}")
    words = {match[0] for match in answers}
    given = [match for match in answers if match[1]]
    statuses = tuple(int(match[1]) for match in given)
    return Case(
        f"{topic}: {name}",
        tuple(rules.split(",")),
        b"".join(map(_wire, wire)),
        statuses,
        tuple(_bytes(match[2] or "") for match in given if match[1] == "200"),
        "close" in words or any(status >= 400 for status in statuses),
        "waits" in words,
    )


def _paragraphs(text: str) -> list[str]:
    return [part for part in re.split(r"\n{2,}", text.strip("\n")) if part]


CASES = tuple(
    _case(path.stem, paragraph)
    for path in sorted(Path(__file__).parent.glob("*.txt"))
    for paragraph in _paragraphs(path.read_text("ascii"))
)
