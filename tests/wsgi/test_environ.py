"""wsgi/environ.py: the keys of a request (P2, P9-P13, P16, P17, P25)."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiowsgi.http11.messages import Endpoints, RequestHead
from aiowsgi.wsgi.environ import EnvironBuilder, script_name
from aiowsgi.wsgi.errors_stream import ErrorStream
from aiowsgi.wsgi.filewrapper import FileWrapper
from aiowsgi.wsgi.types import Environ

TCP = Endpoints(("192.0.2.7", "50123"), ("198.51.100.1", "8000"))
TLS = TCP._replace(scheme="https")
UNIX = Endpoints(("", ""), ("example.org", ""))


def request(
    target: str = "/",
    fields: dict[str, str] | None = None,
    *,
    method: str = "GET",
    version: str = "1.1",
    **framing: Any,
) -> RequestHead:
    path, _, query = target.partition("?")
    return RequestHead(method, target, path, query, version, fields or {}, **framing)


def build(
    head: RequestHead,
    length: int | None = None,
    *,
    endpoints: Endpoints = TCP,
    **options: Any,
) -> Environ:
    builder = EnvironBuilder(**options)
    return builder.connection(endpoints).build(head, io.BytesIO(), length)


def test_each_request_has_a_fresh_builtin_dict() -> None:
    """P2: the application's to change, without a trace in the next one."""
    builder = EnvironBuilder()
    template = builder.connection(TCP)
    first = template.build(request(fields={"HTTP_A": "1"}), io.BytesIO(), None)
    assert type(first) is dict
    first.clear()
    second = template.build(request(), io.BytesIO(), None)
    assert second["wsgi.version"] == (1, 0)
    assert "HTTP_A" not in second


def test_the_keys_of_a_simple_request_are_these_and_no_others() -> None:
    """P9, P13, P16: nothing invented, nothing of the process's environment."""
    body = io.BytesIO()
    builder = EnvironBuilder(software="aiowsgi/1.0", multithread=False, multiprocess=True)
    environ = builder.connection(TCP).build(
        request("/a%20b?c=%20d", {"HTTP_HOST": "h:1", "CONTENT_TYPE": "t/p"}, method="POST"),
        body,
        None,
    )
    errors = environ.pop("wsgi.errors")
    assert type(errors) is ErrorStream
    assert environ.pop("wsgi.input") is body
    assert environ == {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/a b",
        "QUERY_STRING": "c=%20d",
        "REQUEST_URI": "/a%20b?c=%20d",
        "RAW_URI": "/a%20b?c=%20d",
        "CONTENT_TYPE": "t/p",
        "SERVER_NAME": "198.51.100.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "aiowsgi/1.0",
        "REMOTE_ADDR": "192.0.2.7",
        "REMOTE_PORT": "50123",
        "HTTP_HOST": "h:1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        "wsgi.input_terminated": True,
    }


@pytest.mark.parametrize(("version", "protocol"), [("1.0", "HTTP/1.0"), ("2", "HTTP/2")])
def test_server_protocol_is_that_of_the_request(version: str, protocol: str) -> None:
    """P9."""
    assert build(request(version=version))["SERVER_PROTOCOL"] == protocol


def test_what_the_pep_wants_filled_is_never_empty() -> None:
    """P9: a unix socket has neither name nor port; P13: it has no client address either."""
    environ = build(request(), endpoints=UNIX)
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("example.org", "80")
    assert environ["REMOTE_ADDR"] == ""
    assert "REMOTE_PORT" not in environ
    environ = build(request(), endpoints=Endpoints(("", ""), ("", ""), "https"))
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("localhost", "443")


def test_over_tls_the_scheme_and_mod_ssls_name_say_so() -> None:
    """P13, P16."""
    environ = build(request(), endpoints=TLS)
    assert (environ["wsgi.url_scheme"], environ["HTTPS"]) == ("https", "on")
    assert "HTTPS" not in build(request())


def test_concurrency_and_errors_are_what_the_server_says() -> None:
    """P16: threads in one process unless told otherwise."""
    environ = build(request())
    assert (environ["wsgi.multithread"], environ["wsgi.multiprocess"]) == (True, False)
    errors = ErrorStream()
    assert build(request(), errors=errors)["wsgi.errors"] is errors


