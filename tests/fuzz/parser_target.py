"""Search for bytes that break a law of the request parser: see searching.py for how to run it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

LONGEST_SEED = 2000  # the cases of the limits are long, and say nothing to a search
WORDS = (
    "GET POST OPTIONS HTTP/1.1 HTTP/1.0 Host: Content-Length: Content-Type: Transfer-Encoding:"
    " chunked Connection: close keep-alive Upgrade: Expect: 100-continue Cookie: http:// [::1]"
    ' Proxy: Trailer: ;a=b ;a=" 0 5 a'
)


def seeds() -> Iterator[bytes]:
    """Every case of tests/corpus that is not too long."""
    from tests.corpus import CASES

    return (case.raw for case in CASES if len(case.raw) <= LONGEST_SEED)


def words() -> Iterator[bytes]:
    """What requests are made of."""
    yield from (b"\r\n", b"\r\n\r\n", b"0\r\n\r\n", b"\n", b"\r", b"\x00", b"\t", b" ", b"\x0b")
    yield from (word.encode() for word in WORDS.split())
    yield from (b"GET / HTTP/1.1\r\nHost: a\r\n", b"Transfer-Encoding: chunked\r\n\r\n5\r\n")


def main(argv: list[str]) -> None:
    """Search until libFuzzer's options say that it is enough, or a law is broken."""
    sys.path[0] = str(ROOT)  # run as a file, Python looks beside it
    from tests.fuzz.searching import search

    search("tests.fuzz.one_input:requests", seeds, words(), argv)


if __name__ == "__main__":
    main(sys.argv)
