"""What people read of a running server."""

from __future__ import annotations

import pytest

from aiowsgi import ctl_text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0ms"),
        (0.0123, "12ms"),
        (3.44, "3.4s"),
        (61, "1m 1s"),
        (3599, "59m 59s"),
        (3600, "1h 0m"),
        (7500, "2h 5m"),
        (86400 * 3 + 7200, "3d 2h"),
        (86400 * 400, "400d 0h"),
    ],
)
def test_a_duration_is_read_at_a_glance(seconds: float, text: str) -> None:
    assert ctl_text.duration(seconds) == text


def test_nothing_that_a_request_says_moves_the_cursor() -> None:
    """S14."""
    row = {
        "age": 1.0,
        "waited": 0.0,
        "state": "queued",
        "worker": 1,
        "thread": "",
        "client": "\x1b[2J",
        "method": "GET",
        "path": "/\r\n",
        "request_id": "\x9b1m",
        "stack": "  File \x1b]0;title\x07\n    x = 'é'",
    }
    table = {"requests": [row], "silent": [], "threads": [{**row, "thread": "\x1b[1m"}]}
    text = "\n".join([*ctl_text.requests(table), *ctl_text.stacks(table)])
    assert text.isascii()
    assert text.replace("\n", "").isprintable()
    assert "\\x1b[2J" in text


def test_nothing_under_way_is_said_in_words() -> None:
    empty: dict[str, list[object]] = {"requests": [], "silent": [], "threads": []}
    assert ctl_text.requests(empty) == ["No request is under way."]
    assert ctl_text.stacks(empty) == ["No thread is busy."]
