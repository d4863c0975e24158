"""The quick ways to look at a text and to write a number say the same as the plain ones."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aiowsgi.watch.entry import Entry
from aiowsgi.watch.json_line import JsonLine
from aiowsgi.watch.lines import escaped, is_plain, six_digits
from aiowsgi.watch.numbers import BOUNDS
from aiowsgi.watch.tally import _bucket

# What may stand in a line between quotes as it is.
PLAIN = re.compile(r"[ !#-\[\]-~]*")


@pytest.mark.parametrize("around", ["%c", "a%c", "'%c", '%c"', "'%c\\", "it's %c"])
def test_every_character_that_has_to_be_escaped_is_seen(around: str) -> None:
    """S14."""
    for code in range(0x300):
        text = around % code
        assert is_plain(text) is (PLAIN.fullmatch(text) is not None), text
        if text.isascii() and text.isprintable():
            assert is_plain(text, True) is is_plain(text)
        assert PLAIN.fullmatch(escaped(text).replace("\\x", ""))


@given(st.text(alphabet=st.sampled_from("a' \"\\\x7f\n\xe9\u20ac"), max_size=6))
def test_however_they_stand_together(text: str) -> None:
    """S14."""
    assert is_plain(text) is (PLAIN.fullmatch(text) is not None)
    entry = Entry("192.0.2.1", "GET / HTTP/1.1", 200, 5)
    entry.target = text
    line = JsonLine().write(entry)
    assert is_plain(line.replace('"', "").replace("\\", ""))
    assert json.loads(line)["target"] == text


@given(st.floats(0, 1e9))
@example(0.0)
@example(0.9999994)
@example(0.9999996)
@example(59.9999999)
def test_seconds_are_written_to_the_microsecond(seconds: float) -> None:
    text = six_digits(seconds)
    assert re.fullmatch(r"\d+\.\d{6}", text)
    assert abs(float(text) - seconds) <= max(0.000_000_6, seconds * 1e-9)


def test_a_duration_goes_to_the_first_bucket_that_has_room_for_it() -> None:
    """As Prometheus counts: a bound is within its bucket."""
    assert _bucket(-1.0) == _bucket(0.0) == 0
    for at, bound in enumerate(BOUNDS):
        assert _bucket(bound) == at
        assert _bucket(bound + 1e-6) == at + 1
