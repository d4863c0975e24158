"""What a WSGI application costs behind an ASGI adapter: `python -m benchmarks.middleware`.

The same application behind aiowsgi's, a2wsgi's and asgiref's adapter, in two ways: called in this
process by the least of hosts, and by wrk through uvicorn on a core of its own. Adapters take turns,
and ratios are taken inside each round, since a machine gets faster and slower while it measures.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

from benchmarks import apps, client, load, machine, processes
from benchmarks.ports import reserved_port
from benchmarks.runner import START_PATIENCE
from benchmarks.workloads import Workload

Message = MutableMapping[str, Any]
Application = Callable[[apps.Environ, apps.Start], Iterable[bytes]]
Adapter = Callable[[Application], Any]

THREADS = 10  # a2wsgi's default
CHUNKS, CHUNK = 1000, b"x" * 100
BOTH = 16  # clients at once, in process
FAILED = 0.0  # the figure of who answers with errors
# Under uvicorn; not more for chunks, of which the others would give no whole answer in time.
CONNECTIONS = {"GET": 64, f"{CHUNKS} chunks": 8}


def get(environ: apps.Environ, start_response: apps.Start) -> list[bytes]:
    return apps.answer(start_response, apps.HELLO)


def stream(environ: apps.Environ, start_response: apps.Start) -> Iterator[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return (CHUNK for _ in range(CHUNKS))


# -- the adapters --


def ours(app: Application) -> Any:
    from aiowsgi.asgi import WSGIMiddleware

    return WSGIMiddleware(cast("Any", app), threads=THREADS)


def a2wsgi(app: Application) -> Any:
    from a2wsgi import WSGIMiddleware

    return WSGIMiddleware(cast("Any", app), workers=THREADS)


def asgiref(app: Application) -> Any:
    from asgiref.wsgi import WsgiToAsgi

    return cast("Any", WsgiToAsgi)(app)


ADAPTERS: dict[str, Adapter] = {"aiowsgi": ours, "a2wsgi": a2wsgi, "asgiref": asgiref}
# What uvicorn imports: made when it is asked for, since an adapter may not be installed.
HOSTED = {
    f"{name}_{word}": (name, view)
    for name in ADAPTERS
    for word, view in (("get", get), ("stream", stream))
}


def __getattr__(name: str) -> Any:
    if name not in HOSTED:
        raise AttributeError(name)
    adapter, app = HOSTED[name]
    return ADAPTERS[adapter](app)


# -- in process --

SCOPE = {
    "type": "http",
    "asgi": {"version": "3.0"},
    "http_version": "1.1",
    "method": "GET",
    "scheme": "http",
    "path": "/shop/item/1",
    "raw_path": b"/shop/item/1",
    "query_string": b"page=2",
    "root_path": "",
    "headers": [
        (b"host", b"www.example.org"),
        (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"),
        (b"accept", b"text/html,application/xhtml+xml"),
        (b"accept-language", b"en-GB,en;q=0.9"),
        (b"accept-encoding", b"gzip, deflate, br"),
        (b"cookie", b"sessionid=6f1d2c0b9a8e47f5"),
    ],
    "client": ("127.0.0.1", 40000),
    "server": ("127.0.0.1", 8000),
}


async def call(asgi: Any) -> int:
    """One request, as a host makes it; the bytes of the body."""
    asked = False
    over = asyncio.get_running_loop().create_future()
    size = 0

    async def receive() -> Message:
        nonlocal asked
        if asked:
            await over
            return {"type": "http.disconnect"}
        asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal size
        size += len(message.get("body", b""))

    await asgi(dict(SCOPE), receive, send)
    if not over.done():
        over.set_result(None)
    return size


def in_process(name: str, app: Application, clients: int, seconds: float) -> float:
    """Calls per second."""
    expected = len(apps.HELLO) if app is get else CHUNKS * len(CHUNK)

    async def main() -> float:
        asgi = ADAPTERS[name](app)
        if await call(asgi) != expected:
            raise ValueError("a wrong answer")
        began, calls = time.perf_counter(), 0
        end = began + seconds

        async def ask() -> None:
            nonlocal calls
            while time.perf_counter() < end:
                await call(asgi)
                calls += 1

        await asyncio.gather(*(ask() for _ in range(clients)))
        return calls / (time.perf_counter() - began)

    return asyncio.run(main())


# -- through uvicorn --


def under_uvicorn(name: str, app: Application, what: str, seconds: int) -> float:
    """Requests per second, by wrk."""
    cores = machine.cores()
    target = f"benchmarks.middleware:{name}_{'get' if app is get else 'stream'}"
    words = ["-m", "uvicorn", "--no-access-log", "--log-level", "error", target, "--port"]
    length = len(apps.HELLO) if app is get else CHUNKS * len(CHUNK)
    workload = Workload("middleware", "", CONNECTIONS[what], length=length)
    with (
        tempfile.TemporaryDirectory() as folder,
        reserved_port() as port,
        processes.running([sys.executable, *words, str(port)], cores.server) as server,
    ):
        url = f"http://127.0.0.1:{port}"
        client.wait_until_it_accepts(port, lambda: server.poll() is None, START_PATIENCE)
        load.run(workload, url, 1, cores.load, Path(folder))
        found = load.run(workload, url, seconds, cores.load, Path(folder))
    if found.bad_answers or found.socket_errors:
        print(f"{found.bad_answers} bad answers, {found.socket_errors} broken", file=sys.stderr)
        return FAILED
    return found.rate


# -- the command --


def measures(seconds: int, wrk: bool) -> dict[str, Callable[[str], float]]:
    """What is measured, by its name: each takes the name of an adapter."""
    made: dict[str, Callable[[str], float]] = {}
    for app, what in ((get, "GET"), (stream, f"{CHUNKS} chunks")):
        for clients in (1, BOTH):
            made[f"{what}, in process, {clients} at once"] = partial(
                in_process, app=app, clients=clients, seconds=seconds
            )
        if wrk:
            made[f"{what}, under uvicorn, {CONNECTIONS[what]} connections"] = partial(
                under_uvicorn, app=app, what=what, seconds=seconds
            )
    return made


def table(figures: dict[str, dict[str, list[float]]]) -> str:
    """Medians of the rounds, and the median of the ratios of single rounds."""
    others = [name for name in next(iter(figures.values())) if name != "aiowsgi"]
    head = ["", "aiowsgi", *others, *(f"aiowsgi/{name}" for name in others)]
    rows = [f"| {' | '.join(head)} |", f"|---|{'--:|' * (len(head) - 1)}"]
    for what, by_adapter in figures.items():
        mine = by_adapter["aiowsgi"]
        medians = [statistics.median(found) for found in by_adapter.values()]
        cells = [f"{median:,.0f}" if median > FAILED else "fails" for median in medians]
        for name in others:
            pairs = zip(mine, by_adapter[name], strict=True)
            ratios = [a / b for a, b in pairs if b > FAILED]
            cells.append(f"{statistics.median(ratios):.1f}" if ratios else "")
        rows.append(f"| {what} | {' | '.join(cells)} |")
    return "\n".join(rows)


def main(arguments: Sequence[str] | None = None) -> int:
    made = argparse.ArgumentParser(prog="python -m benchmarks.middleware", description=__doc__)
    made.add_argument("--rounds", type=int, default=5, metavar="N")
    made.add_argument("--seconds", type=int, default=3, metavar="N", help="of each measurement")
    made.add_argument("--quick", action="store_true", help="one round of a second, in process")
    made.add_argument("--json", type=Path, metavar="FILE", help="write every figure")
    options = made.parse_args(arguments)
    present = [
        name for name in ADAPTERS if name == "aiowsgi" or importlib.util.find_spec(name) is not None
    ]
    wrk = not options.quick and load.available()
    wrk = wrk and importlib.util.find_spec("uvicorn") is not None
    rounds, seconds = (1, 1) if options.quick else (options.rounds, options.seconds)
    figures: dict[str, dict[str, list[float]]] = {}
    for number in range(rounds):
        for what, measure in measures(seconds, wrk).items():
            found = figures.setdefault(what, {name: [] for name in present})
            for name in present if number % 2 == 0 else reversed(present):
                found[name].append(measure(name))
                print(f"{what}: {name}: {found[name][-1]:,.0f}/s", file=sys.stderr)
    print(table(figures))
    for name, fact in machine.describe(machine.cores()).items():
        print(f"{name}: {fact}")
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