def test_extensions_are_lower_case_dotted_names() -> None:
    """P17: and they are in each environ."""
    environ = build(request(), extra={"aiowsgi.request_id": "x"})
    assert environ["aiowsgi.request_id"] == "x"
    for key in environ:
        assert key == (key.lower() if "." in key else key.upper())


@given(st.binary())
def test_a_path_keeps_each_byte(raw: bytes) -> None:
    """P10, P11: percent-encoded or not; invalid escapes stay as they are."""
    encoded = "/" + "".join(f"%{byte:02x}" for byte in raw)
    assert build(request(encoded))["PATH_INFO"] == "/" + raw.decode("latin-1")
    plain = "/" + raw.decode("latin-1").replace("%", "").replace("?", "")
    assert build(request(plain))["PATH_INFO"] == plain


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/%ff\xfe", "/\xff\xfe", ""),
        ("//a", "//a", ""),
        ("//a//b/../c/.", "//a//b/../c/.", ""),
        ("/%2F%2e+%zz%", "//.+%zz%", ""),
        ("/a;b=c", "/a;b=c", ""),
        ("/%3Fa?b=%3F&c=\xe9?d", "/?a", "b=%3F&c=\xe9?d"),
        ("/?", "/", ""),
    ],
)
def test_path_and_query_are_not_tidied(target: str, path: str, query: str) -> None:
    """P10, P11, P13: only the path is decoded, once."""
    environ = build(request(target))
    assert (environ["PATH_INFO"], environ["QUERY_STRING"]) == (path, query)
    assert environ["RAW_URI"] == environ["REQUEST_URI"] == target


def test_asterisk_form_has_an_empty_path() -> None:
    """P11, RFC 9112 3.3; the target tells it from an empty one."""
    environ = build(request("*", method="OPTIONS"))
    assert (environ["PATH_INFO"], environ["REQUEST_URI"]) == ("", "*")


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/app", ""),
        ("/app/", "/"),
        ("/app/x", "/x"),
        ("/%61pp/x", "/x"),
        ("/app//x", "//x"),
        ("/application", "/application"),
        ("/", "/"),
        ("/x/app/", "/x/app/"),
    ],
)
def test_a_mount_is_cut_on_a_segment_boundary(target: str, path: str) -> None:
    """P11: a path that is not below it is what a proxy has cut already."""
    environ = build(request(target), root_path="/app")
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == ("/app", path)


def test_a_connection_may_have_a_mount_of_its_own() -> None:
    """P11: as under ASGI, where each scope has its root_path."""
    builder = EnvironBuilder(root_path="/app")
    template = builder.connection(TCP)
    template.keys["SCRIPT_NAME"] = "/b"
    environ = template.build(request("/b/c"), io.BytesIO(), None)
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == ("/b", "/c")
    assert builder.connection(TCP).keys["SCRIPT_NAME"] == "/app"


@pytest.mark.parametrize(
    ("root_path", "script"),
    [("", ""), ("/", ""), ("//", ""), ("app", "/app"), ("/a/b/", "/a/b"), ("/\xe9", "/\xc3\xa9")],
)
def test_a_mount_as_text_becomes_a_script_name(root_path: str, script: str) -> None:
    """P10, P11: never `/` alone, and bytes of UTF-8 as any path."""
    assert script_name(root_path) == script


@pytest.mark.parametrize(
    ("announced", "counted", "chunked", "key"),
    [
        (None, None, False, None),  # no body
        (None, 0, False, None),  # no body, by a caller that counted it
        (0, None, False, "0"),
        (0, 0, False, "0"),
        (5, None, False, "5"),  # streamed
        (5, 5, False, "5"),
        (None, None, True, None),  # streamed, its length not known yet
        (None, 7, True, "7"),
        (None, 0, True, "0"),
        (None, 7, False, "7"),  # HTTP/2 through ASGI
    ],
)
def test_content_length_is_that_of_the_body(
    announced: int | None, counted: int | None, chunked: bool, key: str | None
) -> None:
    """P9, P25: of a chunked body where it was buffered."""
    sent = {"HTTP_TRANSFER_ENCODING": "chunked"} if chunked else {}
    if announced is not None:
        sent["CONTENT_LENGTH"] = str(announced)
    environ = build(request(fields=sent, content_length=announced, chunked=chunked), counted)
    assert environ.get("CONTENT_LENGTH") == key
    assert "HTTP_CONTENT_LENGTH" not in environ
    # An application must not see two framings of one body.
    assert ("HTTP_TRANSFER_ENCODING" in environ) == (chunked and counted is None)
