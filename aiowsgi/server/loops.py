"""`auto | uvloop | asyncio` -> an event loop, and a coroutine run on it to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from importlib.util import find_spec
from typing import Any, TypeVar

from aiowsgi.errors import ConfigError

_T = TypeVar("_T")


def new_loop(name: str) -> asyncio.AbstractEventLoop:
    """Make the loop of that name; `auto` is uvloop where it is installed.

    Raises ConfigError where uvloop is asked for and missing.
    """
    if name in ("auto", "uvloop"):
        try:
            import uvloop
        except ImportError:
            if name == "uvloop":
                raise ConfigError(
                    "loop: uvloop is not installed here; install it (pip install uvloop; it has "
                    "no Windows version), or use --loop asyncio"
                ) from None
        else:
            return uvloop.new_event_loop()
    return asyncio.new_event_loop()


def name_of_loop(loop: asyncio.AbstractEventLoop) -> str:
    """What it is: uvloop or asyncio, or the package of somebody else's."""
    return type(loop).__module__.partition(".")[0]


def name_of_choice(name: str) -> str:
    """What `new_loop(name)` would make, for who does not need one."""
    if name != "auto":
        return name
    return "asyncio" if find_spec("uvloop") is None else "uvloop"


def run(main: Coroutine[Any, Any, _T], loop: asyncio.AbstractEventLoop) -> _T:
    """Run `main` on `loop`, end what it left behind, and close the loop."""
    try:
        return loop.run_until_complete(main)
    finally:
        try:
            left = asyncio.all_tasks(loop)
            for task in left:
                task.cancel()
            if left:
                loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()
