"""The line between supervisor and worker: words arrive whole, however little room there is."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from aiowsgi.server.lifeline import ANSWER, BEAT, Lifeline

Pair = tuple[Lifeline, Lifeline]


@pytest.fixture
def line() -> Iterator[Pair]:
    ends = socket.socketpair()
    for end in ends:
        end.setblocking(False)
    one, other = map(Lifeline, ends)
    yield one, other
    one.close()
    other.close()


def test_a_word_takes_its_text_with_it_whatever_that_is(line: Pair) -> None:
    one, other = line
    one.say(ANSWER, "1 a\nb\\n\x00é\U0001f600")
    one.say(BEAT)
    assert other.hear() == [(ANSWER, "1 a\nb\\n\x00é\U0001f600"), (BEAT, "")]


def test_what_has_no_room_follows_and_nothing_is_torn(line: Pair) -> None:
    one, other = line
    large = "x" * 1_000_000
    one.say(ANSWER, large)
    one.say(BEAT)
    assert not one.flush()
    heard = other.hear()
    while not one.flush():
        heard += other.hear()
    assert heard + other.hear() == [(ANSWER, large), (BEAT, "")]


def test_a_line_that_nobody_reads_loses_whole_words_and_no_memory(line: Pair) -> None:
    one, other = line
    for _ in range(20):
        one.say(ANSWER, "x" * 1_000_000)
    heard = []
    while not one.flush():
        heard += other.hear()
    heard += other.hear()
    assert 4 <= len(heard) <= 7
    assert {len(text) for _, text in heard} == {1_000_000}


def test_a_line_that_has_ended_is_no_error(line: Pair) -> None:
    one, other = line
    other.close()
    one.say(BEAT)
    assert one.flush()
    assert one.hear() == []
    assert one.ended
