"""The types of PEP 3333, as an application sees them.

`wsgiref.types` has the same ones, but only from Python 3.11 on; protocols match by shape, so an
application that is annotated with those fits here too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Protocol, TypeAlias

Environ: TypeAlias = dict[str, Any]
ExcInfo: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]
)
Write: TypeAlias = Callable[[bytes], object]


class StartResponse(Protocol):
    """What an application calls with its status and headers; returns `write(bytes)` (P3)."""

    def __call__(
        self, status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = ..., /
    ) -> Write:
        """Take the head; the server sends it with the first block (P26)."""


# What an application gave and nobody has looked at yet. Any other annotation would be a check when
# the hot path is compiled: a TypeError, where the rule that was broken has words of its own.
Given: TypeAlias = Any


WSGIApplication: TypeAlias = Callable[[Environ, StartResponse], Iterable[bytes]]
