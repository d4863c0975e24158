"""Colours of a terminal (ECMA-48, SGR): the few that the logs use, and whether they are wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TextIO

PLAIN = "\x1b[0m"
DIM = "\x1b[2m"
RED = "\x1b[31m"
GREEN = "\x1b[32m"
YELLOW = "\x1b[33m"
CYAN = "\x1b[36m"


def wants_colour(stream: TextIO | None, environ: Mapping[str, str]) -> bool:
    """Whether what is written to `stream` may have colours (no-color.org, force-color.org)."""
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return stream is not None and not stream.closed and stream.isatty()
