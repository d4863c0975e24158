"""Reads the laws of docs/architecture.md out of source text: imports, locks, names, sizes.

Every check takes sources as `{module name: text}` and returns the breaches as sentences, so that a
test can give it a house of three lines. Imports count wherever they stand: in a function, and under
`if TYPE_CHECKING`, since a type that comes from above ties the floors as much as a call does.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

Sources = Mapping[str, str]

# From the ground up. A name stands for its module and everything inside it; the longest one wins.
CONFIG = (
    "aiowsgi.config",
    "aiowsgi.config_development",
    "aiowsgi.config_http",
    "aiowsgi.config_identity",
    "aiowsgi.config_load",
    "aiowsgi.config_logs",
    "aiowsgi.config_process",
    "aiowsgi.config_proxies",
    "aiowsgi.config_reload",
    "aiowsgi.config_sources",
    "aiowsgi.config_watch",
    "aiowsgi.config_workers",
    "aiowsgi.options",
)
FLOORS: tuple[tuple[str, ...], ...] = (
    (
        "aiowsgi.errors",
        "aiowsgi.binds",
        "aiowsgi.cpus",
        "aiowsgi.kinds",
        "aiowsgi.line_format",
        "aiowsgi.version",
        *CONFIG,
    ),
    ("aiowsgi.http11",),
    ("aiowsgi.wsgi",),
    ("aiowsgi.bridge", "aiowsgi.watch"),
    ("aiowsgi.asgi", "aiowsgi.server"),  # in server/: the connection and what it is made of
    tuple(
        f"aiowsgi.server.{part}"
        for part in (
            *"acceptor account admin alerts assembly banner certificates control drain".split(),
            *"handshake log_setup loops metrics one_process opening pages server signals".split(),
            *"sites sockets status_page systemd tls view watched".split(),
        )
    ),
    tuple(
        f"aiowsgi.server.{part}"
        for part in (
            "supervisor reloader changes worker workers child launch lifeline spawn process "
            "overview side_loop visits watching".split()
        )
    ),
    (
        "aiowsgi.env_file",
        "aiowsgi.foreign",
        "aiowsgi.importer",
        "aiowsgi.importer_hints",
        "aiowsgi.settings",
        "aiowsgi.toml_file",
    ),
    (
        "aiowsgi.supervised",
        "aiowsgi.reloading",
        "aiowsgi.run",
        "aiowsgi.ctl",
        "aiowsgi.ctl_text",
        "aiowsgi.cli",
        "aiowsgi.simple_server",
        "aiowsgi.testing",
    ),
    ("aiowsgi.contrib",),
    ("aiowsgi", "aiowsgi.__main__"),
)

FORBIDDEN: dict[str, frozenset[str]] = {
    "aiowsgi.http11": frozenset(
        {"asyncio", "threading", "socket", "ssl", "time", "datetime", "logging", "random"}
    ),
    "aiowsgi.wsgi": frozenset({"asyncio", "threading", "socket", "ssl", "time", "random"}),
    "aiowsgi.bridge": frozenset({"asyncio", "time", "random"}),
    "aiowsgi.watch": frozenset({"asyncio", "random"}),
    "aiowsgi.foreign": frozenset({"asyncio", "threading", "socket"}),
}

LOCKS = frozenset(
    {"Lock", "RLock", "Condition", "Event", "Semaphore", "BoundedSemaphore", "Barrier"}
)
LOCK_SOURCES = frozenset({"threading", "multiprocessing", "_thread", "queue"})
MAY_LOCK = {
    "aiowsgi.bridge": "the only place where the loop and pool threads meet",
    "aiowsgi.watch.log_thread": "its notes are written by a thread of its own, off the hot path",
    "aiowsgi.simple_server": "as in wsgiref, shutdown() waits in one thread for the end in another",
}

ACROSS_THREADS = frozenset({"call_soon_threadsafe", "run_coroutine_threadsafe"})
MAY_CROSS = frozenset({"aiowsgi.server.waking"})

# Floors below server/ take plain values (law 3).
MAY_SEE_CONFIG = (
    *CONFIG,
    "aiowsgi",
    "aiowsgi.__main__",
    "aiowsgi.cli",
    "aiowsgi.contrib",
    "aiowsgi.reloading",
    "aiowsgi.run",
    "aiowsgi.server",
    "aiowsgi.settings",
    "aiowsgi.simple_server",
    "aiowsgi.supervised",
    "aiowsgi.testing",
    "aiowsgi.toml_file",
)

VAGUE_NAMES = frozenset({"common", "helper", "helpers", "manager", "misc", "util", "utils"})


def inside(module: str, name: str) -> bool:
    """Whether `module` is `name` or stands in it; the package itself holds only itself here."""
    return module == name or (name != "aiowsgi" and module.startswith(name + "."))


def floor(module: str) -> int | None:
    """The floor of a module, from 0 at the ground; None where the table has no place for it."""
    found = [
        (len(name), number)
        for number, names in enumerate(FLOORS)
        for name in names
        if inside(module, name)
    ]
    return max(found)[1] if found else None


def imports(module: str, text: str, package: bool = False) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of everything that a module imports, wherever it stands."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = module.split(".")
                parents = parents[: len(parents) - node.level + package]
                base = ".".join([*parents, base] if base else parents)
            for alias in node.names:
                yield node.lineno, f"{base}.{alias.name}"


def home(name: str, sources: Sources) -> str | None:
    """The module of ours that an imported name lives in: the longest prefix that is a module."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        if ".".join(parts[:end]) in sources:
            return ".".join(parts[:end])
    return None


