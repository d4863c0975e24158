"""wsgi/response.py: what start_response may be given (P31, P32, P34)."""

from __future__ import annotations

from enum import Enum
from typing import Any, NamedTuple

import pytest

from aiowsgi.errors import ApplicationError
from aiowsgi.http11.messages import ResponseHead
from aiowsgi.wsgi import response
from aiowsgi.wsgi.response import response_head

OK = "200 OK"
CONTROLS = [chr(code) for code in (*range(0x20), 0x7F)]


class Text(str):
    """A str still, as template engines make them."""

    __slots__ = ()


def of(*fields: tuple[str, str], status: str = OK) -> ResponseHead:
    return response_head(status, list(fields))


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        ("200 OK", 200, "OK"),
        ("200", 200, ""),
        ("200 ", 200, ""),
        ("404 Not  Found ", 404, "Not  Found "),
        ("299 D\xe9j\xe0 vu", 299, "D\xe9j\xe0 vu"),
        ("999 Above", 999, "Above"),
        (Text("201 Created"), 201, "Created"),
    ],
)
def test_a_status_is_three_digits_and_any_reason(status: str, code: int, reason: str) -> None:
    """P31; RFC 9112 4 lets the reason be empty."""
    for _ in range(2):  # the second time from the cache
        head = of(status=status)
        assert (head.status, head.reason) == (code, reason)


@pytest.mark.parametrize(
    "status",
    [
        "",
        "OK",
        "20 OK",
        "2000 OK",
        "200OK",
        " 200 OK",
        "200\tOK",
        "\u0662\u0660\u0660 OK",
        "100 Continue",
        "199 Early",
        "000 Zero",
        "200 \u20ac",
        "200 \ud800",
        200,
        b"200 OK",
        None,
        ["200 OK"],
        *(f"200 O{control}K" for control in CONTROLS),
        "200 OK\r\nX: y",
        "200 OK\n",
    ],
)
def test_another_status_is_an_error(status: Any) -> None:
    """P31: 1xx is the server's own to send."""
    for _ in range(2):
        with pytest.raises(ApplicationError, match="status must be"):
            of(status=status)


@pytest.mark.parametrize(
    "headers", [None, (), (("A", "b"),), {"A": "b"}, {"A": "b"}.items(), "A: b", iter([])]
)
def test_headers_that_are_no_list_are_an_error(headers: Any) -> None:
    """P31."""
    with pytest.raises(ApplicationError, match="headers must be a list"):
        response_head(OK, headers)


@pytest.mark.parametrize("field", [None, "A", "Ab", ["A", "b"], (), ("A",), ("A", "b", "c"), b"Ab"])
def test_a_field_that_is_no_pair_is_an_error(field: Any) -> None:
    """P31."""
    with pytest.raises(ApplicationError, match="a header must be a tuple"):
        of(("Good", "one"), field)


@pytest.mark.parametrize(
    "name",
    ["", "A B", "A:", " A", "A\u00e9", "A\r\nB", "A\n", "(A)", b"A", None, 1, []]
    + [f"A{control}" for control in CONTROLS],
)
def test_a_name_that_is_no_token_is_an_error(name: Any) -> None:
    """P31."""
    for _ in range(2):
        with pytest.raises(ApplicationError, match="a header name must be"):
            of((name, "x"))


@pytest.mark.parametrize(
    "value",
    [*(f"a{control}b" for control in CONTROLS), "a\r\nSet-Cookie: b", "a\n", "\u0100", "\ud800"]
    + [None, 1, b"a", ["a"]],
)
def test_a_value_with_control_characters_or_beyond_latin_1_is_an_error(value: Any) -> None:
    """P31."""
    with pytest.raises(ApplicationError, match="the value of 'X' must be"):
        of(("X", value))


def test_other_values_reach_the_wire_as_they_are() -> None:
    """P31: what is neither ASCII nor printable in Unicode's sense, but is latin-1, too."""
    every = "".join(map(chr, [*range(0x20, 0x7F), *range(0x80, 0x100)]))
    fields = [("X", every), ("X", ""), ("x-#$%&'*+.^_`|~", " a "), (Text("Y"), Text("z"))]
    assert of(*fields).fields == fields


class Media(str, Enum):  # noqa: UP042 - as applications of Python 3.10 have them
    JSON = "application/json"
    HOSTILE = "fine"

    def __str__(self) -> str:
        return "not\r\nfine"


class Field(NamedTuple):
    name: str
    value: str


def test_subclasses_are_what_their_characters_say() -> None:
    """P31: what was checked is what is sent, whatever `__str__` makes of it."""
    for field in (("X", Media.JSON), Field("X", Media.JSON), Field("X", "application/json")):
        head = of(("A", "b"), field)
        assert head.fields == [("A", "b"), ("X", "application/json")]
        assert f"{head.fields[1][1]}" == "application/json"
        assert [type(part) for part in head.fields[1]] == [str, str]
    assert type(of((Text("Server"), "x")).fields[0][0]) is str
    assert of((Text("Server"), Text("x"))).has_server
    with pytest.raises(ApplicationError, match="hop-by-hop"):
        of((Text("TE"), "x"))


