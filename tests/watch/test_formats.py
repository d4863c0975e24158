"""Each format of the access log: what its atoms say, and that no request forges a line (S14)."""

from __future__ import annotations

import base64
import json
import os
import re
from typing import Any

import pytest

from aiowsgi.errors import ProtocolError
from aiowsgi.line_format import ATOMS, NAMES, Atom, check_format, parse
from aiowsgi.watch.combined import CombinedLines
from aiowsgi.watch.entry import Entry
from aiowsgi.watch.formats import lines_of
from aiowsgi.watch.json_line import JsonLine
from aiowsgi.watch.plan import Plan

# Every atom, so that each sees what a request brings.
EVERYTHING = " ".join([f"%({letter})s" for letter in ATOMS])
EVERYTHING += " %({x-own}i)s %({x-own}o)s %({HTTP_X_OWN}e)s %({content-type}i)s"


def entry(**more: Any) -> Entry:
    found = Entry("192.0.2.1", "GET /a%20b?q=1 HTTP/1.1", 200, 512)
    found.method, found.target, found.path, found.query = "GET", "/a%20b?q=1", "/a%20b", "q=1"
    found.version = "1.1"
    found.fields = {
        "HTTP_REFERER": "http://r/",
        "HTTP_USER_AGENT": "Probe/1 (x)",
        "HTTP_X_OWN": "mine",
        "CONTENT_TYPE": "text/plain",
        "HTTP_AUTHORIZATION": "Basic " + base64.b64encode(b"jane:secret").decode(),
    }
    found.answer = [("X-Own", "one"), ("x-own", "two")]
    found.seconds, found.queued, found.first = 1.2345678, 0.001, 0.25
    found.received, found.request_id, found.kept = 77, "id-1", True
    for name, value in more.items():
        setattr(found, name, value)
    return found


def written(text: str, **more: Any) -> str:
    return Plan(parse(check_format(text))).write(entry(**more))


@pytest.mark.parametrize(
    ("atom", "said"),
    [
        ("{REQUEST_METHOD}e", "GET"),
        ("{REQUEST_URI}e", "/a%20b?q=1"),
        ("{RAW_URI}e", "/a%20b?q=1"),
        ("{QUERY_STRING}e", "q=1"),
        ("{SERVER_PROTOCOL}e", "HTTP/1.1"),
        ("{REMOTE_ADDR}e", "192.0.2.1"),
        ("{aiowsgi.request_id}e", "id-1"),
        ("h", "192.0.2.1"),
        ("l", "-"),
        ("u", "jane"),
        ("r", "GET /a%20b?q=1 HTTP/1.1"),
        ("m", "GET"),
        ("U", "/a%20b"),
        ("q", "q=1"),
        ("H", "HTTP/1.1"),
        ("s", "200"),
        ("b", "512"),
        ("B", "512"),
        ("f", "http://r/"),
        ("a", "Probe/1 (x)"),
        ("T", "1"),
        ("M", "1234"),
        ("D", "1234567"),
        ("L", "1.234568"),
        ("Q", "0.001000"),
        ("F", "0.250000"),
        ("R", "id-1"),
        ("x", "77"),
        ("X", "+"),
        ("{x-own}i", "mine"),
        ("{Content-Type}i", "text/plain"),
        ("{X-OWN}o", "one, two"),
        ("{HTTP_X_OWN}e", "mine"),
    ],
)
def test_an_atom_says_what_gunicorn_says_or_what_is_ours(atom: str, said: str) -> None:
    assert written(f"<%({atom})s>") == f"<{said}>"


def test_the_process_is_in_it_as_gunicorn_writes_it() -> None:
    assert written("%(p)s") == f"<{os.getpid()}>"


def test_the_time_stands_in_brackets() -> None:
    assert re.fullmatch(r"\[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]", written("%(t)s"))


