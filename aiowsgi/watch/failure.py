"""What an exception says for people: its calls with their source around, and their variables.

Nothing here raises, whatever the application's objects do, and everything is bounded: an error is
shown by code that must not be the next one.
"""

from __future__ import annotations

import linecache
import os
import reprlib
import sysconfig
import traceback
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any, NamedTuple

_AROUND = 5  # lines of source before and after the one that was running
_MOST_CALLS = 60  # of an exception: the outermost third and the innermost, as in a recursion
_MOST_EXCEPTIONS = 10  # of a chain
_MOST_VARIABLES = 60  # of a call
_LONGEST_VALUE = 600  # characters
_LONGEST_TEXT = 100_000  # characters of a message, or of the plain traceback

_LIBRARIES = tuple(
    sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")
)
_PACKAGES = ("site-packages", "dist-packages", "<frozen ")

_values = reprlib.Repr()
_values.maxstring = _values.maxother = _LONGEST_VALUE // 2
_values.maxdict = _values.maxlist = _values.maxtuple = _values.maxset = 20
_values.maxlevel = 4


class Call(NamedTuple):
    """One call on the way to the error; `source` are lines with their numbers, around `line`."""

    file: str
    function: str
    line: int
    source: list[tuple[int, str]]
    variables: list[tuple[str, str]]
    is_library: bool  # it is not the application's own code


class Raised(NamedTuple):
    """One exception of a chain; `led_to`: how it brought about the one before it, in words."""

    kind: str
    message: str
    calls: list[Call]
    left_out: int  # calls in the midst of `calls` that are too many
    led_to: str = ""


def chain(error: BaseException) -> list[Raised]:
    """The exception, then the one that it came from, and so on; each with its calls."""
    found: list[Raised] = []
    seen: set[int] = set()
    each: BaseException | None = error
    led_to = ""
    while each is not None and id(each) not in seen and len(found) < _MOST_EXCEPTIONS:
        seen.add(id(each))
        calls, left_out = _calls(each.__traceback__)
        found.append(Raised(_kind(each), _message(each), calls, left_out, led_to))
        if each.__cause__ is not None:
            each, led_to = each.__cause__, "It was raised from this one"
        else:
            each = None if each.__suppress_context__ else each.__context__
            led_to = "It was raised while this one was handled"
    return found


def plain(error: BaseException) -> str:
    """The traceback as Python prints it, without our own calls before the application's."""
    lines = traceback.TracebackException(
        type(error), error, _from_application(error.__traceback__), compact=True
    )
    return _bounded("".join(lines.format()), _LONGEST_TEXT)


def shown(value: Any) -> str:
    """The repr() of any object; never raises, and never is long."""
    try:
        return _bounded(_values.repr(value), _LONGEST_VALUE)
    except BaseException as error:  # whatever it is, it is the object's
        return f"<{_kind(value)} whose repr() raised {_kind(error)}>"


def _kind(value: object) -> str:
    kind = type(value)
    name = kind.__qualname__
    return name if kind.__module__ == "builtins" else f"{kind.__module__}.{name}"


def _message(error: BaseException) -> str:
    try:
        return _bounded(str(error), _LONGEST_TEXT)
    except BaseException as another:  # the same
        return f"<its str() raised {_kind(another)}>"


def _bounded(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most} characters more)"


def _from_application(step: TracebackType | None) -> TracebackType | None:
    """Skip our own calls, which lead to those of the application."""
    while step is not None and _is_ours(step.tb_frame):
        step = step.tb_next
    return step


def _calls(trace: TracebackType | None) -> tuple[list[Call], int]:
    steps = list(_steps(_from_application(trace)))
    left_out = max(0, len(steps) - _MOST_CALLS)
    if left_out:
        head = _MOST_CALLS // 3
        steps[head : head + left_out] = []
    return [_call(frame, line) for frame, line in steps], left_out


def _steps(step: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while step is not None:
        yield step.tb_frame, step.tb_lineno or step.tb_frame.f_lineno or 0
        step = step.tb_next


def _call(frame: FrameType, line: int) -> Call:
    code = frame.f_code
    lines = linecache.getlines(code.co_filename, frame.f_globals)
    first = max(1, line - _AROUND)
    around = (text.rstrip("\n") for text in lines[first - 1 : line + _AROUND])
    name = getattr(code, "co_qualname", code.co_name)  # from Python 3.11 on
    source = list(enumerate(around, first))
    return Call(code.co_filename, name, line, source, _variables(frame), _is_library(frame))


def _variables(frame: FrameType) -> list[tuple[str, str]]:
    mine = [(name, value) for name, value in frame.f_locals.items() if not name.startswith("__")]
    return [(name, shown(value)) for name, value in mine[:_MOST_VARIABLES]]


def _is_ours(frame: FrameType) -> bool:
    # By the module: the calls of compiled ones have no whole path.
    return str(frame.f_globals.get("__name__", "")).startswith("aiowsgi.")


def _is_library(frame: FrameType) -> bool:
    file = frame.f_code.co_filename
    return (
        _is_ours(frame)
        or file.startswith(_LIBRARIES)
        or any(folder in file for folder in _PACKAGES)
    )