@pytest.mark.parametrize(
    "name",
    "Transfer-Encoding Upgrade Keep-Alive TE Trailer Trailers Proxy-Authenticate"
    " Proxy-Authorization Proxy-Connection transfer-encoding KEEP-ALIVE".split(),
)
def test_hop_by_hop_fields_are_an_error(name: str) -> None:
    """P32: in any case, and every time."""
    for _ in range(2):
        with pytest.raises(ApplicationError, match="hop-by-hop"):
            of((name, "x"))


def test_proxy_status_is_for_the_client() -> None:
    """P32: RFC 9209 2 makes it an ordinary response field."""
    assert of(("Proxy-Status", "x")).fields == [("Proxy-Status", "x")]


@pytest.mark.parametrize("value", ["close", "Close", "close, keep-alive", "keep-alive,close"])
def test_connection_close_is_honoured_and_taken_out(value: str) -> None:
    """P32."""
    for name in ("Connection", "connection"):
        head = of(("A", "1"), (name, value), ("B", "2"))
        assert (head.close, head.fields) == (True, [("A", "1"), ("B", "2")])


def test_connection_keep_alive_is_taken_out_and_says_nothing() -> None:
    """P32: it is what applications say who do not know that the server decides."""
    head = of(("Connection", "keep-alive"), ("Connection", "Keep-Alive"), ("A", "1"))
    assert (head.close, head.fields) == (False, [("A", "1")])
    assert of(("Connection", "close"), ("Connection", "keep-alive")).close


@pytest.mark.parametrize("value", ["", "upgrade", "close, x-mine", "Set-Cookie", "close;"])
def test_another_connection_option_is_an_error(value: str) -> None:
    """P32."""
    with pytest.raises(ApplicationError, match="Connection may only say close"):
        of(("Connection", value))


def test_a_bad_field_after_connection_is_found_too() -> None:
    """P31."""
    with pytest.raises(ApplicationError, match="a header must be a tuple"):
        of(("Connection", "close"), None)  # type: ignore[arg-type]
    with pytest.raises(ApplicationError, match="the value of 'X'"):
        of(("Connection", "close"), ("X", "\n"))


@pytest.mark.parametrize("value", ["0", "5", "005", "9" * 18])
def test_content_length_is_read_and_kept(value: str) -> None:
    """P32, P39."""
    head = of(("content-length", value))
    assert (head.content_length, head.fields) == (int(value), [("content-length", value)])
    assert of(("A", "b")).content_length is None


@pytest.mark.parametrize(
    "value", ["", "-1", "+1", "1.0", " 1", "1 ", "1,1", "0x1", "\u0661", "\xb2", "9" * 19, "1_0"]
)
def test_a_malformed_content_length_is_an_error(value: str) -> None:
    """P32: it never reaches the wire."""
    with pytest.raises(ApplicationError):
        of(("Content-Length", value))


def test_a_double_content_length_is_an_error() -> None:
    """P32: with the same value too, and in another case."""
    with pytest.raises(ApplicationError, match="Content-Length must be given once"):
        of(("Content-Length", "5"), ("content-length", "5"))


def test_own_date_and_server_are_noticed() -> None:
    """P34: so that the encoder does not add its own."""
    head = of(("date", "x"), ("SERVER", "y"))
    assert (head.has_date, head.has_server, len(head.fields)) == (True, True, 2)
    head = of(("X-Date", "x"), ("Server-Timing", "y"))
    assert (head.has_date, head.has_server) == (False, False)


def test_the_list_stays_the_applications_own() -> None:
    """P31: what it does to its list later changes nothing, and we change nothing in it."""
    fields = [("Connection", "close"), ("A", "1")]
    head = response_head(OK, fields)
    assert fields == [("Connection", "close"), ("A", "1")]
    fields.append(("B", "\n"))
    assert head.fields == [("A", "1")]


def test_names_and_statuses_that_an_application_makes_up_do_not_fill_memory() -> None:
    """S20: nor do long ones."""
    for number in range(3 * response._CACHED):
        of((f"X-{number}", "x"), status=f"200 {number}")
    of(("X" * 1000, "x"), status="200 " + "x" * 1000)
    for cache in (response._names, response._statuses):
        assert len(cache) <= response._CACHED
        assert max(map(len, cache)) <= response._CACHED_SIZE


def test_a_message_shows_what_was_given_short_and_escaped() -> None:
    """S14: it goes to the log."""
    with pytest.raises(ApplicationError) as caught:
        of(("X", "\n[forged]\x1b[31m" + "x" * 1000))
    message = str(caught.value)
    assert r"\n[forged]\x1b[31m" in message
    assert message.isprintable()
    assert len(message) < 200
    with pytest.raises(ApplicationError, match=r"not '\\nlittle'$"):
        of(("X", "\nlittle"))
