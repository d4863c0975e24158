"""What an operator may have meant, and why something is no WSGI application.

Nothing here imports or runs the application's code; it looks at names, files and signatures.
"""

from __future__ import annotations

import difflib
import inspect
import pkgutil
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

_ASGI = "it is an ASGI application, which aiowsgi does not serve: use uvicorn or hypercorn for it"


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


def missing_attribute(owner: Any, wanted: str, reference: str) -> tuple[str, str]:
    """Return what to say about an attribute that does not exist, and a hint (may be empty)."""
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
        own = [n for n in names if _looks_like_application(getattr(owner, n, None), owner)]
        if own:
            return what, f"name it, for example {reference}:{own[0]}"
    return what, ""


def refusal(application: Any, *, factory: bool) -> str:
    """Return why this is no WSGI application; empty where it may be one."""
    if not callable(application):
        kind = "None" if application is None else f"of type {type(application).__name__}"
        made = "what the factory returned" if factory else "it"
        return f"{made} is {kind}, which is not callable"
    parameters = _required(application)
    called = (application, type(application).__call__)
    if any(map(inspect.iscoroutinefunction, called)) or parameters[:1] == ["scope"]:
        return _ASGI
    try:
        inspect.signature(application).bind({}, None)
    except TypeError:
        return _wrong_arguments(application, parameters)
    except ValueError:
        pass  # written in C without a signature: only a call would tell
    return ""


def _wrong_arguments(application: Any, parameters: list[str]) -> str:
    what = "it does not take the two arguments (environ, start_response)"
    if inspect.isclass(application):
        return f"{what}\nHint: it is a class; name an instance of it"
    if not parameters:
        return f"{what}\nHint: if it is a function that makes the application, add --factory"
    return what


def _required(application: Any) -> list[str]:
    try:
        parameters = inspect.signature(application).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p.name for p in parameters if p.default is p.empty and p.kind < p.VAR_POSITIONAL]


def _looks_like_application(found: Any, module: ModuleType) -> bool:
    """Return whether this is of the module's own making and can be called as an application."""
    if inspect.isclass(found) or inspect.ismodule(found):
        return False
    own = getattr(found, "__module__", None) == module.__name__ or not inspect.isroutine(found)
    return own and callable(found) and not refusal(found, factory=False)


def _near(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(names), 1)
    return near[0] if near else ""
