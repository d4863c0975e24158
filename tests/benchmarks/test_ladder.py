"""`python -m benchmarks.ladder`: it counts who holds how many bad clients, and leaves nothing."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from benchmarks import ladder_kinds, ladder_report
from benchmarks.ladder_climb import REQUESTS, Climb, Step, ask
from benchmarks.ladder_crowd import Crowd
from benchmarks.ladder_kinds import Kind
from benchmarks.ladder_report import Ladder
from tests.benchmarks.proc import children, wait_until_gone

ROOT = Path(__file__).parent.parent.parent
IDLE, UPLOAD, DEAF = (ladder_kinds.chosen([name])[0] for name in ("idle", "upload", "deaf-4m"))


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "benchmarks.ladder", *words]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*words), cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_list_and_the_page_name_every_kind() -> None:
    said, page = run("--list").stdout, (ROOT / "benchmarks" / "README.md").read_text("utf-8")
    for kind in ladder_kinds.ALL:
        assert f"\n  {kind.name} " in said
        assert f"| `{kind.name}` |" in page


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--kinds", "nobody"], "deaf-64m"),
        (["--servers", "nothing"], "granian"),
        (["--most", "1"], "--most is at least 2"),
        (["--servers", "bjoern"], "not on the ladder: bjoern"),
    ],
)
def test_an_unknown_name_is_refused_with_the_known_ones(words: list[str], told: str) -> None:
    done = run(*words)
    assert done.returncode == 2
    assert told in done.stderr


def test_a_smoke_run_climbs_as_far_as_each_server_holds(tmp_path: Path) -> None:
    """waitress holds the smaller response for its reader, and waits with the larger one."""
    results, table = tmp_path / "made" / "ladder.json", tmp_path / "table.md"
    words = ["--quick", "--servers", "aiowsgi,waitress", "--kinds", "idle,deaf-64m"]
    done = run(*words, "--json", str(results), "--markdown", str(table))
    assert done.returncode == 0, done.stderr
    found = json.loads(results.read_text(encoding="utf-8"))
    held = {(climb["kind"], climb["server"]): climb["held"] for climb in found["climbs"]}
    assert held == {
        ("idle", "aiowsgi"): 10,
        ("idle", "waitress"): 10,
        ("deaf-64m", "aiowsgi"): 10,
        ("deaf-64m", "waitress"): 0,
    }
    assert [step["settled"] for step in found["climbs"][2]["steps"]] == [2, 10]
    assert "[3/4] deaf-64m, aiowsgi, 10: held: 10/10 answered, slowest " in done.stderr
    assert "[4/4] deaf-64m, waitress, 2: not held: 0/10 answered" in done.stderr
    assert table.read_text(encoding="utf-8").count("\n| ") == 4
    assert "| deaf-64m: asks for 64 MiB, block by block, and never reads | 10 (" in (
        table.read_text(encoding="utf-8")
    )


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_it(number: signal.Signals) -> None:
    words = command("--servers", "aiowsgi", "--kinds", "idle")
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as harness:
        try:
            started: list[int] = []
            while len(started) < 2 and harness.poll() is None:  # the server, then the crowd
                started = children(harness.pid)
            harness.send_signal(number)
            assert harness.wait(30) in (1, -number)
        finally:
            harness.kill()
    assert len(started) == 2
    wait_until_gone(started)


# -- the crowd --


class Listener:
    """Accepts, sends what it is told to, then closes or holds on."""

    def __init__(self, answer: bytes, closes: bool) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.socket.getsockname()[1]
        self.answer = answer
        self.closes = closes
        self.kept: list[socket.socket] = []
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self) -> None:
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            client.sendall(self.answer)
            if self.closes:
                client.close()
            else:
                self.kept.append(client)

    def end(self) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join(10)  # it may be about to keep one more
        self.socket.close()
        for client in self.kept:
            client.close()


def crowd(kind: Kind, answer: bytes = b"", closes: bool = False) -> tuple[int, int]:
    """How many of three settle with such a server, and how many are cut."""
    listener = Listener(answer, closes)
    try:
        gathered = Crowd(kind, 3, listener.port)
        gathered.gather()
        while closes and gathered.count().cut < 3:
            gathered.turn(0.01)
        count = gathered.count()
        for member in gathered.members:
            member.socket.close()
        return count.settled, count.cut
    finally:
        listener.end()


def test_clients_settle_where_the_server_holds_on() -> None:
    assert crowd(IDLE) == (3, 0)
    assert crowd(UPLOAD) == (3, 0)
    assert crowd(DEAF, b"HTTP/1.1 200 OK\r\n\r\nxxx") == (3, 0)


def test_a_client_that_is_refused_has_not_settled() -> None:
    assert crowd(DEAF, b"HTTP/1.1 503 Service Unavailable\r\n\r\n") == (0, 0)


def test_clients_that_the_server_closes_are_counted() -> None:
    assert crowd(IDLE, closes=True)[1] == 3


@pytest.mark.parametrize(
    ("answer", "closes"), [(b"", False), (b"HTTP/1.1 200 OK\r\n\r\nHallo", True), (b"", True)]
)
def test_an_answer_that_is_late_or_wrong_is_none(answer: bytes, closes: bool) -> None:
    listener = Listener(answer, closes)
    try:
        assert ask(listener.port, 0.05) is None
    finally:
        listener.end()


# -- the verdict --


def step(clients: int, answered: int = REQUESTS, failure: str = "") -> Step:
    return Step(clients, clients - 1, 1, answered, 0.5, 2048.0, failure)


def test_the_top_is_the_highest_step_that_was_held() -> None:
    climb = Climb("granian", IDLE, [step(2), step(10), step(100, answered=9)])
    assert climb.top == step(10)
    assert ladder_report.cell(climb) == "10 (2.0 KiB, 1 cut, 1 without answer)"


def test_a_server_that_did_not_start_says_why() -> None:
    climb = Climb("granian", IDLE, [step(2, failure="it did not start: no such flag")])
    assert ladder_report.cell(climb) == "0 (it did not start: no such flag)"


def test_aiowsgi_has_to_reach_its_aim_as_far_as_the_ladder_goes() -> None:
    climbs = [Climb("aiowsgi", IDLE, [step(2), step(10)]), Climb("aiowsgi", UPLOAD, [step(2)])]
    climbs.append(Climb("granian", UPLOAD, [step(2, failure="x")]))
    assert Ladder({}, (2, 10), climbs=climbs).fallen() == ["upload: 2, not 10"]
    assert Ladder({}, (2,), climbs=climbs).fallen() == []
    assert Ladder({}, (2, 10, 10_000), climbs=climbs[:1]).fallen() == ["idle: 10, not 10,000"]
