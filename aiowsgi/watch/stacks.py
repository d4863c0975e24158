"""What a thread is doing: its stack as text, names and lines of code only, and no value of any."""

from __future__ import annotations

import concurrent.futures
import sys
import threading
import traceback
from collections.abc import Iterable
from pathlib import Path
from types import FrameType

# Where a pool thread comes from: what stands before the first call of anything else says nothing.
_BEFORE = (
    threading.__file__,
    str(Path(concurrent.futures.__file__).parent),
    str(Path(__file__).parents[1]),
)


def stack_of(thread: int) -> str:
    """The stack of a thread by its identity, innermost call last: where each is, and its line.

    What leads from the thread's start to the application is left out; a thread that is gone has an
    empty one.
    """
    return stacks_of([thread]).get(thread, "")


def stacks_of(threads: Iterable[int]) -> dict[int, str]:
    """The same of several threads, in one look; one that is gone is not among them."""
    frames = sys._current_frames()
    return {thread: _shown(frames[thread]) for thread in threads if thread in frames}


def _shown(frame: FrameType) -> str:
    calls = traceback.extract_stack(frame)
    first = next((at for at, call in enumerate(calls) if not _leads_there(call.filename)), 0)
    return "".join(traceback.format_list(calls[first:])).rstrip("\n")


def _leads_there(file: str) -> bool:
    return file.startswith(_BEFORE)
