"""The law of answer_laws.py, for answers as applications give them: right, wrong, and strange."""

from __future__ import annotations

import enum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiowsgi.wsgi.call import Call
from tests.fuzz.answer_laws import (
    KINDS,
    METHODS,
    VERSIONS,
    Answer,
    Wire,
    check,
    from_bytes,
    reads_as_meant,
    to_bytes,
)
from tests.fuzz.request_laws import LawBroken


class Word(str, enum.Enum):
    """A str that formats as something else than its characters."""

    GOOD = "X-Word"
    SPLIT = "a\r\nX-Split: b"


_junk = st.sampled_from([None, 7, b"200 OK", "", "OK", ("a",), ["a", "b"], 2.5, object()])
_latin = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=8)
_any = st.text(max_size=6)
_split = st.sampled_from(["\r\nX: y", "a\nb", "a\r", "\0", "a\x0bb", "\x85", "\xa0", Word.SPLIT])

_good_status = st.builds("{} {}".format, st.integers(200, 999), _latin)
_statuses = st.one_of(
    st.sampled_from(["200 OK", "204 No Content", "304 Not Modified", "206", "100 Continue"]),
    _good_status,
    _split.map("200 ".__add__),
)
_names = st.one_of(
    st.sampled_from(["X-A", "Content-Length", "content-length", "Connection", "Date", "Server"]),
    st.sampled_from(["Transfer-Encoding", "Trailer", "Set-Cookie", "Content-Type", Word.GOOD]),
    st.from_regex(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,6}", fullmatch=True),
)
_values = st.one_of(
    _latin, st.integers(0, 12).map(str), st.sampled_from(["close", "keep-alive", "close, x"])
)
_fields = st.one_of(
    st.tuples(_names, _values),
    st.tuples(st.just("Content-Length"), st.integers(0, 12).map(str)),
)
_odd_fields = st.one_of(
    st.tuples(_names | _split | _any, _split | _any), st.tuples(_junk, _values), _junk
)
_blocks = st.lists(st.binary(max_size=6), max_size=5)

_good = st.builds(
    Answer,
    _statuses,
    st.lists(_fields, max_size=4),
    _blocks,
    st.sampled_from(KINDS),
    st.sampled_from(METHODS),
    st.sampled_from(VERSIONS),
    st.booleans(),
)


@st.composite
def _spoilt(draw: st.DrawFn) -> Answer:
    """An answer with something in it that no application may give."""
    answer = draw(_good)
    where = draw(st.sampled_from(["status", "headers", "field", "block"]))
    if where == "status":
        return answer._replace(status=draw(_junk | _any))
    if where == "headers":
        return answer._replace(headers=draw(_junk))
    if where == "field":
        return answer._replace(headers=[*answer.headers, draw(_odd_fields)])
    return answer._replace(blocks=[*answer.blocks, draw(_junk), *draw(_blocks)])


@settings(max_examples=400)
@given(_good)
def test_an_answer_is_read_as_it_was_meant_or_the_application_is_told(answer: Answer) -> None:
    """P31, P32, P39-P41: never a third thing."""
    check(answer)


@settings(max_examples=400)
@given(_spoilt())
def test_what_no_application_may_give_never_reaches_a_client_as_complete(answer: Answer) -> None:
    """P31, P40, P47: an error that says so, nothing else, and no half of it looks whole."""
    check(answer)


@settings(max_examples=200)
@given(st.binary(max_size=80))
def test_any_bytes_stand_for_an_answer_that_keeps_the_law(raw: bytes) -> None:
    check(from_bytes(raw))


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_stands_for_the_answer_that_it_was_made_of(kind: str) -> None:
    fields = [("Content-Length", "5"), ("X", "\xe9")]
    answer = Answer("200 OK", fields, [b"ab", b"", b"cde"], kind, "POST", "1.0", False)
    assert from_bytes(to_bytes(answer)) == answer
    assert check(answer)


def test_a_law_that_is_broken_shows_answer_and_wire() -> None:
    """The check can fail: a field that the application did not give."""
    answer = Answer("200 OK", [("X-A", "b")], [b"abc"])
    wire = Wire(answer)
    Call(answer.app, {}, wire, bodiless=False).run()
    wire.sent = wire.sent.replace(b"X-A: b\r\n", b"X-A: b\r\nX-Split: c\r\n")
    with pytest.raises(LawBroken, match=r"the fields are .*Answer\(.*X-Split"):
        reads_as_meant(answer, wire)
