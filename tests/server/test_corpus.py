"""Each case of the corpus over a real socket: the final statuses, the bodies, and what comes after.

The same bytes as in `tests/http11/test_corpus.py`, here with all of the server around the parser.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

import pytest

from tests.corpus import CASES, Case
from tests.live import Live, live
from tests.server.http_client import LAST, LOOPS, Answer, Peer, same


@pytest.fixture(scope="module", params=LOOPS)
def loop(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=[True, False], ids=["buffered", "streamed"])
def server(request: pytest.FixtureRequest, loop: str) -> Iterator[Live]:
    with live(same, loop=loop, request_buffering=request.param) as running:
        yield running


def final(peer: Peer) -> Iterator[Answer]:
    """The final responses until the server closes."""
    try:
        while True:
            answer = peer.answer()
            if answer.status >= 200:
                yield answer
    except EOFError:
        return


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_case_gets_its_answers(server: Live, case: Case) -> None:
    """H1 to H24, S1; each case names its own."""
    with Peer(server) as peer:
        peer.send(case.raw)
        if case.waits:
            peer.half_close()
        elif not case.closes:  # then the next request is welcome
            peer.send(LAST)
        answers = list(final(peer))
    statuses = [answer.status for answer in answers]
    bodies = [answer.body for answer in answers if answer.status == 200]
    expected = [*case.statuses, *([200] if not (case.waits or case.closes) else [])]
    if case.waits and len(statuses) > len(expected):
        # Streamed, the application has begun: its read() raised, and the client is told (P19).
        assert statuses.pop() == 400
    assert statuses == expected
    for body, right in zip_longest(bodies, case.bodies, fillvalue=b""):
        assert body == right
    assert all(answer.whole for answer in answers)
