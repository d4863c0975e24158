"""`--debug` and `--validate`: what a programmer sees, and nobody who has not asked for it (S13)."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser

import httpx
import pytest

from aiowsgi.config import Config
from aiowsgi.errors import ConfigError
from aiowsgi.server.opening import open_listeners
from aiowsgi.wsgi.types import Environ, StartResponse, WSGIApplication
from tests.live import Live, live
from tests.server.wsgi_client import TEXT

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def view(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    name = environ["PATH_INFO"]
    found = {"/early": early, "/late": late, "/not-bytes": not_bytes, "/begun": begun}
    application = found.get(name, early)
    return application(environ, start_response)


def early(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    markup = "<script>alert('it')</script>"
    raise LookupError(f"no {markup} & no {environ['QUERY_STRING']}")


def late(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", TEXT)
    raise LookupError("in the first next()")
    yield b""


def not_bytes(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", TEXT)
    return ["text"]  # type: ignore[list-item]


def begun(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", TEXT)
    yield b"begun"
    raise LookupError("too late")


@pytest.fixture(scope="module")
def server() -> Iterator[Live]:
    with live(view, debug=True) as running:
        yield running


class Page(HTMLParser):
    """The elements of a page, and its text; what is not well formed fails."""

    VOID = frozenset({"meta", "link"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_browser_gets_a_page_with_source_and_variables(server: Live) -> None:
    answer = httpx.get(f"{server.url}/early?<b>q</b>", headers=HTML)
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = Page(answer.text)
    assert "LookupError" in page.text
    assert "raise LookupError(f" in page.text  # its line of source
    assert "def view(" in page.text  # around the call before
    assert "markup" in page.text
    assert "Traceback (most recent call last)" in page.text


def test_what_comes_from_application_and_request_is_escaped(server: Live) -> None:
    text = httpx.get(f"{server.url}/early?<b>q</b>", headers=HTML).text
    assert "<script" not in text
    assert "<b>q</b>" not in text
    assert "&lt;script&gt;alert(&#x27;it&#x27;)&lt;/script&gt; &amp; no" in text


def test_the_page_needs_no_script_and_nothing_from_elsewhere(server: Live) -> None:
    answer = httpx.get(f"{server.url}/early", headers=HTML)
    page = Page(answer.text)
    assert not {"script", "img", "iframe"} & {tag for tag, _ in page.tags}
    named = [names for _, names in page.tags if names.keys() & {"src", "href", "onclick"}]
    assert named == [{"rel": "icon", "href": "data:,"}]  # else it is asked of the application
    assert "url(" not in answer.text
    assert "@import" not in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["cache-control"] == "no-store"


def test_variables_are_behind_a_click(server: Live) -> None:
    tags = Page(httpx.get(f"{server.url}/early", headers=HTML).text).tags
    details = [names for tag, names in tags if tag == "details"]
    variables = [names for names in details if names.get("class") == "variables"]
    assert variables
    assert not any("open" in names for names in variables)
    assert any("open" in names for names in details)  # the application's own calls are


def test_our_own_calls_are_not_shown(server: Live) -> None:
    for headers in (HTML, {}):
        text = httpx.get(f"{server.url}/early", headers=headers).text
        assert "exchange.py" not in text
        assert "wsgi/call.py" not in text


@pytest.mark.parametrize("accept", ["*/*", "application/json", ""])
def test_who_does_not_ask_for_html_gets_the_plain_traceback(server: Live, accept: str) -> None:
    answer = httpx.get(f"{server.url}/early", headers={"Accept": accept})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text.startswith("Traceback (most recent call last)")
    assert "LookupError: no <script>" in answer.text


def test_head_has_the_fields_and_no_body(server: Live) -> None:
    answer = httpx.head(f"{server.url}/early", headers=HTML)
    assert (answer.status_code, answer.content) == (500, b"")
    assert int(answer.headers["content-length"]) > 1000


def test_a_failure_before_the_first_block_is_shown_too(server: Live) -> None:
    assert "in the first next()" in httpx.get(f"{server.url}/late").text


def test_a_breach_of_the_pep_is_shown_in_words_without_a_call(server: Live) -> None:
    answer = httpx.get(f"{server.url}/not-bytes", headers=HTML)
    assert "only bytes may be" in answer.text
    assert "No line of the application was running." in answer.text


def test_a_response_that_has_begun_is_cut_as_ever(server: Live) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{server.url}/begun", headers=HTML)


def test_the_connection_goes_on_after_it(server: Live) -> None:
    with httpx.Client(headers=HTML) as client:
        assert [client.get(f"{server.url}/early").status_code for _ in range(3)] == [500] * 3


def test_without_the_flag_nothing_of_it_is_told() -> None:
    """S13."""
    with live(view) as server:
        for path in ("early", "late", "not-bytes"):
            answer = httpx.get(f"{server.url}/{path}", headers=HTML)
            assert (answer.status_code, answer.text) == (500, "Internal Server Error\n")


def warnings_of(caplog: pytest.LogCaptureFixture, **options: object) -> str:
    caplog.clear()
    with caplog.at_level(logging.WARNING, "aiowsgi.error"):
        listeners, _ = open_listeners(Config(**options))
    for listener in listeners:
        listener.close()
    return caplog.text


def test_it_says_so_at_start_where_others_can_connect(caplog: pytest.LogCaptureFixture) -> None:
    """S13."""
    told = warnings_of(caplog, debug=True, bind="0.0.0.0:0")
    assert "--debug shows source code and local variables" in told
    assert "http://0.0.0.0:" in told
    assert warnings_of(caplog, debug=True, bind=["127.0.0.1:0", "0.0.0.0:0"]) != ""
    through = warnings_of(caplog, debug=True, port=0, forwarded_allow_ips="127.0.0.1")
    assert "through a proxy" in through
    assert warnings_of(caplog, debug=True, port=0, proxy_protocol="v1", proxy_allow_from="*")


def test_it_says_nothing_on_loopback_or_where_it_is_off(caplog: pytest.LogCaptureFixture) -> None:
    assert warnings_of(caplog, debug=True, bind="127.0.0.1:0") == ""
    assert warnings_of(caplog, bind="0.0.0.0:0") == ""


def well(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    environ["wsgi.early_hints"]([("Link", "</style.css>; rel=preload")])
    start_response("200 OK", TEXT)
    return [environ["wsgi.input"].read(100)]


def wrong(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    environ["wsgi.input"].read()  # the validator wants a size
    start_response("200 OK", TEXT)
    return []


def untyped(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [])
    return [b"no Content-Type"]


def test_validate_lets_what_is_right_pass_early_hints_as_well() -> None:
    with live(well, validate=True) as server:
        raw = server.talk(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody"
        )
    assert raw.startswith(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n")
    assert b"HTTP/1.1 200 OK\r\n" in raw
    assert b"body" in raw


@pytest.mark.parametrize("app", [wrong, untyped])
def test_validate_makes_what_breaks_the_pep_an_error(
    app: WSGIApplication, caplog: pytest.LogCaptureFixture
) -> None:
    with live(app, validate=True) as server:
        assert httpx.get(server.url).status_code == 500
    assert "AssertionError" in caplog.text
    with live(app) as server:
        assert httpx.get(server.url).status_code == 200


def test_validate_and_debug_together_show_what_is_wrong() -> None:
    with live(untyped, validate=True, debug=True) as server:
        assert "No Content-Type header found" in httpx.get(server.url).text


def test_neither_takes_a_value() -> None:
    for name in ("debug", "validate"):
        with pytest.raises(ConfigError, match=name):
            Config(**{name: "perhaps"})
