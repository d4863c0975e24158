"""`python -m benchmarks.soak`: the short form passes, and whatever is wrong is seen (S6, S20)."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from aiowsgi.wsgi.types import Environ, StartResponse, WSGIApplication
from benchmarks import soak_apps, soak_people, soak_watch
from benchmarks.soak import Soak
from benchmarks.soak_people import Person, WrongAnswerError, connect
from benchmarks.soak_watch import Held
from tests.live import live

ROOT = Path(__file__).parent.parent.parent
MIB = 2**20


@pytest.mark.skipif(sys.platform != "linux", reason="counts in /proc")
def test_a_short_soak_finds_nothing_wrong() -> None:
    words = [sys.executable, "-m", "benchmarks.soak", "--minutes", "0.25", "--connections", "100"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith("all is well\n")
    assert " 0 wrong, " in done.stdout
    came = done.stdout.partition("who came: ")[2].splitlines()[0]
    assert len(came.split(", ")) >= len([*soak_people.GOOD, *soak_people.BAD])


@pytest.mark.parametrize("words", [["--minutes", "0"], ["--connections", "1"]])
def test_what_it_cannot_run_is_a_usage_error(words: list[str]) -> None:
    command = [sys.executable, "-m", "benchmarks.soak", *words]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 2


# -- what the clients see --


def meet(app: WSGIApplication, *people: Person) -> int:
    """How many right answers these people had of such a server; raises what they raise."""

    async def come(port: int) -> int:
        answers = 0
        for number, person in enumerate(people):
            line = await connect(port, random.Random(number), f"n{number}", 0.2)
            try:
                await person(line)
            finally:
                line.close()
            answers += line.answers
        return answers

    with live(app, threads=2) as server:
        return asyncio.run(come(server.port))


@pytest.mark.parametrize("person", [soak_people.visitor, soak_people.listener])
def test_the_good_are_served_by_the_right_application(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(soak_people, "THINKING", 0)
    monkeypatch.setattr(soak_apps, "BETWEEN", 0.01)
    assert meet(soak_apps.wsgi, person, person) >= 2


def test_a_view_that_fails_is_answered_500_or_cut() -> None:
    assert 0 < meet(soak_apps.wsgi, *[soak_people.failure] * 8) < 8


def test_the_bad_come_and_go() -> None:
    assert meet(soak_apps.wsgi, *[person for person, _ in soak_people.BAD]) == 0


def other(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [])
    return [soak_apps.expected("somebody else", b"", 0)]


def busy(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("503 Service Unavailable", [])
    return [soak_apps.expected(environ["QUERY_STRING"], environ["wsgi.input"].read(), 0)]


def cut(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Length", "1000000")])
    return [b"x"]


@pytest.mark.parametrize("app", [other, busy, cut])
@pytest.mark.parametrize("person", [person for person, _ in soak_people.GOOD])
def test_an_answer_that_is_wrong_is_seen(
    app: WSGIApplication, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(soak_people, "PATIENCE", 0.5)
    with pytest.raises(WrongAnswerError):
        meet(app, *[person] * 8)  # a failing view's answer may be cut, and at times it has to be


# -- what is held --

HELD = Held(100 * MIB, 10, 2, 0)


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (replace(HELD, memory=900 * MIB, threads=6), []),
        (replace(HELD, descriptors=11), ["1 descriptors are left"]),
        (replace(HELD, threads=8), ["2 threads are left"]),
        (replace(HELD, files=3), ["3 temporary files are left"]),
    ],
)
def test_what_is_left_is_named(after: Held, told: list[str]) -> None:
    assert soak_watch.leaked(HELD, after, 6) == told


def test_a_pool_of_threads_may_be_kept_but_does_not_grow_for_ever() -> None:
    samples = [
        replace(HELD, threads=threads) for threads in (2, 8, 20, 20, 200, 200, 200, 300, 400)
    ]
    assert soak_watch.pool(samples, 4) == 34
    assert soak_watch.pool([], 4) == 4


def grown(*sizes: int) -> bool:
    found = soak_watch.memory([replace(HELD, memory=size * MIB) for size in sizes])
    return found.growth > found.allowed


def test_memory_may_grow_before_warm_up_and_not_after() -> None:
    assert not grown(*range(0, 200, 10), *[200] * 40)
    assert not grown(*[100, 120] * 30)
    assert grown(*range(100, 400, 5))
    assert not grown(100)


def test_a_fault_in_the_log_is_told_from_one_on_purpose() -> None:
    inside = "Traceback (most recent call last):\n  File 'a', line 1, in b\n"
    log = f"[INFO] Listening\n{inside}{soak_watch.PURPOSE}\n{inside}KeyError: 1\n[INFO] Stopped\n"
    assert soak_watch.faults(log) == ["KeyError: 1"]


def test_what_a_killed_process_told_counts(tmp_path: Path) -> None:
    output, soak = tmp_path / "clients", Soak(1, 4, 0)
    told = {"answers": 2, "connections": 3, "cut": 1, "came": {"idler": 3}, "wrong": ["that"]}
    first = {**told, "answers": 1, "wrong": []}
    output.write_text(f'{json.dumps(first)}\n{json.dumps(told)}\n{{"answers": 3, "conn')
    soak.add(output)
    assert (soak.totals["answers"], soak.came["idler"], soak.wrong) == (2, 3, ["that"])


def test_a_fault_of_the_clients_themselves_is_not_taken_for_success(tmp_path: Path) -> None:
    output, soak = tmp_path / "clients", Soak(1, 4, 0)
    output.write_text("Traceback (most recent call last):\nKeyError: 1\n")
    soak.add(output)
    assert "clients: KeyError: 1" in soak.wrong
