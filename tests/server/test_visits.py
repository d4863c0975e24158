"""What a worker is asked goes to its supervisor and back, however little room the line has."""

from __future__ import annotations

import asyncio
import os
import selectors
import socket
from collections.abc import Callable

from aiowsgi.config import Config
from aiowsgi.server.asked import TEXT, Asked, Fields, Question, Routes, Status
from aiowsgi.server.child import Child
from aiowsgi.server.launch import Start
from aiowsgi.server.lifeline import LEFT, SHOW, VISIT, Lifeline
from aiowsgi.server.visits import Relay, Visits
from aiowsgi.server.workers import Workers

QUESTION = Question("GET", "/page", "a=1", "text/plain", "localhost")


class Heard(Asked):
    """A request, and what came back; `reads` until it has left."""

    def __init__(self) -> None:
        super().__init__(QUESTION)
        self.answers: list[tuple[bytes, str, Status, Fields | None]] = []
        self.pieces: list[bytes] = []
        self.reads = True

    def answer(
        self,
        body: bytes,
        kind: str,
        *,
        status: Status = (200, "OK"),
        fields: Fields | None = None,
    ) -> None:
        self.answers.append((body, kind, status, fields))

    def stream(self, kind: str) -> Callable[[bytes], bool]:
        def send(piece: bytes) -> bool:
            self.pieces.append(piece)
            return self.reads

        return send


class Line:
    """Both sides of one worker's line, in one process."""

    def __init__(self, routes: Routes) -> None:
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setblocking(False)
        self.selector = selectors.DefaultSelector()
        self.workers = Workers(
            Config(), [], self._launch, selector=self.selector, forget=lambda: None
        )
        self.child = Child(os.getpid(), Lifeline(ours), 0, 0.0)
        self.selector.register(ours, selectors.EVENT_READ, self.child)
        self.visits = Visits(routes, self.workers.say)
        self.end = Lifeline(theirs)
        self.relay = Relay(self.end.say)

    @staticmethod
    def _launch(start: Start) -> tuple[int, bytes]:
        raise NotImplementedError

    def supervise(self) -> None:
        """A turn of the supervisor, where there is anything to do."""
        for key, _ in self.selector.select(0):
            self.workers.listen(key.data)
        self.visits.heard(self.child)

    def work(self) -> list[str]:
        """A turn of the worker; the words that it has heard."""
        heard = self.end.hear()
        for word, text in heard:
            assert word == SHOW
            self.relay.heard(text)
        return [word for word, _ in heard]

    def close(self) -> None:
        self.selector.close()
        self.child.line.close()
        self.end.close()


def visited(routes: Routes, talk: Callable[[Line], None]) -> None:
    async def run() -> None:
        line = Line(routes)
        try:
            talk(line)
        finally:
            line.close()

    asyncio.run(run())


def test_the_question_comes_whole_and_so_does_the_answer() -> None:
    asked: list[Question] = []

    def page(visit: Asked) -> None:
        asked.append(visit.question)
        fields = [("X-A", "1")]
        visit.answer("é\n".encode(), TEXT, status=(409, "Conflict"), fields=fields)

    def talk(line: Line) -> None:
        heard = Heard()
        line.relay.ask(heard)
        line.supervise()
        line.work()
        assert heard.answers == [("é\n".encode(), TEXT, (409, "Conflict"), [("X-A", "1")])]

    visited({("GET", "/page"): page}, talk)
    assert asked == [QUESTION]


def test_what_has_no_room_on_the_line_follows_as_the_worker_reads() -> None:
    """Nobody has to say another word for it, and the supervisor does not wait."""
    large = b"x" * 3_000_000

    def talk(line: Line) -> None:
        heard = Heard()
        line.relay.ask(heard)
        line.supervise()
        turns = 0
        while not heard.answers:
            line.work()
            line.supervise()
            turns += 1
        assert turns > 2
        assert heard.answers[0][0] == large
        assert line.selector.get_key(line.child.line.socket).events == selectors.EVENT_READ

    visited({("GET", "/page"): lambda visit: visit.answer(large, TEXT)}, talk)


def test_a_stream_goes_on_until_nobody_reads_it() -> None:
    sends: list[Callable[[bytes], bool]] = []

    def talk(line: Line) -> None:
        heard = Heard()
        line.relay.ask(heard)
        line.supervise()
        assert sends[0](b"1")
        line.work()
        heard.reads = False
        assert sends[0](b"2")
        line.work()
        line.supervise()
        assert not sends[0](b"3")
        assert line.work() == []
        assert heard.pieces == [b"1", b"2"]

    visited({("GET", "/page"): lambda visit: sends.append(visit.stream(TEXT))}, talk)


def test_a_stream_ends_with_its_worker() -> None:
    sends: list[Callable[[bytes], bool]] = []

    def talk(line: Line) -> None:
        line.relay.ask(Heard())
        line.supervise()
        line.end.close()
        line.supervise()
        assert not sends[0](b"1")

    visited({("GET", "/page"): lambda visit: sends.append(visit.stream(TEXT))}, talk)


def test_an_answer_that_comes_too_late_is_dropped_and_a_stream_told_so() -> None:
    def stream(visit: Asked) -> None:
        visit.stream(TEXT)

    def talk(line: Line) -> None:
        heard = Heard()
        line.relay.ask(heard)
        line.relay._give_up(1)
        [(_, _, status, _)] = heard.answers
        assert status == (503, "Service Unavailable")
        line.supervise()
        line.work()
        assert line.child.line.hear() == [(LEFT, "1")]
        assert len(heard.answers) == 1

    visited({("GET", "/page"): stream}, talk)


def test_words_that_another_version_says_are_no_harm() -> None:
    """A reload may bring a worker of another version of us."""

    def talk(line: Line) -> None:
        line.end.say("unheard-of", "1")
        line.end.say(LEFT, "7")
        line.end.say(VISIT, '1 ["GET", "/nothing", "", "", ""]')
        line.supervise()
        [(word, text)] = line.end.hear()
        assert word == SHOW
        assert "Not Found" in text

    visited({}, talk)
