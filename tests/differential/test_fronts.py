"""nginx and HAProxy in front of aiowsgi: they never disagree on where a request ends.

Each case's bytes go to the front, with an innocent request behind them, and then another client
asks through the same connection to aiowsgi. What the front refuses proves nothing and harms nobody;
what it lets through, in whatever form, both have to read alike (H4 to H8).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from tests.corpus import CASES
from tests.differential.attacks import ATTACKS, LENGTHS, TWO_FRAMINGS, Attack
from tests.differential.chain import Chain
from tests.differential.credulous import Belief, credulous
from tests.differential.fronts import Front, haproxy, installed, nginx
from tests.differential.oracle import Record, is_own_answer
from tests.differential.tap import tap
from tests.live import live

Start = Callable[[int], AbstractContextManager[Front]]

FRONTS: list[tuple[str, str, Start]] = [
    ("nginx", "nginx", lambda back: nginx(back, "on")),
    ("nginx", "nginx, streaming", lambda back: nginx(back, "off")),
    ("haproxy", "haproxy", lambda back: haproxy(back, lenient=False)),
    ("haproxy", "haproxy, lenient", lambda back: haproxy(back, lenient=True)),
]
KNOWN = [*(Attack(case.name, case.raw) for case in CASES), *ATTACKS]


# nginx sends a body as soon as it has it, or when it has it all: aiowsgi then does likewise.
# HAProxy knows no such choice. What is not buffered comes in two pieces.
PAIRS = [
    (program, start, buffering, name + (", buffered" if buffering else ", streamed"))
    for program, name, start in FRONTS
    for buffering in ([name == "nginx"] if program == "nginx" else [True, False])
]


@pytest.fixture(scope="module", params=PAIRS, ids=[pair[-1] for pair in PAIRS])
def chain(request: pytest.FixtureRequest) -> Iterator[Chain]:
    program, start, buffering, _ = request.param
    if not installed(program):
        pytest.skip(f"{program} is not installed")
    record = Record()
    with (
        live(record, request_buffering=buffering) as server,
        tap(server.port) as wires,
        start(wires.port) as front,
    ):
        yield Chain(front, wires, record, in_two=not buffering)


@pytest.fixture(scope="module", params=[True, False], ids=["buffered", "streamed"])
def buffering(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(scope="module", params=list(Belief), ids=lambda belief: belief.name)
def believer(request: pytest.FixtureRequest, buffering: bool) -> Iterator[Chain]:
    record = Record()
    with (
        live(record, request_buffering=buffering) as server,
        tap(server.port) as wires,
        credulous(wires.port, request.param) as front,
    ):
        yield Chain(front, wires, record, in_two=not buffering)


def test_clients_of_a_front_share_its_connection(chain: Chain) -> None:
    """Else a request that is left in it would be nobody's, and the tests below prove nothing."""
    for _ in range(3):
        target, answer = chain.next_client()
        assert is_own_answer(answer, target)
    assert len({seen.port for seen in chain.record.seen[-3:]}) == 1


@pytest.mark.parametrize("attack", KNOWN, ids=[attack.name for attack in KNOWN])
def test_front_and_back_read_the_same_requests(chain: Chain, attack: Attack) -> None:
    """H4, H5, H6, H7, H8, H22: and each answer is its own client's."""
    assert chain.suffer(attack.raw) == []


@pytest.mark.parametrize(
    "attack",
    [*TWO_FRAMINGS, *LENGTHS],
    ids=[attack.name for attack in [*TWO_FRAMINGS, *LENGTHS]],
)
def test_what_a_credulous_front_passes_on_is_refused_or_read_alike(
    believer: Chain, attack: Attack
) -> None:
    """H4, H5, H8: two framings in one request are a 400 and the end, whoever is in front."""
    assert believer.suffer(attack.raw) == []
