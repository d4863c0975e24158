"""What an operator may have meant, once something was not found; loaded only then.

Nothing here imports or runs the application's code; it looks at names, files and signatures.
"""

from __future__ import annotations

import difflib
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any


def missing_module(name: str, missing: str, reference: str) -> tuple[str, str]:
    """Return what to say about a module that does not exist, and a hint (may be empty).

    `missing` is the first part of the dotted `name` that is not there.
    """
    parent, _, last = missing.rpartition(".")
    package = sys.modules.get(parent) if parent else None
    where = getattr(package, "__path__", None)
    places = list(where) if where is not None else [str(Path.cwd())]
    looked = ", ".join(places) + ("" if parent else " and Python's own path")
    what = f"there is no module {missing!r} (looked in {looked})"
    return what, _module_hint(name, last, places, reference)


def _module_hint(name: str, last: str, places: list[str], reference: str) -> str:
    rest = reference[len(name) :]
    for suffix in (".py", "/__init__.py"):
        if ("/" in name or "\\" in name) and Path(name + suffix).is_file():
            return f"did you mean {name}{suffix}{rest}?"
    if ":" not in reference and "." in name:
        head, _, tail = name.rpartition(".")
        if Path(*head.split(".")).with_suffix(".py").is_file():
            return f"did you mean {head}:{tail}?"
    near = _near(last, (found.name for found in pkgutil.iter_modules(places)))
    if near:
        return f"did you mean {near!r}?"
    below = next(Path.cwd().glob(f"*/{last}.py"), None)
    if below is not None:
        return f"there is {below.relative_to(Path.cwd())}: use --chdir {below.parent.name}"
    return ""


def missing_attribute(
    owner: Any, wanted: str, reference: str, serves: Callable[[Any], bool]
) -> tuple[str, str]:
    """Return what to say about an attribute that does not exist, and a hint (may be empty).

    `serves` tells whether something may be an application.
    """
    if isinstance(owner, ModuleType):
        where = f"the module {owner.__name__!r} ({getattr(owner, '__file__', None) or 'built in'})"
    else:
        where = f"the {type(owner).__name__} that stands there"
    what = f"there is no {wanted} in {where}"
    names = [name for name in dir(owner) if not name.startswith("_")]
    near = _near(wanted.strip("'"), names)
    if near:
        return what, f"did you mean {near!r}?"
    if ":" not in reference and isinstance(owner, ModuleType):
        own = [n for n in names if _is_own(f := getattr(owner, n, None), owner) and serves(f)]
        if own:
            return what, f"name it, for example {reference}:{own[0]}"
    return what, ""


def _is_own(found: Any, module: ModuleType) -> bool:
    """Return whether this is of the module's own making, and no class."""
    if inspect.isclass(found) or inspect.ismodule(found):
        return False
    own = getattr(found, "__module__", None) == module.__name__ or not inspect.isroutine(found)
    return own and callable(found)


def _near(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(names), 1)
    return near[0] if near else ""
