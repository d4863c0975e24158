"""What an exchange held is freed at its end, without the garbage collector (P30, S20)."""

from __future__ import annotations

import gc
import logging
import sys
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from aiowsgi.wsgi.types import Environ, StartResponse, WSGIApplication
from tests.bridge.test_exchange import Around


class Held:
    """What an application keeps in its environ; dies with it."""


@pytest.fixture
def _no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def keeping(inside: Callable[[Environ, StartResponse], Any]) -> tuple[WSGIApplication, list[Any]]:
    """Wrap an application so that a reference to something in its environ is noted."""
    noted: list[Any] = []

    def app(environ: Environ, start_response: StartResponse) -> Any:
        held = environ["test.held"] = Held()
        noted.append(weakref.ref(held))
        del held
        return inside(environ, start_response)

    return app, noted


def ordinary(environ: Environ, start_response: StartResponse) -> Any:
    start_response("200 OK", [])
    return [b"body"]


def generator(environ: Environ, start_response: StartResponse) -> Any:
    start_response("200 OK", [])
    yield b"a"
    yield b"b"


def broken(environ: Environ, start_response: StartResponse) -> Any:
    raise ValueError("broken")


def broken_half_way(environ: Environ, start_response: StartResponse) -> Any:
    start_response("200 OK", [])
    yield b"a"
    raise ValueError("broken")


def replaced(environ: Environ, start_response: StartResponse) -> Any:
    start_response("200 OK", [])
    try:
        raise ValueError("broken")
    except ValueError:
        start_response("500 Oops", [], sys.exc_info())
    return [b"sorry"]


def late(environ: Environ, start_response: StartResponse) -> Any:
    start_response("200 OK", [])
    yield b"a"
    try:
        raise ValueError("broken")
    except ValueError:
        start_response("500 Oops", [], sys.exc_info())


def unfit(environ: Environ, start_response: StartResponse) -> Any:
    start_response("200 OK", [("Bad Name", "x")])


def hinting(environ: Environ, start_response: StartResponse) -> Any:
    environ["test.hints"] = environ["wsgi.early_hints"]
    environ["wsgi.early_hints"]([("Link", "<a>")])
    return ordinary(environ, start_response)


def watching(environ: Environ, start_response: StartResponse) -> Any:
    watch = environ["aiowsgi.client_disconnected"]
    watch.add_callback(lambda: environ)
    KEPT.append(watch)
    return ordinary(environ, start_response)


KEPT: list[Any] = []
APPS = [ordinary, generator, broken, broken_half_way, replaced, late, unfit, hinting, watching]


@pytest.mark.usefixtures("_no_collector")
@pytest.mark.parametrize("inside", APPS)
def test_what_an_exchange_held_dies_with_its_end(inside: Any) -> None:
    """P30: without the collector, while the loop still has the exchange itself.

    The log keeps no record here: a handler that keeps them keeps their tracebacks.
    """
    app, noted = keeping(inside)
    around = Around(app)
    logging.disable(logging.CRITICAL)
    try:
        around.exchange.run()
    finally:
        logging.disable(logging.NOTSET)
    [reference] = noted
    assert reference() is None
    around.exchange.conclude()  # as the loop does, where a log is still to be told
    assert around.exchange.client == ""