def our_imports(sources: Sources) -> Iterator[tuple[str, int, str]]:
    """(module, line, module imported) for every import of ours by ours."""
    for module, text in sources.items():
        package = any(other.startswith(module + ".") for other in sources)
        for line, name in imports(module, text, package):
            target = home(name, sources) if name.split(".")[0] == "aiowsgi" else None
            if target is not None and target != module:
                yield module, line, target


def imports_that_go_up(sources: Sources) -> list[str]:
    breaches = [f"{module}: no floor in the table" for module in sources if floor(module) is None]
    for module, line, target in our_imports(sources):
        here, there = floor(module), floor(target)
        if here is not None and there is not None and there > here:
            breaches.append(f"{module}:{line} imports {target} from floor {there} into {here}")
    return breaches


def import_circles(sources: Sources) -> list[str]:
    graph: dict[str, set[str]] = {module: set() for module in sources}
    for module, _, target in our_imports(sources):
        graph[module].add(target)
    circles: list[str] = []
    done: set[str] = set()

    def visit(module: str, path: list[str]) -> None:
        if module in path:
            circles.append(" -> ".join([*path[path.index(module) :], module]))
        elif module not in done:
            for target in sorted(graph[module]):
                visit(target, [*path, module])
            done.add(module)

    for module in sorted(graph):
        visit(module, [])
    return circles


def forbidden_imports(sources: Sources) -> list[str]:
    return [
        f"{module}:{line} imports {name}"
        for module, text in sources.items()
        for folder, names in FORBIDDEN.items()
        if inside(module, folder)
        for line, name in imports(module, text)
        if name.split(".")[0] in names
    ]


def locks_outside_bridge(sources: Sources) -> list[str]:
    breaches = []
    for module, text in sources.items():
        if any(inside(module, place) for place in MAY_LOCK):
            continue
        for line, name in imports(module, text):
            source, _, item = name.partition(".")
            if source in LOCK_SOURCES and (item in LOCKS or source == "queue"):
                breaches.append(f"{module}:{line} imports {name}")
        breaches.extend(
            f"{module}:{node.lineno} uses {node.value.id}.{node.attr}"
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in LOCK_SOURCES
            and node.attr in LOCKS
        )
    return breaches


def calls_across_threads(sources: Sources) -> list[str]:
    breaches = []
    for module, text in sources.items():
        if module in MAY_CROSS:
            continue
        for node in ast.walk(ast.parse(text)):
            name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", None)
            if name in ACROSS_THREADS:
                breaches.append(f"{module}:{getattr(node, 'lineno', 0)} uses {name}")
    return breaches


def config_below_server(sources: Sources) -> list[str]:
    return [
        f"{module}:{line} imports {target}"
        for module, line, target in our_imports(sources)
        if target in CONFIG and not any(inside(module, place) for place in MAY_SEE_CONFIG)
    ]


def vague_names(sources: Sources) -> list[str]:
    return [module for module in sources if VAGUE_NAMES & set(module.split(".")[-1].split("_"))]
