"""One input of the search -> the laws; the cuts and limits hang on the input alone.

What breaks a law is printed with its bytes before the search ends, so that it can become a test.
"""

from __future__ import annotations

import sys
from zlib import crc32

from tests.fuzz import answer_laws, request_laws
from tests.http11.reading import bytewise, cut_at_random


def requests(raw: bytes) -> None:
    """Hold the laws of request_laws.py against `raw`."""
    seed = crc32(raw)
    pieces = bytewise(raw) if seed % 4 == 0 and len(raw) < 400 else cut_at_random(raw, seed)
    try:
        limits = request_laws.SMALL if seed % 3 == 0 else request_laws.WIDE
        request_laws.check(raw, pieces, limits)
    except BaseException as error:
        _show(error, raw)
        raise


def answers(raw: bytes) -> None:
    """Hold the law of answer_laws.py against the answer that `raw` stands for."""
    try:
        answer_laws.check(answer_laws.from_bytes(raw))
    except BaseException as error:
        _show(error, raw)
        raise


def _show(error: BaseException, raw: bytes) -> None:
    sys.stderr.write(f"\n{error}\nbytes: {raw!r}\n")
