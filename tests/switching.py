"""Threads switched far more often than usual, so that a race shows."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def switching(seconds: float) -> Iterator[None]:
    """Set the interpreter's switch interval for as long as the block runs."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(seconds)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
