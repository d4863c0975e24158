"""The version and how it was built, at the bottom of the house, so that every floor can say it."""

from __future__ import annotations

import platform
from importlib.machinery import ExtensionFileLoader
from importlib.util import find_spec

__version__ = "0.1.0"

# One of the modules that hatch_build.py compiles; they are compiled together or not at all.
_HOT = "aiowsgi.http11.parser"


def compiled() -> bool:
    """Whether the hot path runs compiled; else it is the same source, interpreted."""
    spec = find_spec(_HOT)
    return spec is not None and isinstance(spec.loader, ExtensionFileLoader)


def described() -> str:
    """The version with what a report of a bug or of a figure has to say; one line."""
    from importlib.metadata import PackageNotFoundError, version  # costs more than all of this

    build = "compiled" if compiled() else "pure Python"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    try:
        loop = f"uvloop {version('uvloop')}"
    except PackageNotFoundError:
        loop = "no uvloop"
    return f"{__version__} ({build}; {python}, {loop})"