def test_what_is_not_there_is_a_dash() -> None:
    bare = Plan(parse(EVERYTHING.replace("%(t)s ", "").replace("%(p)s ", "")))
    line = bare.write(Entry("", "", 0, 0))
    assert set(line.replace("  ", " ").split(" ")) == {"-", "0"}  # %(q)s is nothing, as gunicorn's


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "+"),
        ({"kept": False}, "-"),
        ({"aborted": True}, "X"),
    ],
)
def test_how_a_connection_ended_is_told_as_apache_does(more: dict[str, bool], said: str) -> None:
    assert written("%(X)s", **more) == said


def test_text_stands_around_and_widths_align() -> None:
    assert written("%% %(m)-6s|%(s)5s|%(B)d") == "% GET   |  200|512"
    assert written("{%(m)s} %(s)s%%d") == "{GET} 200%d"


@pytest.mark.parametrize(
    "wrong",
    [
        "%(Z)s",
        "%(h)",
        "%h",
        "100% %(h)s",
        "%({}i)s",
        "%({a}x)s",
        "%(h)s %",
        "nothing",
        "",
        "%(h)s\n",
    ],
)
def test_a_format_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="common, combined, json, dev|a format of one line"):
        check_format(wrong)


def test_a_name_may_be_written_in_any_case_and_a_format_is_taken_apart_once() -> None:
    assert [check_format(name.upper()) for name in NAMES] == list(NAMES)
    assert parse("a %(h)s%%%({A-b}i)9s") == ["a ", Atom("h"), "%", Atom("i", "A-b", "9")]


def test_only_a_format_that_asks_for_time_is_timed() -> None:
    timed = {"json", "dev", *[f"%({letter})s" for letter in "TMDLF"]}
    for text in [*NAMES, *[f"%({letter})s" for letter in ATOMS]]:
        assert lines_of(text).timed is (text in timed), text


def test_common_is_combined_without_its_last_two() -> None:
    refused = ("192.0.2.1", ProtocolError(400, "bad", b"GET /x HTTP/1.1"), 5)
    common = lines_of("common").rejected(*refused)
    combined = CombinedLines().rejected(*refused)
    assert combined == f'{common} "-" "-"'


HOSTILE = 'x" 200 1 "-"\r\n\x1b[2J\\"\xff %s {0} '


@pytest.mark.parametrize("place", ["line", "target", "method", "path", "query", "request_id"])
def test_what_a_client_sends_forges_no_line(place: str) -> None:
    """S14: of any format; JSON reads back what was sent."""
    dressed = entry(**{place: HOSTILE})
    planned = Plan(parse(EVERYTHING)).write(dressed)
    for line in (planned, JsonLine().write(dressed), lines_of("dev")._write(dressed)):  # type: ignore[attr-defined]
        assert line.isascii()
        assert line.isprintable()
    assert '"' not in planned
    names = {"line", "path", "query"}
    assert place in names or json.loads(JsonLine().write(dressed))[place] == HOSTILE


@pytest.mark.parametrize("field", ["HTTP_REFERER", "HTTP_USER_AGENT", "HTTP_X_OWN", "CONTENT_TYPE"])
def test_fields_of_a_request_forge_no_line(field: str) -> None:
    """S14."""
    dressed = entry()
    dressed.fields[field] = HOSTILE
    planned = Plan(parse(EVERYTHING)).write(dressed)
    assert planned.isascii()
    assert planned.isprintable()
    assert '"' not in planned
    assert json.loads(JsonLine().write(dressed))


@pytest.mark.parametrize(
    ("authorization", "said"),
    [
        ("Basic " + base64.b64encode(b"a b:c").decode(), "a\\x20b"),
        ("basic " + base64.b64encode(b'"\r\n:').decode(), "\\x22\\x0d\\x0a"),
        ("Basic " + base64.b64encode(b"no colon").decode(), "no\\x20colon"),
        ("Basic !!!", "-"),
        ("Basic", "-"),
        ("Bearer c2VjcmV0OnRva2Vu", "-"),
    ],
)
def test_a_user_is_one_word_and_a_token_is_none(authorization: str, said: str) -> None:
    """S14: no password and no token is ever shown."""
    dressed = entry()
    dressed.fields["HTTP_AUTHORIZATION"] = authorization
    assert Plan(parse("%(u)s")).write(dressed) == said
