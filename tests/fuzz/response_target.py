"""Search for an answer that breaks a law of responses: see searching.py for how to run it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
WORDS = (
    "200 204 304 999 199 OK Content-Length content-length Connection close keep-alive Date Server"
    " Transfer-Encoding chunked Content-Type Set-Cookie Trailer Upgrade Proxy-Status Keep-Alive"
)


def seeds() -> Iterator[bytes]:
    """Answers of each kind, in the bytes that stand for them."""
    from tests.fuzz.answer_laws import KINDS, METHODS, VERSIONS, Answer, to_bytes

    heads = [
        ("200 OK", []),
        ("200 OK", [("Content-Length", "5"), ("X-A", "b c")]),
        ("204 No Content", [("Connection", "close")]),
        ("304 Not Modified", [("Date", "now"), ("server", "mine"), ("ETag", '"\xe9"')]),
    ]
    for kind in KINDS:
        for status, fields in heads:
            for method in METHODS:
                for version in VERSIONS:
                    blocks = [b"abc", b"", b"de"]
                    yield to_bytes(Answer(status, fields, blocks, kind, method, version))


def words() -> Iterator[bytes]:
    """What answers are made of, and what would split them."""
    yield from (b"\x1e", b"\x1e\x1e", b"\r\n", b"\r\n\r\n", b"\n", b"\r", b"\0", b": ", b"\t")
    yield from (word.encode() for word in WORDS.split())


def main(argv: list[str]) -> None:
    """Search until libFuzzer's options say that it is enough, or a law is broken."""
    sys.path[0] = str(ROOT)  # run as a file, Python looks beside it
    from tests.fuzz.searching import search

    search("tests.fuzz.one_input:answers", seeds, words(), argv)


if __name__ == "__main__":
    main(sys.argv)
