"""The three laws of docs/architecture.md, held over the source, and proof that they can fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import aiowsgi
from tests import layout

ROOT = Path(__file__).parent.parent
PACKAGE = Path(aiowsgi.__file__).parent  # the checkout's, or an installed one
MOST_LINES = 300


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(
        ".__init__"
    )


@pytest.fixture(scope="module")
def house() -> layout.Sources:
    paths = sorted(PACKAGE.rglob("*.py"))
    return {module_name(path): path.read_text(encoding="utf-8") for path in paths}


LAWS: list[Callable[[layout.Sources], list[str]]] = [
    layout.imports_that_go_up,
    layout.import_circles,
    layout.forbidden_imports,
    layout.locks_outside_bridge,
    layout.calls_across_threads,
    layout.config_below_server,
    layout.vague_names,
]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_the_house_keeps_its_laws(
    law: Callable[[layout.Sources], list[str]], house: layout.Sources
) -> None:
    assert len(house) > 10
    assert law(house) == []


def test_no_file_is_over_300_lines() -> None:
    long = {
        str(path): lines
        for folder in (PACKAGE, ROOT / "tests", ROOT / "examples", ROOT / "benchmarks")
        for path in folder.rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MOST_LINES
    }
    assert long == {}


def test_init_files_of_inner_folders_are_empty() -> None:
    inner = list(PACKAGE.glob("*/__init__.py"))
    assert len(inner) >= 6
    public = {PACKAGE / "asgi" / "__init__.py"}  # `from aiowsgi.asgi import WSGIMiddleware`
    assert {path for path in inner if path.read_bytes()} == public


def test_every_folder_of_the_package_is_a_package() -> None:
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


# -- the laws can fail --

BREACHES = [
    pytest.param(
        layout.imports_that_go_up,
        {"aiowsgi.http11.parser": "from aiowsgi.wsgi import environ", "aiowsgi.wsgi.environ": ""},
        id="absolute import from the floor above",
    ),
    pytest.param(
        layout.imports_that_go_up,
        {
            "aiowsgi.bridge.pool": "from ..server.connection import Connection",
            "aiowsgi.server.connection": "",
        },
        id="relative import from above",
    ),
    pytest.param(
        layout.imports_that_go_up,
        {
            "aiowsgi.wsgi.call": (
                "from typing import TYPE_CHECKING\n"
                "if TYPE_CHECKING:\n    from aiowsgi.bridge.writer import ResponseWriter\n"
            ),
            "aiowsgi.bridge.writer": "",
        },
        id="import for types only",
    ),
    pytest.param(
        layout.imports_that_go_up,
        {
            "aiowsgi.bridge.pool": "def drain():\n    import aiowsgi.server.server\n",
            "aiowsgi.server.server": "",
        },
        id="import in a function",
    ),
    pytest.param(
        layout.imports_that_go_up,
        {"aiowsgi.wsgi.call": "from aiowsgi import __version__", "aiowsgi": ""},
        id="a name of the package itself",
    ),
    pytest.param(
        layout.imports_that_go_up,
        {"aiowsgi.server.connection": "from . import server", "aiowsgi.server.server": ""},
        id="a floor inside one folder",
    ),
    pytest.param(layout.imports_that_go_up, {"aiowsgi.elsewhere": ""}, id="a module with no floor"),
    pytest.param(
        layout.import_circles,
        {
            "aiowsgi.bridge.a": "from aiowsgi.bridge import b",
            "aiowsgi.bridge.b": "from aiowsgi.bridge.c import x",
            "aiowsgi.bridge.c": "from .a import y",
        },
        id="three modules in a circle",
    ),
    pytest.param(
        layout.forbidden_imports,
        {"aiowsgi.http11.encoder": "def now():\n    from time import monotonic\n"},
        id="the time in http11",
    ),
    pytest.param(
        layout.forbidden_imports,
        {"aiowsgi.bridge.pool": "import asyncio.events as events"},
        id="asyncio in bridge",
    ),
    pytest.param(
        layout.locks_outside_bridge,
        {"aiowsgi.server.server": "import threading\nready = threading.Event()"},
        id="a lock as an attribute",
    ),
    pytest.param(
        layout.locks_outside_bridge,
        {"aiowsgi.server.server": "from threading import Condition as C"},
        id="a lock by name",
    ),
    pytest.param(
        layout.locks_outside_bridge,
        {"aiowsgi.watch.metrics": "import queue"},
        id="a lock inside a queue",
    ),
    pytest.param(
        layout.calls_across_threads,
        {"aiowsgi.bridge.exchange": "def end(loop):\n    loop.call_soon_threadsafe(print)"},
        id="a wake of one's own",
    ),
    pytest.param(
        layout.calls_across_threads,
        {"aiowsgi.run": "from asyncio import *\nrun_coroutine_threadsafe(f(), loop)"},
        id="the same by name",
    ),
    pytest.param(
        layout.config_below_server,
        {"aiowsgi.bridge.pool": "from aiowsgi.config import Config", "aiowsgi.config": ""},
        id="Config in bridge",
    ),
    pytest.param(layout.vague_names, {"aiowsgi.server.socket_utils": ""}, id="a vague name"),
]


@pytest.mark.parametrize(("law", "house"), BREACHES)
def test_a_breach_is_seen(
    law: Callable[[layout.Sources], list[str]], house: layout.Sources
) -> None:
    assert len(law(house)) == 1


def test_what_the_laws_allow_is_no_breach() -> None:
    house = {
        "aiowsgi": "from aiowsgi.run import run",
        "aiowsgi.run": "from .config import Config\nfrom .server.server import Server",
        "aiowsgi.config": "from .errors import ConfigError",
        "aiowsgi.errors": "",
        "aiowsgi.server": "",
        "aiowsgi.server.server": "import asyncio\nfrom .connection import Connection\n"
        "from ..config import Config\nready = asyncio.Event()",
        "aiowsgi.server.connection": "import asyncio, time\nfrom ..bridge import pool",
        "aiowsgi.server.waking": "import asyncio\nfrom ..bridge import pool\n"
        "asyncio.get_running_loop().call_soon_threadsafe(pool.drain)",
        "aiowsgi.bridge": "",
        "aiowsgi.bridge.pool": "import threading\nlock = threading.Lock()",
    }
    assert {law.__name__: law(house) for law in LAWS} == {law.__name__: [] for law in LAWS}
