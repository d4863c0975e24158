"""The laws of request_laws.py, for requests that are made by the grammar and then bent."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiowsgi.http11.messages import Limits
from tests.corpus import CASES, Case
from tests.fuzz.grammar import cuts, good_requests, streams
from tests.fuzz.request_laws import SMALL, WIDE, LawBroken, check, encode, messages
from tests.http11.reading import bytewise, read


@settings(max_examples=1000)
@given(st.data())
def test_requests_with_a_few_faults_keep_every_law(data: st.DataObject) -> None:
    """H2-H8, S21: nothing raises, cuts change nothing, and h11 agrees with what is taken."""
    raw = data.draw(streams())
    check(raw, data.draw(cuts(raw)), data.draw(st.sampled_from([WIDE, WIDE, SMALL])))


@settings(max_examples=200)
@given(good_requests(), st.booleans())
def test_a_request_written_out_again_is_the_same_and_written_once_more_too(
    raw: bytes, slowly: bool
) -> None:
    """What `encode` writes, it writes again: the plain spelling is a fixed point."""
    for message in messages(read(bytewise(raw) if slowly else [raw])):
        wire = encode(message)
        (again,) = check(wire, bytewise(wire))
        assert encode(again) == wire


@settings(max_examples=100)
@given(st.data())
def test_limits_of_any_size_keep_every_law(data: st.DataObject) -> None:
    """S1: wherever a limit falls, it falls for all cuts alike."""
    raw = data.draw(streams(most_faults=1))
    sizes = st.none() | st.integers(0, 80)
    limits = Limits(*(data.draw(sizes) for _ in Limits._fields))
    check(raw, data.draw(cuts(raw)), limits)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_case_of_the_corpus_keeps_every_law(case: Case) -> None:
    if len(case.raw) < 5000:
        check(case.raw, bytewise(case.raw))


def test_a_law_that_is_broken_shows_the_bytes() -> None:
    """The check can fail: these pieces are another request than the bytes."""
    raw = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
    with pytest.raises(LawBroken, match=r"cutting .*GET /a HTTP/1\.1\\r\\nHost: a"):
        check(raw, [raw.replace(b"/a", b"/b")])
