"""What becomes of a scope (A8, A9, A13, A18; P9 to P13)."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from aiowsgi.asgi.scope import endpoints, offers, request_head
from aiowsgi.http11.messages import Endpoints
from aiowsgi.wsgi.environ import EnvironBuilder, script_name
from tests.asgi.host import scope


def paths(of: dict[str, Any]) -> tuple[str, str]:
    """SCRIPT_NAME and PATH_INFO, as the adapter makes them."""
    builder = EnvironBuilder()
    template = builder.connection(endpoints(of))
    template.keys["SCRIPT_NAME"] = script_name(of.get("root_path") or "")
    environ = template.build(request_head(of), None, 0)
    return environ["SCRIPT_NAME"], environ["PATH_INFO"]


MOUNTS = {
    "no mount": ({"path": "/a", "raw_path": b"/a"}, ("", "/a")),
    "the path has the mount": (
        {"root_path": "/m", "path": "/m/a", "raw_path": b"/m/a"},
        ("/m", "/a"),
    ),
    "the path has no mount, the raw path has": (
        {"root_path": "/m", "path": "/a", "raw_path": b"/m/a"},
        ("/m", "/a"),
    ),
    "neither has": ({"root_path": "/m", "path": "/a", "raw_path": b"/a"}, ("/m", "/a")),
    "the mount is a slash": ({"root_path": "/", "path": "/a", "raw_path": b"/a"}, ("", "/a")),
    "the mount ends with one": (
        {"root_path": "/m/", "path": "/m/a", "raw_path": b"/m/a"},
        ("/m", "/a"),
    ),
    "the mount alone": ({"root_path": "/m", "path": "/m", "raw_path": b"/m"}, ("/m", "")),
    "another segment that begins so": (
        {"root_path": "/m", "path": "/mad", "raw_path": b"/mad"},
        ("/m", "/mad"),
    ),
    "bytes that are no UTF-8": ({"path": "/\ufffd", "raw_path": b"/%ff"}, ("", "/\xff")),
    "UTF-8": ({"path": "/\u00e9", "raw_path": b"/%C3%A9"}, ("", "/\xc3\xa9")),
    "UTF-8 without a raw path": ({"path": "/\u00e9", "raw_path": None}, ("", "/\xc3\xa9")),
    "a per cent sign without a raw path": ({"path": "/100%25", "raw_path": None}, ("", "/100%25")),
    "a path that was rewritten": ({"path": "/new", "raw_path": b"/old"}, ("", "/new")),
    "a raw path with a query": ({"path": "/a", "raw_path": b"/a?b"}, ("", "/a")),
    "an encoded slash": ({"path": "/a/b", "raw_path": b"/a%2Fb"}, ("", "/a/b")),
    "a mount in UTF-8": (
        {"root_path": "/\u00e9", "path": "/\u00e9/a", "raw_path": b"/%C3%A9/a"},
        ("/\xc3\xa9", "/a"),
    ),
}


@pytest.mark.parametrize(("changes", "expected"), MOUNTS.values(), ids=MOUNTS)
def test_the_mount_is_cut_on_a_segment_boundary_and_bytes_are_kept(
    changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    """A8, P10, P11."""
    assert paths(scope(**changes)) == expected


def test_the_target_is_as_it_was_sent() -> None:
    head = request_head(scope("/a b", raw_path=b"/a%20b", query_string=b"q=%ff&r"))
    assert (head.target, head.query) == ("/a%20b?q=%ff&r", "q=%ff&r")


@pytest.mark.parametrize("absent", ["missing", "none"])
def test_each_optional_key_may_be_missing_or_none(absent: str) -> None:
    """A9."""
    of: dict[str, Any] = {"type": "http", "method": "GET", "path": "/a"}
    if absent == "none":
        optional = "http_version scheme raw_path query_string root_path headers client server"
        of.update(dict.fromkeys(f"{optional} extensions".split()))
    head = request_head(of)
    assert (head.path, head.query, head.version, head.fields) == ("/a", "", "1.1", {})
    assert endpoints(of) == Endpoints(("", ""), ("", ""), "http")
    assert paths(of) == ("", "/a")
    assert not offers(of, "http.response.pathsend")


def test_a_unix_socket_has_a_path_and_no_port() -> None:
    found = endpoints(scope(client=None, server=("/run/app.sock", None)))
    assert found == Endpoints(("", ""), ("/run/app.sock", ""), "http")


def test_fields_are_joined_and_names_that_could_be_taken_for_others_are_dropped() -> None:
    """A10, P12: a client's `x_forwarded_for` must not pose as X-Forwarded-For."""
    headers = [
        (b"X-Two", b"1"),
        (b"x-two", b" 2\t"),
        (b"cookie", b"a=1"),
        (b"cookie", b"b=2"),
        (b"x_forwarded_for", b"10.0.0.1"),
        (b"proxy", b"http://evil"),
        (b"content-type", b"text/plain"),
        (b"x-latin", b"\xe9"),
    ]
    assert request_head(scope(headers=headers)).fields == {
        "HTTP_X_TWO": "1, 2",
        "HTTP_COOKIE": "a=1; b=2",
        "CONTENT_TYPE": "text/plain",
        "HTTP_X_LATIN": "\xe9",
    }


def test_a_scope_is_not_changed() -> None:
    """A13."""
    of = scope("/m/a", root_path="/m")
    before = copy.deepcopy(of)
    paths(of)
    assert of == before


def test_twenty_thousand_fields_are_one_list() -> None:
    """A18: in time that is in proportion; a quadratic way would not end within the test's own."""
    headers = [(b"x-many", b"%d" % number) for number in range(20_000)]
    assert request_head(scope(headers=headers)).fields["HTTP_X_MANY"].count(",") == 19_999


@pytest.mark.parametrize(("value", "length"), [(b"12", 12), (b"+12", None), (b"", None)])
def test_a_content_length_is_digits(value: bytes, length: int | None) -> None:
    head = request_head(scope(headers=[(b"content-length", value)]))
    assert head.content_length == length
