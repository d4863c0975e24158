"""`aiowsgi.client_disconnected` tells the truth, calls back once, and keeps nothing alive (S7)."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from functools import partial
from typing import Any

import pytest

from aiowsgi.bridge import disconnect
from aiowsgi.bridge.disconnect import Aside, ClientWatch
from aiowsgi.wsgi.types import Environ, StartResponse
from tests.bridge.test_exchange import Around
from tests.switching import switching

KEY = "aiowsgi.client_disconnected"


class Watched:
    """An exchange whose application does something with its watch."""

    def __init__(self, inside: Callable[[ClientWatch], object]) -> None:
        self.watch: Any = None

        def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            self.watch = environ[KEY]
            assert environ["waitress.client_disconnected"] is self.watch
            inside(self.watch)
            start_response("200 OK", [])
            return [b"body"]

        self.around = Around(app)
        self.exchange = self.around.exchange


def test_a_client_that_stays_has_not_left() -> None:
    asked: list[bool] = []
    watched = Watched(lambda watch: asked.append(watch()))
    watched.exchange.run()
    assert asked == [False]
    watched.exchange.abandon("the client left")  # it had its answer
    assert watched.watch() is False


@pytest.mark.parametrize("how", ["abandon", "shut"])
def test_a_client_that_leaves_has_left_at_once_and_for_ever(how: str) -> None:
    def inside(watch: ClientWatch) -> None:
        assert not watch()
        leave(watched, how)
        assert watch()

    watched = Watched(inside)
    watched.exchange.run()
    called: list[int] = []
    watched.watch.add_callback(lambda: called.append(1))
    assert (watched.watch(), called) == (True, [])
    # One that has only shut its side is answered (H19).
    assert watched.around.kernel.sent.endswith(b"body" if how == "shut" else b"")


def leave(watched: Watched, how: str) -> None:
    if how == "abandon":
        watched.exchange.abandon("the client left")
    else:
        watched.exchange.shut()


@pytest.mark.parametrize("how", ["abandon", "shut"])
def test_a_callback_is_called_once_on_a_thread_of_neither_loop_nor_pool(how: str) -> None:
    called: list[str] = []
    done = threading.Event()

    def note() -> None:
        called.append(threading.current_thread().name)
        done.set()

    def inside(watch: ClientWatch) -> None:
        watch.add_callback(note)
        leave(watched, how)
        leave(watched, how)
        assert done.wait(10)

    watched = Watched(inside)
    watched.exchange.run()
    assert called == ["aiowsgi-left"]


def test_where_the_client_has_left_a_callback_is_called_here_and_now() -> None:
    called: list[int] = []

    def inside(watch: ClientWatch) -> None:
        watched.exchange.shut()
        watch.add_callback(lambda: called.append(threading.get_ident()))
        assert called == [threading.get_ident()]

    watched = Watched(inside)
    watched.exchange.run()
    assert len(called) == 1


def test_after_the_exchange_no_callback_is_called() -> None:
    called: list[str] = []
    before = set(threading.enumerate())
    watched = Watched(lambda watch: watch.add_callback(lambda: called.append("early")))
    watched.exchange.run()
    watched.watch.add_callback(lambda: called.append("late"))
    watched.exchange.abandon("the client left")
    watched.watch.add_callback(lambda: called.append("later"))
    assert set(threading.enumerate()) <= before
    assert called == []


def test_a_callback_that_waits_while_the_exchange_ends_is_not_begun() -> None:
    """All the threads for them are busy until it is over."""
    called: list[int] = []
    free, aside, lock = threading.Event(), Aside(), threading.Lock()
    watch = ClientWatch(lock, Around(lambda environ, start_response: []).exchange.writer)
    watch.add_callback(lambda: called.append(1))

    def hang() -> None:
        free.wait(10)

    for _ in range(disconnect._MOST):
        aside.run([hang])
    watch.leave(aside)
    with lock:
        watch.end()
    free.set()
    wait_for_no_thread(aside)
    assert called == []


def wait_for_no_thread(aside: Aside) -> None:
    deadline = time.monotonic() + 10
    while aside._threads:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_a_callback_that_hangs_does_not_hold_up_that_of_another() -> None:
    aside, free, reached = Aside(), threading.Event(), threading.Event()

    def hang() -> None:
        free.wait(10)

    aside.run([hang])
    aside.run([reached.set])
    assert reached.wait(10)
    assert aside._threads
    free.set()
    wait_for_no_thread(aside)


def test_a_callback_has_the_context_of_the_request() -> None:
    """P46."""
    variable: ContextVar[str] = ContextVar("variable", default="unset")
    seen: list[str] = []
    done = threading.Event()

    def note() -> None:
        seen.append(variable.get())
        done.set()

    def inside(watch: ClientWatch) -> None:
        variable.set("mine")
        watch.add_callback(note)
        watched.exchange.abandon("the client left")
        assert done.wait(10)

    watched = Watched(inside)
    watched.exchange.run()
    assert seen == ["mine"]


@pytest.mark.parametrize("error", [ValueError, SystemExit])
@pytest.mark.parametrize("when", ["before", "after"])
def test_what_a_callback_raises_is_logged_and_harms_nobody(
    error: type[BaseException], when: str, caplog: pytest.LogCaptureFixture
) -> None:
    done = threading.Event()

    def fail() -> None:
        raise error("broken")

    def inside(watch: ClientWatch) -> None:
        if when == "after":
            watched.exchange.shut()
        watch.add_callback(fail)
        watch.add_callback(done.set)
        watched.exchange.shut()
        assert done.wait(10)

    watched = Watched(inside)
    watched.exchange.run()
    assert watched.around.kernel.sent.endswith(b"body")
    [record] = caplog.records
    assert record.getMessage() == "A callback of aiowsgi.client_disconnected failed"
    assert record.exc_info is not None
    assert record.exc_info[0] is error


@pytest.mark.parametrize("wrong", [None, "text", 5])
def test_what_cannot_be_called_is_refused_at_once(wrong: Any) -> None:
    raised: list[str] = []

    def inside(watch: ClientWatch) -> None:
        with pytest.raises(TypeError) as error:
            watch.add_callback(wrong)
        raised.append(str(error.value))

    Watched(inside).exchange.run()
    assert raised == [f"add_callback() takes a callable, not {type(wrong).__name__}"]


def test_what_an_application_keeps_of_it_keeps_no_exchange_alive() -> None:
    """P30: nor do the callbacks that were not called."""

    class Held:
        """What a callback holds."""

    held: list[weakref.ref[Held]] = []

    def inside(watch: ClientWatch) -> None:
        callback_holds = Held()
        held.append(weakref.ref(callback_holds))
        watch.add_callback(lambda: callback_holds)

    gc.collect()
    gc.disable()
    try:
        watched = Watched(inside)
        watched.exchange.run()
        assert [reference() for reference in held] == [None]
        assert watched.around.exchange.writer not in gc.get_referents(watched.watch)
        assert watched.watch() is False
    finally:
        gc.enable()


def test_no_callback_is_lost_or_called_twice_while_the_client_leaves() -> None:
    """Added while the loop tells of the departure: called by one of the two, exactly once."""
    with switching(1e-6):
        for _ in range(300):
            called: list[int] = []
            aside = Aside()
            watch = ClientWatch(threading.Lock(), Around(lambda e, s: []).exchange.writer)
            thread = threading.Thread(target=watch.leave, args=(aside,))
            thread.start()
            for number in range(3):
                watch.add_callback(partial(called.append, number))
            thread.join(10)
            wait_for_no_thread(aside)
            assert sorted(called) == [0, 1, 2]
