"""The kinds of values that options have: durations, sizes, counts, switches, choices, lists.

A kind reads what an operator wrote (text of a flag or a variable) and what a program gave (a
Python value) alike, and reading its own result again changes nothing. What it refuses is a
ValueError whose words complete the sentence "expected ...".
"""

from __future__ import annotations

import dataclasses
import math
import os
import re
from collections.abc import Callable, Iterable
from typing import Any, Literal

Form = Literal["value", "switch", "flag", "python"]

HIDDEN = "(not shown)"

_DURATION = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)\s*(ms|s|m|h|d)?", re.ASCII)
_SIZE = re.compile(r"([0-9]{1,18})\s*([kmgt]?)(?:i?b)?", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
_ON = frozenset({"on", "true", "yes", "1"})
_OFF = frozenset({"off", "false", "no", "0"})


class Refused(ValueError):  # noqa: N818 - a value was, by its kind
    """One item of a list was refused: what was expected, and the item."""

    def __init__(self, expected: str, item: object) -> None:
        super().__init__(expected)
        self.item = item


@dataclasses.dataclass(frozen=True)
class Kind:
    """How the values of an option are read, written and described.

    `form` is how its flag looks: `--x VALUE`, `--x/--no-x` (switch), only `--x` (flag), or no flag
    at all (python). `absent` is how None is written. A `secret` is never shown.
    """

    metavar: str
    read: Callable[[Any], Any]
    show: Callable[[Any], str] = str
    unit: str = ""
    form: Form = "value"
    repeatable: bool = False
    absent: str = "none"
    secret: bool = False


# -- numbers -----------------------------------------------------------------------------------


def duration(*, minimum: float = 0.0, none: bool = True, zero: bool = False) -> Kind:
    """Seconds as a float; `none` = no limit, and with `zero` 0 as well: other servers say it so."""

    def read(value: Any) -> float | None:
        if none and _is_none(value):
            return None
        seconds = _seconds(value)
        if zero and seconds == 0:
            return None
        if seconds is None or not minimum <= seconds < math.inf:
            least = f", at least {_show_duration(minimum)}" if minimum else ""
            raise ValueError(f"a duration like 500ms, 30s or 5m{least}{_or_none(none)}")
        return seconds

    return Kind("DURATION", read, _show_duration, unit="seconds")


def size(*, minimum: int = 0, none: bool = True, zero: bool = False) -> Kind:
    """Bytes as an int, k/m/g are powers of 1024; `none` = no limit, with `zero` 0 as well."""

    def read(value: Any) -> int | None:
        if none and _is_none(value):
            return None
        number = value if _is_int(value) else None
        if isinstance(value, str) and (match := _SIZE.fullmatch(value.strip().lower())):
            number = int(match[1]) * _BYTES[match[2]]
        if zero and number == 0:
            return None
        if number is None or number < minimum:
            least = f", at least {minimum}" if minimum else ""
            raise ValueError(f"a size in bytes like 65536, 512k, 16m or 1g{least}{_or_none(none)}")
        return int(number)

    return Kind("SIZE", read, _show_size, unit="bytes")


def count(
    *, minimum: int = 0, maximum: int | None = None, none: bool = False, auto: bool = False
) -> Kind:
    """Return the kind of whole numbers; with `auto`, None is what the server chooses itself."""
    span = f"of at least {minimum}" if maximum is None else f"from {minimum} to {maximum}"
    absent = "auto" if auto else "none"

    def read(value: Any) -> int | None:
        if (auto or none) and (value is None or _lower(value) == absent):
            return None
        number = value if _is_int(value) else None
        if isinstance(value, str) and re.fullmatch("[0-9]{1,18}", value.strip(), re.ASCII):
            number = int(value)
        if number is None or number < minimum or (maximum is not None and number > maximum):
            choice = " (or auto)" if auto else _or_none(none)
            raise ValueError(f"a whole number {span}{choice}")
        return int(number)

    return Kind("NUMBER", read, absent=absent)


def permissions() -> Kind:
    """Return the kind of file modes: octal digits as text, or a Python int as it is."""

    def read(value: Any) -> int:
        mode = value if _is_int(value) else None
        if isinstance(value, str) and re.fullmatch("(0o)?[0-7]{1,4}", value, re.ASCII):
            mode = int(value, 8)
        if mode is None or not 0 <= mode <= 0o777:
            raise ValueError('octal permissions like "600" or "660" (0o600 in Python)')
        return int(mode)

    return Kind("MODE", read, lambda value: f"{value:03o}", unit="octal")


# -- words -------------------------------------------------------------------------------------


def switch(form: Form = "switch") -> Kind:
    """Booleans: on/off, true/false, yes/no, 1/0; form "value" is a flag that takes such a word."""

    def read(value: Any) -> bool:
        if isinstance(value, bool):
            return value
        word = "1" if value == 1 else "0" if value == 0 else _lower(value)
        if word not in _ON and word not in _OFF:
            raise ValueError("on or off")
        return word in _ON

    return Kind("[on|off]", read, lambda value: "on" if value else "off", form=form)


def choice(*words: str, numbered: bool = False) -> Kind:
    """Return the kind of one word out of a few, in any case; `numbered`: or its number, from 0."""
    known = {word.lower(): word for word in words}
    if numbered:
        known |= {str(number): word for number, word in enumerate(words)}

    def read(value: Any) -> str:
        word = known.get(str(int(value)) if _is_int(value) else _lower(value))
        if word is None:
            raise ValueError("one of " + ", ".join(words))
        return word

    return Kind(f"[{'|'.join(words)}]", read)


def text(metavar: str = "TEXT", check: Callable[[str], str] | None = None) -> Kind:
    """Return the kind of free text; `check` refuses by ValueError, or returns it made regular."""

    def read(value: Any) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str):
            raise ValueError("text")  # noqa: TRY004 - a kind refuses by ValueError only
        return check(value) if check else value

    return Kind(metavar, read, lambda value: value or '""')


