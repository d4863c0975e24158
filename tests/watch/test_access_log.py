"""The access log: its lines, what cannot be put into them, and a logger that is slow (S14, S18)."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Iterable

import pytest

from aiowsgi.watch import log_thread
from aiowsgi.watch.access_log import AccessLog
from aiowsgi.watch.combined import CombinedLines, combined
from aiowsgi.watch.lines import stamp
from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import live
from tests.server.wsgi_client import Client
from tests.watch.lines import ACCESS, Kept, note, parts


def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/error":
        raise ValueError("broken")
    if environ["PATH_INFO"] == "/stream":
        start_response("200 OK", [])
        return iter([b"1234", b"567"])
    start_response("201 Created", [("Content-Type", "text/plain")])
    return [b"hello"]


def served(kept: Kept, *requests: bytes) -> list[str]:
    """Serve each request on a connection of its own; the lines, written when the server ends."""
    with live(app, access_log=True) as server:
        for request in requests:
            server.talk(request)
    return kept.lines


def get(path: bytes, *fields: bytes) -> bytes:
    lines = [b"GET %b HTTP/1.1" % path, b"Host: a", b"Connection: close", *fields, b"", b""]
    return b"\r\n".join(lines)


def test_a_line_is_in_the_combined_format(kept: Kept) -> None:
    [line] = served(kept, get(b"/p?q=1", b"Referer: http://r/", b"USER-AGENT: Mozilla/5.0 (X)"))
    found = parts(line)
    assert found.pop("when")
    assert found == {
        "client": "127.0.0.1",
        "request": "GET /p?q=1 HTTP/1.1",
        "status": "201",
        "sent": "5",
        "referer": "http://r/",
        "agent": "Mozilla/5.0 (X)",
    }


def test_each_request_of_a_connection_has_its_line_with_the_bytes_of_its_body(kept: Kept) -> None:
    """HEAD and streamed bodies, too: what was sent, not what was announced or framed."""
    with live(app, access_log=True) as server, Client(server) as client:
        client.ask("GET", "/stream")
        client.ask("HEAD", "/stream")
        client.ask("GET", "/error")
        client.ask("GET", "/", version="1.0")
    lines = [parts(line) for line in kept.lines]
    assert [(line["request"], line["status"], line["sent"]) for line in lines] == [
        ("GET /stream HTTP/1.1", "200", "7"),
        ("HEAD /stream HTTP/1.1", "200", "0"),
        ("GET /error HTTP/1.1", "500", "22"),
        ("GET / HTTP/1.0", "201", "5"),
    ]
    assert {line["referer"] + line["agent"] for line in lines} == {"--"}


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "400"),
        (b"GARBAGE\r\n\r\n", "400"),
        (b"GET /%b HTTP/1.1\r\nHost: a\r\n\r\n" % (b"x" * 20_000), "414"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"A: b\r\n" * 200 + b"\r\n", "431"),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", "413"),
        (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", "505"),
    ],
)
def test_what_is_refused_before_it_is_a_request_has_its_line(
    raw: bytes, status: str, kept: Kept
) -> None:
    [line] = served(kept, raw)
    assert parts(line)["status"] == status
    assert int(parts(line)["sent"]) > 0


FORGING = [
    get(b'/"%20200%201%20"', b'User-Agent: a" 200 1 "-" "b'),
    get(b"/", b"Referer: \\x22 \\", b'User-Agent: \\"\\'),
    get(b"/\xff\x80", b"User-Agent: \xe2\x80\xa8\x85\xa0", b"Referer: \xc2\x85"),
    get(b"/", b"User-Agent: tab\there", b"Referer: %s %(levelname)s {0}"),
    b'GET /" HTTP/1.1\r\n"\r\n\r\n',
    b"\x1b[31mGET /\x07 HTTP/1.1\r\n\r\n",
    b"GET /\x1b[2J HTTP/1.1\r\nHost: a\r\n\r\n",
    b'"\n127.0.0.1 - - [x] "GET /forged\r\n\r\n',
]


@pytest.mark.parametrize("raw", FORGING)
def test_nothing_in_a_request_forges_a_line(raw: bytes, kept: Kept) -> None:
    """S14: one line each, printable ASCII, with quotes only where the format has them.

    The second time, the server knows the fields.
    """
    for line in served(kept, raw, raw):
        assert line.isascii()
        assert line.isprintable()
        assert line.count('"') == 6
        assert parts(line)
    assert len(kept.lines) == 2


def test_escapes_can_be_told_from_what_looks_like_one() -> None:
    """S14: a backslash is escaped itself."""
    line = combined("now", "", '\\x22"\r\n', 0, 0, agent="\xff")
    assert line == '- - - [now] "\\x5cx22\\x22\\x0d\\x0a" - 0 "-" "\\xff"'


@pytest.mark.parametrize("place", ["request", "referer", "agent"])
@pytest.mark.parametrize("byte", range(256))
def test_each_byte_is_printable_or_escaped_wherever_it_stands(byte: int, place: str) -> None:
    """S14: the look at all parts together misses none of them."""
    parts = {"request": "r", "referer": "f", "agent": "a", place: f"x{chr(byte)}y"}
    line = combined(
        "now", "c", parts["request"], 200, 1, referer=parts["referer"], agent=parts["agent"]
    )
    plain = 0x20 <= byte <= 0x7E and chr(byte) not in '"\\'
    assert (f"x{chr(byte)}y" in line) is plain
    assert (f"x\\x{byte:02x}y" in line) is not plain
    assert line.count('"') == 6


@pytest.mark.parametrize("zone", ["UTC", "<+0545>-5:45", "<-0330>3:30"])
def test_the_time_is_local_with_its_offset_and_in_english(
    zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        for month in range(12):
            now = 1_700_000_000 + month * 2_678_400
            assert stamp(now) == time.strftime("%d/%b/%Y:%H:%M:%S %z", time.localtime(now))
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_time_of_a_line_is_that_of_its_end(kept: Kept) -> None:
    """Its text is kept for a second, and no longer."""
    before = int(time.time())
    log = AccessLog(ACCESS, CombinedLines())
    note(log, 0)
    while int(time.time()) == before:
        threading.Event().wait(0.01)
    note(log, 1)
    log.close()
    seconds = [parts(line)["when"] for line in kept.lines]
    assert seconds[0] == stamp(before) or seconds[0] == stamp(before + 1)
    assert seconds[1] != stamp(before)


def test_a_logger_that_is_off_costs_nothing(kept: Kept) -> None:
    ACCESS.setLevel(logging.WARNING)
    with live(app, access_log=True) as server:
        server.talk(get(b"/"))
        names = {thread.name for thread in threading.enumerate()}
    assert kept.lines == []
    assert "aiowsgi-log" not in names


def test_close_writes_what_waits(kept: Kept) -> None:
    log = AccessLog(ACCESS, CombinedLines())
    for number in range(500):
        note(log, number)
    log.close()
    assert [parts(line)["request"] for line in kept.lines] == [
        f"GET /{number} HTTP/1.1" for number in range(500)
    ]
    assert "aiowsgi-log" not in {thread.name for thread in threading.enumerate()}


def test_a_slow_log_holds_nobody_and_drops_and_counts(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is never filled: what does not fit is counted, and that is told."""
    monkeypatch.setattr(log_thread, "_MOST", 100)
    log = AccessLog(ACCESS, CombinedLines())
    kept.go.clear()
    note(log, 0)
    assert kept.reached.wait(10)  # the log's thread hangs in the first line
    for number in range(1, 251):
        note(log, number)
    kept.go.set()
    log.close()
    assert len(kept.lines) == 1 + 100 + 1
    assert kept.lines[-1].startswith("150 lines were dropped")


