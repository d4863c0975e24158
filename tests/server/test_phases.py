"""What a deadline does to a connection, phase by phase (S2, H21)."""

from __future__ import annotations

import pytest

from aiowsgi.server.phases import Life, Phase, Timeouts, Verdict

TIMEOUTS = Timeouts(keep_alive=75, header=30, body=20, send=10)
NEVER = Timeouts(keep_alive=None, header=None, body=None, send=None)


def judge(life: Life, now: float, timeouts: Timeouts = TIMEOUTS, **facts: object) -> Verdict:
    given = {"draining": False, "pending": 0, "body": (0.0, 10**9), **facts}
    return life.judge(now, timeouts, **given)  # type: ignore[arg-type]


def in_phase(phase: Phase, *, fresh: bool = False) -> Life:
    life = Life(0)
    life.fresh = fresh
    life.enter(phase, 0)
    return life


@pytest.mark.parametrize(
    ("phase", "fresh", "limit", "verdict"),
    [
        (Phase.IDLE, True, 30, Verdict.REST),
        (Phase.IDLE, False, 75, Verdict.REST),
        (Phase.HEAD, False, 30, Verdict.TIMEOUT),
        (Phase.BODY, False, 20, Verdict.TIMEOUT),
        (Phase.UNREAD, False, 20, Verdict.TIMEOUT),
        (Phase.LINGER, False, 2, Verdict.CLOSE),
    ],
)
def test_each_phase_has_its_deadline(
    phase: Phase, fresh: bool, limit: float, verdict: Verdict
) -> None:
    life = in_phase(phase, fresh=fresh)
    assert judge(life, limit) is Verdict.FINE
    assert judge(life, limit + 0.1) is verdict


def test_an_exchange_under_way_has_no_deadline_of_its_own() -> None:
    """S2: never while a request of it is queued."""
    assert judge(in_phase(Phase.EXCHANGE), 10_000) is Verdict.FINE


@pytest.mark.parametrize("phase", [Phase.EXCHANGE, Phase.CLOSING, Phase.LINGER])
def test_a_client_that_reads_nothing_is_cut_and_one_that_reads_is_not(phase: Phase) -> None:
    life = in_phase(phase)
    assert judge(life, 1, pending=1000) is Verdict.FINE
    assert judge(life, 10, pending=999) is Verdict.FINE  # progress
    assert judge(life, 20, pending=999) is Verdict.FINE
    assert judge(life, 20.5, pending=999) is Verdict.ABORT


def test_a_body_that_drips_is_too_slow_after_its_timeout() -> None:
    """S2: 500 bytes a second on average."""
    life = in_phase(Phase.BODY)
    life.since = 40
    assert judge(life, 40, body=(20.0, 1)) is Verdict.FINE
    assert judge(life, 40.5, body=(20.0, 9_000)) is Verdict.TIMEOUT
    assert judge(life, 40.5, body=(20.0, 12_000)) is Verdict.FINE


@pytest.mark.parametrize("phase", [p for p in Phase if p is not Phase.LINGER])
def test_without_a_limit_nothing_is_ever_late(phase: Phase) -> None:
    assert judge(in_phase(phase), 10**6, NEVER, pending=5) is Verdict.FINE
    assert judge(in_phase(phase), 10**7, NEVER, pending=5) is Verdict.FINE


def test_a_stopping_server_waits_a_moment_for_a_connection_that_says_nothing() -> None:
    """S8: its request may be on the way; idle connections are out within 2.5 s."""
    life = in_phase(Phase.IDLE, fresh=True)
    assert judge(life, 0.9, draining=True) is Verdict.FINE
    assert judge(life, 1.1, draining=True) is Verdict.CLOSE
    assert judge(in_phase(Phase.IDLE), 1.1, NEVER, draining=True) is Verdict.CLOSE


def test_a_closed_connection_stays_closed() -> None:
    life = in_phase(Phase.CLOSED)
    life.enter(Phase.IDLE, 5)
    assert life.phase is Phase.CLOSED


def test_deadlines_are_looked_at_once_a_second_and_oftener_where_one_is_short() -> None:
    assert TIMEOUTS.tick() == 0.5  # a quarter of the two seconds of lingering
    assert NEVER.tick() == 0.5
    assert Timeouts(header=0.2).tick() == pytest.approx(0.05)