def file() -> Kind:
    """Return the kind of paths of files; whether there is one is found out when it is read."""

    def read(value: Any) -> str | None:
        path = os.fspath(value) if isinstance(value, os.PathLike) else value
        if path is not None and not (isinstance(path, str) and path and "\0" not in path):
            raise ValueError("the path of a file")
        return path

    return Kind("FILE", read)


def secret() -> Kind:
    """Return the kind of passwords: text that no log, error, listing or repr ever shows."""

    def read(value: Any) -> str | None:
        if value is not None and not isinstance(value, str):
            raise Refused("text", HIDDEN)
        return value

    return Kind("TEXT", read, lambda _: HIDDEN, secret=True)


def function() -> Kind:
    """Return the kind of callables, which only a program can give."""

    def read(value: Any) -> Any:
        if value is not None and not callable(value):
            raise ValueError("a function")
        return value

    return Kind("FUNCTION", read, lambda f: getattr(f, "__qualname__", repr(f)), form="python")


def several(metavar: str, item: Callable[[Any], Any], separator: str) -> Kind:
    """Return the kind of tuples: a list of items, or one text cut at `separator` (a pattern)."""

    def read(value: Any) -> tuple[Any, ...]:
        parts: Iterable[Any]
        if value is None:
            parts = ()
        elif isinstance(value, str):
            parts = filter(None, (part.strip() for part in re.split(separator, value)))
        elif isinstance(value, dict):
            parts = value.items()
        elif isinstance(value, (list, tuple)):
            parts = value
        else:
            parts = (value,)
        return tuple(one(part) for part in parts)

    def one(part: Any) -> Any:
        try:
            return item(part)
        except ValueError as error:
            raise Refused(str(error), part) from None

    def show(value: Any) -> str:
        shown = (": ".join(v) if isinstance(v, tuple) else str(v) for v in value)
        return ", ".join(shown) or "none"

    return Kind(metavar, read, show, repeatable=True)


# -- parts -------------------------------------------------------------------------------------


def _seconds(value: Any) -> float | None:
    """Return the seconds that a number or a text says; None where it says no duration."""
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.strip().lower())
        return float(match[1]) * _SECONDS[match[2] or "s"] if match else None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    return None


def _show_duration(value: Any) -> str:
    return f"{value * 1000:g}ms" if 0 < value < 1 else f"{value:.15g}s"


def _show_size(value: Any) -> str:
    for unit in "gmk":
        if value and value % _BYTES[unit] == 0:
            return f"{value // _BYTES[unit]}{unit}"
    return str(value)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _lower(value: object) -> str:
    return value.strip().lower() if isinstance(value, str) else ""


def _is_none(value: object) -> bool:
    return value is None or _lower(value) == "none"


def _or_none(none: bool) -> str:
    return " (or none)" if none else ""
