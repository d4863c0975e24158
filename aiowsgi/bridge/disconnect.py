"""`aiowsgi.client_disconnected`: how an application learns, while it works, that nobody waits.

A client that has closed its connection has left. One that has only shut its sending side looks the
same until something is sent to it: it counts as having left here, and is answered all the same
(H19). What the application wants to be called then runs on threads of its own, never on the loop,
and not in the pool, whose threads may all be busy with what the calls are to end.

Call flow: loop -> Exchange.abandon or .shut -> ClientWatch.leave -> Aside -> the callbacks.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from functools import partial
from typing import Final

from aiowsgi.bridge.writer import ResponseWriter

logger = logging.getLogger("aiowsgi.error")

# So many callbacks run at once: one that takes long does not hold up those of other requests.
_MOST: Final = 4
# Stands for the callbacks of an exchange that is over.
_OVER: Final[list[Callable[[], None]]] = []


class Aside:
    """Runs callbacks on a few threads that live as long as there is work; any thread gives it."""

    __slots__ = ("_calls", "_lock", "_threads")

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards _calls and _threads
        self._calls: deque[Callable[[], None]] = deque()
        self._threads = 0

    def run(self, calls: list[Callable[[], None]]) -> None:
        """Have `calls`, which never raise, called soon."""
        with self._lock:
            self._calls.extend(calls)
            start = self._threads < _MOST
            if start:
                self._threads += 1
        if start:
            try:
                # A daemon: what an application does here holds up no exit.
                threading.Thread(target=self._drain, name="aiowsgi-left", daemon=True).start()
            except RuntimeError as error:  # no more threads: the next departure tries again
                with self._lock:
                    self._threads -= 1
                logger.warning("No thread for the callbacks of a client that left: %s", error)

    def _drain(self) -> None:
        while (call := self._next()) is not None:
            call()
            del call  # a thread that waits keeps nothing alive

    def _next(self) -> Callable[[], None] | None:
        with self._lock:
            if self._calls:
                return self._calls.popleft()
            self._threads -= 1
            return None


class ClientWatch:
    """Whether the client of one exchange has left: true at once; what stands in environ (S7).

    Called by the application on any of its threads, and by the loop. `lock` is the exchange's: it
    guards _calls. One is made for each request, so it holds little, and does nothing until it is
    asked; when the exchange is over it keeps nothing of it alive.
    """

    __slots__ = ("_calls", "_lock", "_writer")

    def __init__(self, lock: threading.Lock, writer: ResponseWriter) -> None:
        self._lock = lock
        self._writer: ResponseWriter | bool = writer  # in its place, once known: has it left?
        self._calls: list[Callable[[], None]] | None = None  # _OVER: never again

    # -- the application's threads --

    def __call__(self) -> bool:
        """Whether the client has left; after the exchange, whether it left before its end."""
        writer = self._writer
        return writer if isinstance(writer, bool) else writer.gone

    def add_callback(self, call: Callable[[], object]) -> None:
        """Have `call()` called once, when the client leaves; here and now where it has left.

        It runs on a thread that is neither the loop's nor the pool's, in a copy of the context of
        this call, and is not begun once the exchange is over. What it raises is logged. Raises
        TypeError for what cannot be called.
        """
        if not callable(call):
            raise TypeError(f"add_callback() takes a callable, not {type(call).__name__}")
        waiting = partial(self._run, copy_context(), call)
        with self._lock:
            if self._calls is _OVER:
                return
            left = self()
            if not left and self._calls is None:
                self._calls = [waiting]
            elif not left and self._calls is not None:
                self._calls.append(waiting)
        if left:
            _run_logged(call)

    def _run(self, context: Context, call: Callable[[], object]) -> None:
        if self._calls is not _OVER:
            context.run(_run_logged, call)

    # -- the exchange's threads --

    def leave(self, aside: Aside) -> None:
        """The client has left: tell whoever wants to know."""
        with self._lock:
            if self._calls is _OVER:
                return
            self._writer = True
            calls, self._calls = self._calls, None
        if calls:
            aside.run(calls)

    def end(self) -> object:
        """The exchange is over; its lock is held. What is returned is to be dropped without it."""
        writer = self._writer
        self._writer = writer is True or (writer is not False and writer.gone)
        calls, self._calls = self._calls, _OVER
        return calls


def _run_logged(call: Callable[[], object]) -> None:
    try:
        call()
    except BaseException:  # as any error of an application; SystemExit would end the thread
        logger.exception("A callback of aiowsgi.client_disconnected failed")
