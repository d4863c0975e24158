"""The patterns of grammar.py, each against examples of its rule."""

from __future__ import annotations

import pytest

from aiowsgi.http11.grammar import CHUNK_BEGINNING, CHUNK_LINE, tokens, valid_host


@pytest.mark.parametrize(
    "host",
    [
        "a",
        "A.example",
        "a:0",
        "a:65535",
        "a:",
        "127.0.0.1:80",
        "[::]",
        "[::ffff:1.2.3.4]:80",
        "[v1.x:y]",
        "my_host",
        "xn--nxasmq6",
        "%61",
        "a!$&'()*+,;=~-.",
    ],
)
def test_a_host_is_a_name_or_an_address_and_a_port(host: str) -> None:
    """H3, H22: RFC 9110 7.2."""
    assert valid_host(host)


@pytest.mark.parametrize(
    "host",
    "|:|:80|a:65536|a:123456|a:-1|a:+1|a:1:2|a b| a|a/|a?|a#|a\\|me@a|[]|[::1|::1|[a]|[::1]a|[g::]"
    "|[v1.]|%|%6|%zz|a\xff|a\x00|a\r|<a>|{a}|a\n|a:1\n".split("|"),
)
def test_anything_else_is_no_host(host: str) -> None:
    """H22; "" has its own rule (RFC 9112 3.2), which the caller holds."""
    assert not valid_host(host)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("", []),
        ("close", ["close"]),
        ("Close , KEEP-alive", ["close", "keep-alive"]),
        (",, \t,a,", ["a"]),
        ("a b", ["a b"]),
    ],
)
def test_a_list_is_split_at_commas_without_regard_to_case(value: str, found: list[str]) -> None:
    """H1: RFC 9110 5.6.1."""
    assert tokens(value) == found


@pytest.mark.parametrize(
    "line", [b"0", b"1F", b"0000000000000001", b"5;a;b=c", b'5;a="b;\\"\xff"', b"5;a=" + b"b" * 99]
)
def test_every_beginning_of_a_chunk_line_is_taken_for_one(line: bytes) -> None:
    """H6: the pattern for what a read has cut allows all that the whole line may become."""
    whole = line + b"\r\n"
    assert CHUNK_LINE.fullmatch(whole)
    for end in range(1, len(whole)):
        assert CHUNK_BEGINNING.fullmatch(whole[:end])


@pytest.mark.parametrize("line", [b" 5", b"5 ", b"x", b"-1", b"0x1", b"5 ;a", b"0" * 17, b"5;\x00"])
def test_what_is_no_chunk_line_is_no_beginning_of_one(line: bytes) -> None:
    """H6."""
    assert not CHUNK_LINE.fullmatch(line + b"\r\n")
    assert not CHUNK_BEGINNING.fullmatch(line)
