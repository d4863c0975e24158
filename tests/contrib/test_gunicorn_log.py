"""Requests in gunicorn's access log: its format, its atoms, and nothing forged (S14)."""

from __future__ import annotations

import base64
import logging
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

if sys.platform == "win32":
    pytest.skip("gunicorn needs fork", allow_module_level=True)

from gunicorn.config import Config
from gunicorn.glogging import Logger

from aiowsgi.contrib.gunicorn_log import AccessLog, hear_errors, is_heard, with_escaped_user
from tests.live import live
from tests.watch.test_access_log import FORGING, app, get


@pytest.fixture(autouse=True)
def own_loggers() -> Iterator[None]:
    """The loggers that gunicorn writes to, afterwards as they were."""
    names = ("gunicorn.error", "gunicorn.access", "aiowsgi.error")
    loggers = [logging.getLogger(name) for name in names]
    before = [(log, log.handlers[:], log.level, log.propagate) for log in loggers]
    yield
    for log, handlers, level, propagate in before:
        for handler in set(log.handlers) - set(handlers):
            handler.close()
        log.handlers[:], log.propagate = handlers, propagate
        log.setLevel(level)


def logger(**settings: Any) -> Logger:
    return Logger(configured(**settings))


def configured(**settings: Any) -> Config:
    cfg = Config()
    for name, value in settings.items():
        cfg.set(name, value)
    return cfg


def lines(tmp_path: Path, form: str | None, *requests: bytes, **options: Any) -> list[str]:
    """Serve each request on a connection of its own; what gunicorn has written."""
    file = tmp_path / "access.log"
    settings: dict[str, Any] = {} if form is None else {"access_log_format": form}
    log = AccessLog(logger(accesslog=str(file), **settings))
    with live(app, log=log, **options) as server:
        for request in requests:
            server.talk(request)
    return file.read_text("latin-1").split("\n")[:-1]


def test_a_line_is_in_gunicorns_own_format(tmp_path: Path) -> None:
    [line] = lines(tmp_path, None, get(b"/p?q=1", b"Referer: http://r/", b"User-Agent: Mo (X)"))
    when = r"\[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]"
    assert re.fullmatch(
        rf'127\.0\.0\.1 - - {when} "GET /p\?q=1 HTTP/1\.1" 201 5 "http://r/" "Mo \(X\)"', line
    )


@pytest.mark.parametrize(
    ("atom", "value"),
    [
        ("%(m)s %(U)s %(q)s %(H)s", "GET /%22p q=1 HTTP/1.1"),
        ("%(s)s %(b)s %(B)s", "201 5 5"),
        ("%(u)s", "Aladdin"),
        ("%({x-trace}i)s %({X-Missing}i)s", "t1 -"),
        ("%({Content-Type}o)s", "text/plain"),
        ("%({raw_uri}e)s", "/%22p?q=1"),
    ],
)
def test_atoms_are_what_gunicorn_says(atom: str, value: str, tmp_path: Path) -> None:
    user = b"Authorization: Basic " + base64.b64encode(b"Aladdin:open sesame")
    assert lines(tmp_path, atom, get(b"/%22p?q=1", user, b"X-Trace: t1")) == [value]


def test_the_duration_is_that_of_the_request(tmp_path: Path) -> None:
    """%(L)s: seconds; the same in whole ones, in milliseconds and in microseconds."""
    [line] = lines(tmp_path, "%(T)s %(M)s %(D)s %(L)s", get(b"/"))
    seconds, milli, micro, exact = map(float, line.split())
    assert 0 < exact < 20
    assert micro == pytest.approx(exact * 1e6)
    assert milli == micro // 1000
    assert seconds == exact // 1


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (b"GARBAGE\r\n\r\n", "GARBAGE - - 400"),
        (b"GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1 400"),
        (b"\x00\r\n\r\n", "\\x00 - - 400"),
        (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", "GET / HTTP/2.0 505"),
    ],
)
def test_what_is_refused_has_its_line(raw: bytes, line: str, tmp_path: Path) -> None:
    assert lines(tmp_path, "%(r)s %(s)s", raw) == [line]


def test_a_health_check_takes_no_time(tmp_path: Path) -> None:
    [line] = lines(tmp_path, "%(U)s %(s)s %(L)s", get(b"/up"), health_path="/up")
    assert line == "/up 200 0.000000"


FORGED_USER = b"Authorization: Basic " + base64.b64encode(b'a" 200\n127.0.0.1 - b:x')


@pytest.mark.parametrize("raw", [*FORGING, get(b"/", FORGED_USER), get(b"/a%0A127.0.0.1%20-")])
def test_nothing_in_a_request_forges_a_line(raw: bytes, tmp_path: Path) -> None:
    """S14: one line each, printable ASCII, with quotes only where the format has them."""
    form = '%(h)s %(u)s "%(r)s" "%(U)s" "%(q)s" %(s)s "%(f)s" "%(a)s" "%({referer}i)s"'
    [line] = lines(tmp_path, form, raw)
    assert line.isascii()
    assert line.isprintable()
    assert line.count('"') == form.count('"')


@pytest.mark.parametrize("credentials", ["Basic ?", "Basic", "Bearer x\x85", "Basic YWJj", ""])
def test_credentials_that_are_none_are_text(credentials: str) -> None:
    text = with_escaped_user(credentials)
    assert text.isascii()
    assert text.isprintable()


# -- who hears of it --


class Counting(Logger):
    """As gunicorn's statsd logger: it looks at each request, and may fail at one."""

    seen = 0

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        self.seen += 1
        if self.seen == 1:
            raise ValueError(resp.status)


def test_a_logger_class_of_somebodys_own_is_told_of_each_request_whatever_it_raises() -> None:
    own = Counting(configured())
    assert is_heard(own)
    with live(app, log=AccessLog(own)) as server:
        for _ in range(3):
            server.talk(get(b"/"))
    assert own.seen == 3


def test_without_an_access_log_nobody_is_told() -> None:
    # Older versions look for themselves.
    assert is_heard(logger()) is not hasattr(Logger, "access_log_enabled")
    assert is_heard(logger(accesslog="-"))
    assert is_heard(logger(logconfig_dict={"loggers": {}}))


def test_a_slow_output_holds_nobody() -> None:
    go = threading.Event()

    class Held(Logger):
        def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
            assert go.wait(20)

    with live(app, log=AccessLog(Held(configured())), threads=1) as server:
        try:
            assert server.talk(get(b"/")).startswith(b"HTTP/1.1 201")
            assert server.talk(get(b"/")).startswith(b"HTTP/1.1 201")
        finally:
            go.set()


def test_what_we_say_is_said_by_gunicorns_logger_from_its_level_on(tmp_path: Path) -> None:
    file = tmp_path / "error.log"
    hear_errors(logger(errorlog=str(file), loglevel="warning"))
    ours = logging.getLogger("aiowsgi.error")
    ours.info("not this")
    ours.warning("100%% of %s", "this")
    assert file.read_text().rstrip().endswith("[WARNING] 100% of this")
    assert file.read_text().count("\n") == 1
