"""How many descriptors the process may open: a connection takes two, its own and its duplicate."""

from __future__ import annotations

from contextlib import suppress


def raise_descriptor_limit() -> None:
    """Raise the soft limit of open files to the hard one, where the system has such limits."""
    try:
        import resource
    except ImportError:  # Windows
        return
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # macOS names a limit that it does not grant
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
