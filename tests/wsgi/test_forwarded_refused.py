"""wsgi/forwarded.py: through a trusted proxy no client can say who it is, whatever it sends."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiowsgi.wsgi.forwarded_syntax import MalformedForwarded
from tests.wsgi.forwarding import NETWORK, build, client

MALFORMED = [
    *({"x_forwarded_for": v} for v in ["localhost", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.4:"]),
    *({"x_forwarded_for": v} for v in ["1.2.3.4:65536", "1.2.3.4:x", "[::1", "::1]", "::1%eth0"]),
    *({"x_forwarded_for": v} for v in ["6.6.6.6,", "6.6.6.6, ,10.0.0.2", "_hidden", '"1.2.3.4"']),
    *({"x_forwarded_for": v} for v in ["1.2.3.4 5.6.7.8", "\xb2.2.3.4", "for=1.2.3.4", "-"]),
    *({"x_forwarded_proto": v} for v in ["ftp", "https,", "on", "https;", "\xa0https"]),
    *({"x_forwarded_host": v} for v in ["a b", "a,", "http://a", "a:x", "a:99999", "a/b", "[::1"]),
    *({"x_forwarded_port": v} for v in ["0", "65536", "x", "-1", "443,", "\xb2", "+443"]),
    *({"x_forwarded_prefix": v} for v in ["app", "//evil", "/a//b", "/a/../b", "/..", "/a\\b"]),
    *(
        {"x_forwarded_prefix": v}
        for v in ["/%2fevil", "/a%0d%0a", "/%5cevil", "/a?b", "/%2", "/a,"]
    ),
    *({"forwarded": v} for v in ["for", "for=", "for=1.2.3.4:80", "for=[::1]", 'for="::1"']),
    *({"forwarded": v} for v in ['for="1.2.3.4', 'for="1.2.3.4"x', "for=1.2.3.4,", ",for=1.2.3.4"]),
    *({"forwarded": v} for v in ["for=1.2.3.4;for=1.2.3.4", "for=1.2.3.4;FOR=x", "for =1.2.3.4"]),
    *({"forwarded": v} for v in ["for=1.2.3.4; proto=https", "proto=ftp", 'host="a b"', 'host=""']),
    *({"forwarded": v} for v in [";", ",", "for=6.6.6.6, ", 'for="_"', 'for="_a b"', "for=a"]),
    *({"forwarded": v} for v in ['for=6.6.6.6;a=", for="[2001:db8::1]"', 'for="1.2.3.4:99999"']),
]


@pytest.mark.parametrize("fields", MALFORMED, ids=str)
def test_what_cannot_be_read_is_refused_and_not_guessed(fields: dict[str, Any]) -> None:
    """S12: with the proxy's own address a stranger would pass for it."""
    with pytest.raises(MalformedForwarded) as caught:
        build(NETWORK, **fields)
    assert not any(value in str(caught.value) for value in fields.values() if len(value) > 4)


@pytest.mark.parametrize("fields", MALFORMED, ids=str)
def test_what_cannot_be_read_is_no_matter_from_whom_nobody_trusts(fields: dict[str, Any]) -> None:
    """S12."""
    assert client("192.0.2.1", **fields) == "10.0.0.1"


@pytest.mark.parametrize(
    "fields",
    [
        {"x_forwarded_for": "6.6.6.6", "forwarded": "for=192.0.2.7"},
        {"x_forwarded_for": "192.0.2.7", "forwarded": "for=192.0.2.7;proto=https"},
        {"x_forwarded_host": "evil", "forwarded": "for=192.0.2.7"},
        {"x_forwarded_prefix": "/evil", "forwarded": "for=192.0.2.7"},
        {"x_forwarded_for": "192.0.2.7", "x_forwarded_port": "1", "forwarded": "for=192.0.2.7"},
        {"x_forwarded_for": "192.0.2.7", "forwarded": "proto=https"},
        {"x_forwarded_for": "unknown", "forwarded": "host=back"},
    ],
)
def test_two_families_that_do_not_say_the_same_are_refused(fields: dict[str, Any]) -> None:
    """S12: a proxy sets one, and lets through what a client writes in the other."""
    with pytest.raises(MalformedForwarded):
        build(NETWORK, **fields)


def test_two_families_that_say_the_same_are_one() -> None:
    """As some platforms send both."""
    given = build(
        NETWORK,
        x_forwarded_for="6.6.6.6, 192.0.2.7",
        x_forwarded_proto="https",
        forwarded='for="192.0.2.7:5";proto=https',
    )
    assert (given["REMOTE_ADDR"], given["HTTPS"]) == ("192.0.2.7", "on")


# Values as a client may write them: noise, and pieces of what is right.
pieces = st.sampled_from(
    [
        *(
            "for=",
            "6.6.6.6",
            "10.0.0.2",
            '"',
            "\\",
            ",",
            ";",
            " ",
            "\t",
            "proto=",
            "https",
            "host=evil",
        ),
        *("[2001:db8::1]", "unknown", "_x", ":80", "=", "for=6.6.6.6", "/app", "\xff", "a=", "by="),
    ]
)
values = st.one_of(
    st.lists(pieces, max_size=9).map("".join),
    st.text(
        st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=30
    ),
)
NAMES = [
    "forwarded",
    *(f"x_forwarded_{part}" for part in ("for", "proto", "host", "port", "prefix")),
]


def seen(*trusted: str, **fields: Any) -> tuple[str, str] | None:
    """Address and scheme that the application sees; None where it sees nothing."""
    try:
        environ = build(*trusted, **fields)
    except MalformedForwarded:
        return None
    return str(environ["REMOTE_ADDR"]), str(environ["wsgi.url_scheme"])


def added(given: dict[str, str], name: str, value: str) -> dict[str, str]:
    """As a proxy adds its own to what the client sent, in a line of its own or in the same."""
    return {**given, name: f"{given[name]}, {value}" if name in given else value}


@settings(max_examples=400)
@given(st.dictionaries(st.sampled_from(NAMES), values))
def test_any_fields_are_read_or_refused(fields: dict[str, Any]) -> None:
    """S12, S21: nothing else is raised, and what is read are an address and a scheme."""
    found = seen(NETWORK, **fields)
    assert found is None or found[1] in ("http", "https")


@settings(max_examples=400)
@given(st.dictionaries(st.sampled_from(NAMES), values))
def test_no_client_is_another_where_its_proxy_adds_to_x_forwarded_for(
    sent: dict[str, str],
) -> None:
    """S12: and sets the scheme."""
    fields = added(sent, "x_forwarded_for", "192.0.2.7") | {"x_forwarded_proto": "https"}
    assert seen(NETWORK, **fields) in (None, ("192.0.2.7", "https"))


@settings(max_examples=400)
@given(st.dictionaries(st.sampled_from(NAMES), values))
def test_no_client_is_another_where_its_proxy_adds_to_forwarded(sent: dict[str, str]) -> None:
    """S12: RFC 7239; quotes that the client leaves open make it no other."""
    for value in ("for=192.0.2.7;proto=https", 'proto=https;for="192.0.2.7:5";host="a"'):
        found = seen(NETWORK, **added(sent, "forwarded", value))
        assert found in (None, ("192.0.2.7", "https"))


@settings(max_examples=200)
@given(values)
def test_what_a_client_writes_before_its_address_is_no_matter(sent: str) -> None:
    """S12: it is not even a reason to refuse."""
    assert client(NETWORK, x_forwarded_for=f"{sent}, 192.0.2.7, 10.0.0.2") == "192.0.2.7"