def test_requests_are_answered_while_the_log_hangs(kept: Kept) -> None:
    kept.go.clear()
    with live(app, access_log=True, threads=1) as server:
        for _ in range(20):
            assert server.talk(get(b"/")).endswith(b"hello")
        kept.go.set()
    assert len(kept.lines) == 20


def test_an_output_that_hangs_at_the_end_does_not_hide_what_is_lost(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(log_thread, "_PATIENCE", 0.05)
    log = AccessLog(ACCESS, CombinedLines())
    kept.go.clear()
    note(log, 0)
    assert kept.reached.wait(10)
    for number in range(1, 8):
        note(log, number)
    log.close()
    assert "at least 7 lines were not written" in caplog.text
    kept.go.set()
    for thread in threading.enumerate():
        if thread.name == "aiowsgi-log":
            thread.join(10)


def test_an_output_that_is_slow_at_the_end_is_waited_for(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As long as it takes some of what waits, each time that the log loses its patience."""
    monkeypatch.setattr(log_thread, "_BATCH", 1)
    allowed, entered = threading.Semaphore(0), threading.Semaphore(0)

    def one_by_one(record: logging.LogRecord) -> None:
        entered.release()
        assert allowed.acquire(timeout=20)
        kept.lines.append(record.getMessage())

    monkeypatch.setattr(kept, "emit", one_by_one)
    log = AccessLog(ACCESS, CombinedLines())
    writer = log._notes._writer
    end, tries = writer.join, itertools.count(1)

    def lose_patience(_: float) -> None:
        allowed.release()
        if next(tries) < 4:
            assert entered.acquire(timeout=20)  # the next line
        else:
            end(20)

    monkeypatch.setattr(writer, "join", lose_patience)
    for number in range(4):
        note(log, number)
    assert entered.acquire(timeout=20)
    log.close()
    assert len(kept.lines) == 4
    assert "not written" not in caplog.text


def test_lines_of_many_threads_are_all_written(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_thread, "_PATIENCE", 60.0)  # it is not the end that is under test here
    log = AccessLog(ACCESS, CombinedLines())

    def many() -> None:
        for number in range(2000):
            note(log, number)

    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    assert len(kept.lines) == 8000
