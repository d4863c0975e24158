"""From a name to an application: `module:attr`, `module:factory("x")`, `path/file.py:app`.

Whatever goes wrong is a ConfigError with exit code 4 that says what was looked for, where, and what
may have been meant; where the application's own code failed, with its traceback and none of ours.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import re
import sys
import traceback
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

from aiowsgi.errors import ConfigError
from aiowsgi.wsgi.types import WSGIApplication

if TYPE_CHECKING:
    from pathlib import Path

_DEFAULT_NAMES = ("application", "app")
_ASGI = "it is an ASGI application, which aiowsgi does not serve: use uvicorn or hypercorn for it"


class Target(NamedTuple):
    """A reference, taken apart: a module's name or a file's path, then a name, then a call.

    `arguments` is None where nothing is to be called.
    """

    text: str
    module: str
    is_file: bool
    path: tuple[str, ...] = ()
    arguments: tuple[list[Any], dict[str, Any]] | None = None


def load(reference: str, *, factory: bool = False) -> WSGIApplication:
    """Import the application that `reference` names; with `factory`, call what it names.

    Raises ConfigError with exit code 4.
    """
    target = parse(reference)
    name, expected_file = _locate(target) if target.is_file else (target.module, None)
    module = _import(target, name)
    if expected_file is not None and not _same_file(module, expected_file):
        raise _failure(
            target,
            f"the name {name!r} is taken by {getattr(module, '__file__', 'a built-in module')}",
            "rename the file",
        )
    found = _attribute(target, module)
    if target.arguments is not None:
        found = _call(target.text, found, *target.arguments)
    return check(found, target.text, factory=factory)


def check(application: Any, name: str, *, factory: bool = False) -> WSGIApplication:
    """Return the application, made by calling it where it is a `factory`; refuse what is none.

    `name` is what messages call it. Raises ConfigError with exit code 4.
    """
    if factory:
        application = _call(name, application, [], {})
    if reason := refusal(application, factory=factory):
        raise ConfigError(f"cannot serve {name!r}: {reason}", exit_code=4)
    return application  # type: ignore[no-any-return]


def enter(directory: str | None) -> None:
    """Change to `directory`, if any, and make the current directory the first importable one."""
    if directory is not None:
        try:
            os.chdir(directory)
        except OSError as error:
            reason = error.strerror or str(error)
            raise ConfigError(f"chdir: {directory!r} cannot be entered: {reason}") from None
    current = os.getcwd()
    if sys.path[:1] not in ([current], [""]):
        sys.path.insert(0, current)


# -- reading the reference ---------------------------------------------------------------------


def parse(reference: str) -> Target:
    """Take a reference apart without importing anything. Raises ConfigError with exit code 4."""
    drive, rest = os.path.splitdrive(reference)
    file = re.match(r"([^:]+?\.py)(?::(.*))?$", rest, re.DOTALL)
    if file:
        module, expression = drive + file[1], file[2]
    else:
        module, colon, rest = reference.partition(":")
        expression = rest if colon else None
    target = Target(reference, module, is_file=file is not None)
    if not module or expression == "":
        raise _failure(target, "it is not MODULE:NAME", "for example myproject.wsgi:application")
    if expression is None:
        return target
    return _parse_expression(target, expression)


def _parse_expression(target: Target, expression: str) -> Target:
    """Read what stands behind the colon: `name.name` or `name.name(literal, key=literal)`."""
    try:
        node = ast.parse(expression.strip(), mode="eval").body
        arguments = None
        if isinstance(node, ast.Call):
            keywords = {word.arg: ast.literal_eval(word.value) for word in node.keywords}
            arguments = ([ast.literal_eval(arg) for arg in node.args], keywords)
            node = node.func
        path: list[str] = []
        while isinstance(node, ast.Attribute):
            path.insert(0, node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or (arguments and None in arguments[1]):
            raise ValueError("neither a name nor a call")
    except (SyntaxError, ValueError):
        raise _failure(
            target,
            f"{expression!r} is neither a name nor a call with literal arguments",
            'for example app, web.app or create_app("production")',
        ) from None
    return target._replace(path=(node.id, *path), arguments=arguments)  # type: ignore[arg-type]


def _locate(target: Target) -> tuple[str, Path]:
    """Return the name under which a file is importable, and the file; its root goes to sys.path."""
    from pathlib import Path

    file = Path(target.module).absolute()
    if not file.is_file():
        raise _failure(target, f"there is no file {file}", "")
    parts = [] if file.name == "__init__.py" else [file.stem]
    root = file.parent
    while (root / "__init__.py").is_file():
        parts.insert(0, root.name)
        root = root.parent
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    return ".".join(parts), file


def _same_file(module: ModuleType, file: Path) -> bool:
    from pathlib import Path

    found = getattr(module, "__file__", None)
    return found is not None and Path(found).exists() and Path(found).samefile(file)


# -- running the application's code -------------------------------------------------------------


def _import(target: Target, name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        absent = missing is not None and (name == missing or name.startswith(f"{missing}."))
        if absent and _application_part(error.__traceback__) is None:
            from aiowsgi.importer_hints import missing_module

            raise _failure(target, *missing_module(name, str(missing), target.text)) from None
        raise _code_failure(target.text, "its import failed", error) from None


def _attribute(target: Target, module: ModuleType) -> Any:
    if not target.path:
        for name in _DEFAULT_NAMES:
            if hasattr(module, name):
                return getattr(module, name)
        tried = " or ".join(repr(name) for name in _DEFAULT_NAMES)
        raise _no_attribute(target, module, tried)
    found: Any = module
    for name in target.path:
        try:
            found = getattr(found, name)
        except AttributeError:
            raise _no_attribute(target, found, repr(name)) from None
        except (Exception, SystemExit) as error:
            raise _code_failure(target.text, f"reading {name!r} failed", error) from None
    return found


def _call(name: str, factory: Any, args: list[Any], keywords: dict[str, Any]) -> Any:
    if not callable(factory):
        kind = type(factory).__name__
        raise ConfigError(
            f"cannot load {name!r}: it is of type {kind}, not a function to call", exit_code=4
        )
    try:
        return factory(*args, **keywords)
    except (Exception, SystemExit) as error:
        raise _code_failure(name, "the factory failed", error) from None


# -- what is no application ---------------------------------------------------------------------


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


# -- failures ----------------------------------------------------------------------------------


def _failure(target: Target, what: str, hint: str) -> ConfigError:
    ending = f"\nHint: {hint}" if hint else ""
    return ConfigError(f"cannot load {target.text!r}: {what}{ending}", exit_code=4)


def _no_attribute(target: Target, owner: Any, wanted: str) -> ConfigError:
    from aiowsgi.importer_hints import missing_attribute

    what, hint = missing_attribute(
        owner, wanted, target.text, lambda found: not refusal(found, factory=False)
    )
    return _failure(target, what, hint)


def _code_failure(name: str, what: str, error: BaseException) -> ConfigError:
    """Return the failure of the application's own code, with its traceback."""
    if isinstance(error, SystemExit):
        what = f"it called sys.exit({error.code!r}) while it was loaded"
    shown = traceback.format_exception(type(error), error, _application_part(error.__traceback__))
    return ConfigError(f"cannot load {name!r}: {what}\n{''.join(shown).rstrip()}", exit_code=4)


def _application_part(trace: TracebackType | None) -> TracebackType | None:
    """Return the traceback from the first frame that is neither ours nor the import system's."""
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file not in (__file__, importlib.__file__) and not file.startswith("<frozen importlib"):
            return trace
        trace = trace.tb_next
    return None
