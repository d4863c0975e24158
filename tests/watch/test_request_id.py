"""The id of a request: a trusted proxy's or our own, in environ, in the response, in the log."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import live
from tests.server.http_client import Peer, get
from tests.server.stuck import Stuck, all_stuck
from tests.watch.lines import Kept

TRUSTED = {"forwarded_allow_ips": "127.0.0.1"}


def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    fields = [("X-ReQuest-Id", "its-own")] if environ["PATH_INFO"] == "/own" else []
    start_response("200 OK", fields)
    return [environ["aiowsgi.request_id"].encode()]


def test_each_request_has_one_which_its_client_and_the_log_are_told(kept: Kept) -> None:
    with live(app, access_log=True, access_logformat="%(R)s") as server, Peer(server) as peer:
        answers = [peer.ask(get()) for _ in range(3)]
    ids = [answer.body.decode() for answer in answers]
    assert len(set(ids)) == 3
    assert [answer.fields["x-request-id"] for answer in answers] == ids
    assert kept.lines == ids


def test_what_is_answered_without_the_application_has_one_too(kept: Kept) -> None:
    """It counts as no request of the application's."""
    options = {"access_log": True, "access_logformat": "%(s)s %(R)s", "limit_queue": 0, **TRUSTED}
    stuck = Stuck()
    with all_stuck(stuck, 1, health_path="/up", **options) as (server, _):
        with Peer(server) as peer:
            healthy = peer.ask(get(target=b"/up"))
            shed = peer.ask(get())
        with Peer(server) as peer:
            named = peer.ask(get(b"X-Request-ID: 4bf92f3577b34da6"))
        server.wait(lambda: len(kept.lines) == 3)  # before the one that is stuck has its own
        account = server.server.account
        assert account.begun == 1
    assert (healthy.status, shed.status, named.status) == (200, 503, 503)
    ids = [answer.fields["x-request-id"] for answer in (healthy, shed, named)]
    assert len(set(ids)) == 3
    assert ids[2] == "4bf92f3577b34da6"
    assert kept.lines[:3] == [f"200 {ids[0]}", f"503 {ids[1]}", f"503 {ids[2]}"]


@pytest.mark.parametrize("given", [b"4bf92f3577b34da6", b"a.b:c/d+e=f@g,h;i" + b"x" * 100])
def test_that_of_a_trusted_proxy_is_taken(given: bytes) -> None:
    with live(app, **TRUSTED) as server, Peer(server) as peer:
        answer = peer.ask(get(b"X-Request-ID: " + given))
    assert answer.body == given
    assert answer.fields["x-request-id"] == given.decode()


@pytest.mark.parametrize(
    "given", [b"", b"two words", b'quote"', b"back\\slash", b"\xff", b"x" * 201, b"a, b"]
)
def test_what_is_no_id_is_not_taken(given: bytes) -> None:
    """S14: it would go on into logs and further systems."""
    with live(app, **TRUSTED) as server, Peer(server) as peer:
        answer = peer.ask(get(b"X-Request-ID: " + given))
    assert answer.body != given
    assert answer.fields["x-request-id"] == answer.body.decode()


def test_one_that_was_sent_twice_is_none() -> None:
    with live(app, **TRUSTED) as server, Peer(server) as peer:
        answer = peer.ask(get(b"X-Request-ID: a", b"X-Request-ID: b"))
    assert b"a" not in answer.body.split(b"-")


def test_that_of_anybody_else_is_not_taken() -> None:
    """S12."""
    with live(app) as server, Peer(server) as peer:
        answer = peer.ask(get(b"X-Request-ID: mine"))
    assert answer.body != b"mine"


def test_the_application_may_say_another() -> None:
    """P34: as with Date and Server, its own counts, once."""
    with live(app) as server, Peer(server) as peer:
        answer = peer.ask(get(target=b"/own"))
    assert answer.fields["x-request-id"] == "its-own"
    assert answer.body != b"its-own"


def test_the_field_may_be_another_or_none() -> None:
    with live(app, request_id_header="X-Trace", **TRUSTED) as server, Peer(server) as peer:
        answer = peer.ask(get(b"X-Trace: t", b"X-Request-ID: r"))
        assert (answer.body, answer.fields["x-trace"]) == (b"t", "t")
        assert "x-request-id" not in answer.fields
    with live(app, request_id_header="none", **TRUSTED) as server, Peer(server) as peer:
        answer = peer.ask(get(b"X-Request-ID: r"))
        assert answer.body != b"r"
        assert "x-request-id" not in answer.fields
