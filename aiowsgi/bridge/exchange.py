"""One request and its response (RFC 9113 8.1): the one object that loop and pool thread share.

The loop thread makes an Exchange when the request may start, and gives it to the dispatcher; one
pool thread runs it. What they share is in the InputStream, the ResponseWriter and, for the end of
the exchange, in the few fields that `_lock` guards here.

Call flow: run -> environ -> Call -> the application -> ResponseWriter -> done.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from contextvars import Context
from typing import BinaryIO, Final

from aiowsgi.bridge.answers import own_answer
from aiowsgi.bridge.application import Application
from aiowsgi.bridge.disconnect import ClientWatch
from aiowsgi.bridge.input import InputStream
from aiowsgi.bridge.writer import ResponseWriter
from aiowsgi.errors import ClientDisconnected
from aiowsgi.http11.messages import RequestHead, ResponseHead
from aiowsgi.wsgi.call import Call
from aiowsgi.wsgi.environ import NO_TEMPLATE, Template
from aiowsgi.wsgi.forwarded_syntax import MalformedForwarded
from aiowsgi.wsgi.response import response_head
from aiowsgi.wsgi.types import Given

logger = logging.getLogger("aiowsgi.error")

# How an exchange stands to the places of the pool, which places.py explains.
RUNS: Final = 0
ASKS: Final = 1
STREAMS: Final = 2


class Exchange:
    """A request on its way through the application; made by the loop, run by one pool thread."""

    __slots__ = (
        "_application",
        "_body",
        "_body_length",
        "_context",
        "_done",
        "_lock",
        "_owed",
        "_stream",
        "_template",
        "_wake",
        "_wanted",
        "_watch",
        "blocked",
        "failure",
        "give_back",
        "head",
        "queued",
        "refusal",
        "request_id",
        "standing",
        "started",
        "writer",
    )

    def __init__(
        self,
        application: Application,
        head: RequestHead,
        writer: ResponseWriter,
        template: Template,
        wake: Callable[[], None],
    ) -> None:
        self._application = application
        self._context = application.context
        self.head = head
        self.writer = writer
        self._template = template
        self._wake = wake
        self._body: BinaryIO | None = None
        self._body_length: int | None = None
        self.give_back: Callable[[], None] | None = None  # at the end: its body's bytes are free
        self._stream: InputStream | None = None
        self._lock = writer.lock  # guards _done, _wanted and standing, too
        self._done = False
        self._wanted = False
        self.standing = RUNS  # RUNS, ASKS or STREAMS; final when the exchange is over
        self.failure: BaseException | None = None  # the application's, where the host answers it
        self.blocked = False  # the dispatcher's: it has found the application waiting
        self.refusal = 400  # the answer to a streamed body that was cut; set before its stream is
        self._watch = ClientWatch(self._lock, writer)  # the lock guards what it holds, too
        self.queued = self.started = 0.0  # monotonic seconds
        self.request_id = ""  # until it runs, or is answered without
        self._owed = False  # the log is told by the loop, when the client has all it will get

    def __repr__(self) -> str:
        return f"<Exchange {self.head.method} {self.head.shown_path}>"

    @property
    def client(self) -> str:
        """The client's address, empty for a unix socket; until the exchange is over."""
        return self._template.client(self.head)

    # -- loop thread --

    def with_body(self, body: BinaryIO, length: int) -> None:
        """Give the whole body, before the exchange is queued."""
        self._body, self._body_length = body, length

    def with_stream(self, stream: InputStream) -> None:
        """Give a body that is still on its way, before the exchange is queued."""
        self._stream = stream
        self._body = io.BufferedReader(stream)

    def with_context(self, context: Context) -> None:
        """Run in a copy of this context instead, before the exchange is queued (P46)."""
        self._context = context

    def settle(self) -> bool:
        """Whether the pool thread is through; if not, the loop is woken when it is."""
        if self._done:  # it never turns back
            return True
        with self._lock:
            self._wanted = not self._done
            return self._done

    def conclude(self) -> None:
        """Both threads are through: tell the log, where the pool thread could not."""
        if self._owed:
            self._owed = False
            self.writer.close_account()
            self._tell()

    def abandon(self, reason: str) -> None:
        """The client left: reads and writes of the application raise ClientDisconnected (S7)."""
        if self._stream is not None:
            self._stream.abort(reason)
        self.writer.abandon()
        self._watch.leave(self._application.aside)

    def shut(self) -> None:
        """The client sends no more: nearly always it has left, but it is answered all the same."""
        self._watch.leave(self._application.aside)

    @property
    def done(self) -> bool:
        """Whether the pool thread is through, without asking to be told."""
        return self._done

    @property
    def received(self) -> int:
        """Bytes of the request's body, so far."""
        return (self._body_length or 0) if self._stream is None else self._stream.received

    @property
    def awaits_client(self) -> bool:
        """Whether a thread waits for the client now: for it to send more, or to read more."""
        return self.writer.waiting or (self._stream is not None and self._stream.starving)

    @property
    def moved(self) -> tuple[int, ...]:
        """Something that changes with each byte that the client takes or gives."""
        return (*self.writer.moved, self.received)

    def condemn(self, reason: str) -> None:
        """Cut the client off: as if it had left, but it is still there and has to be told."""
        if self._stream is not None:
            self._stream.abort(reason)
        self.writer.condemn()
        self._wake()

    def expire(self) -> None:
        """The application has taken too long: a 504, or the end of what it has begun (S10)."""
        self.writer.supersede(*own_answer(504, close=True))
        if self._stream is not None:
            self._stream.abort("the application has taken too long")
        self._wake()

    # -- any thread --

    def stand(self, standing: int) -> bool:
        """Note how it stands to the pool's places; False: it is over, and nothing is noted."""
        with self._lock:
            if not self._done:
                self.standing = standing
            return not self._done

    # -- pool thread --

    def run(self) -> None:
        """Run the application for this request; never raises."""
        patience = self._application.patience
        if patience is not None and self.started - self.queued > patience:
            self.answer(503, close=True)
            return
        if not self.writer.gone:  # a client that left while queued is not worth a call
            self._context.copy().run(Exchange._run, self)  # a bound method would be made first
        self._finish()

    def skip(self) -> None:
        """End an exchange that will never run: the server is going, or its executor refused it."""
        self.writer.cut()
        self._finish()

    def answer(self, status: int, text: str = "", *, close: bool = False) -> None:
        """Answer for an application that is not called; for whoever has the exchange alone."""
        app = self._application
        self.request_id = app.identify(self._template, self.head, self.writer, own=True)
        self._say(own_answer(status, text, close=close))
        self._finish()

    def _run(self) -> None:
        writer = self.writer
        call: Call | None = None
        try:
            body = io.BytesIO() if self._body is None else self._body
            environ = self._template.build(self.head, body, self._body_length)
            environ["wsgi.early_hints"] = self.early_hints
            environ["aiowsgi.queue_time"] = self.started - self.queued
            environ["aiowsgi.client_disconnected"] = self._watch
            environ["waitress.client_disconnected"] = self._watch
            self.request_id = self._application.identify(self._template, self.head, writer)
            environ["aiowsgi.request_id"] = self.request_id
            call = Call(self._application.app, environ, writer, bodiless=self.head.method == "HEAD")
            del environ
            call.run()
        except ClientDisconnected as error:
            logger.info("%s %s: %s", self.head.method, self.head.shown_path, error)
            if writer.gone:
                writer.cut()
            else:  # the body was cut (P19), but the client may still read
                self._answer(call, own_answer(self.refusal, close=self.refusal < 500))
        except MalformedForwarded as error:  # nobody knows who asks, and nothing was called (S12)
            logger.info("400 to %s: %s", self.client or "a local client", error)
            self._answer(call, own_answer(400, close=True))
        except BaseException as error:  # SystemExit is a 500 too (P44)
            if self._application.raises and not (call is not None and call.complete):
                self.failure = error
                writer.cut()
                return
            logger.error("Error in %s %s", self.head.method, self.head.shown_path, exc_info=error)
            self._answer(call, self._application.failed(self.head, error))

    def early_hints(self, fields: Given) -> None:
        """`wsgi.early_hints`: tell the client what it will need (103, RFC 8297) before the answer.

        Nothing is sent where interim responses are not known, or once the answer has begun.
        Raises ApplicationError where a field may not be sent, as start_response does.
        """
        head = response_head("200 OK", fields)
        if self.writer.informs and not self._done:
            self.writer.inform(103, head.fields)

    def _answer(self, call: Call | None, answer: tuple[ResponseHead, bytes]) -> None:
        """Answer for the application where nothing was sent yet; cut what was begun (P43)."""
        if call is None or not call.started:
            self._say(answer)
        elif not call.complete:
            self.writer.cut()

    def _say(self, answer: tuple[ResponseHead, bytes]) -> None:
        """Send an answer of the server's own."""
        try:
            self.writer.whole(answer[0], [answer[1]])
        except (ClientDisconnected, OSError):
            self.writer.cut()

    def _finish(self) -> None:
        if self._stream is not None:
            self._stream.abort("the exchange is over")
        if self._body is not None:
            self._close_body(self._body)
        if self.give_back is not None:
            self.give_back()
            self.give_back = None
        self._body = None  # what the application may have kept alive is not kept by us too (P30)
        self._owed = bool(self._application.on_end) and not self.writer.sent
        if not self._owed:
            self._tell()
        self._lock.acquire()  # nothing here raises, and compiled a `with` costs twice as much
        self._done = True
        wanted = self._wanted
        unused = self._watch.end()
        self._lock.release()
        del unused
        if wanted:
            self._wake()

    def _tell(self) -> None:
        """Tell who wants to know, and let go of what only they still wanted."""
        for tell in self._application.on_end:
            tell(self)
        self._template = NO_TEMPLATE

    def _close_body(self, body: BinaryIO) -> None:
        try:
            body.close()
        except OSError as error:
            logger.warning("The body of a request could not be closed: %s", error)
