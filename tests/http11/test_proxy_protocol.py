"""http11/proxy_protocol.py: the header of a proxy, whole and strict, and not a byte more (S12)."""

from __future__ import annotations

import ipaddress
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiowsgi.errors import ProtocolError
from aiowsgi.http11.proxy_protocol import ProxyHeader, Relay

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
REST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
Read = tuple[Relay | ProtocolError | None, bytes]


def v2(kind: int, body: bytes, command: int = 0x21, size: int | None = None) -> bytes:
    return (
        SIGNATURE + struct.pack("!BBH", command, kind, len(body) if size is None else size) + body
    )


def addresses(client: str, server: str, ports: tuple[int, int] = (4711, 443)) -> bytes:
    packed = b"".join(ipaddress.ip_address(host).packed for host in (client, server))
    return packed + struct.pack("!HH", *ports)


V4 = v2(0x11, addresses("192.0.2.7", "198.51.100.1"))
V6 = v2(0x21, addresses("2001:db8::7", "2001:db8::1"))
TLVS = b"\x01\x00\x02h2" + b"\x20\x00\x05\x01\x00\x00\x00\x00" + b"\xee" * 200


def read(raw: bytes, step: int | None = None, *, v1: bool = True, v2: bool = True) -> Read:
    """What is read of `raw`, at most `wants` and `step` bytes at a time; and what is left."""
    header = ProxyHeader(v1=v1, v2=v2)
    at = 0
    while at < len(raw):
        assert header.wants > 0
        size = header.wants if step is None else min(step, header.wants)
        found = header.feed(raw[at : at + size])
        at += min(size, len(raw) - at)
        if found is not None:
            return found, raw[at:]
    return None, b""


GOOD = [
    (
        b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n",
        Relay(("192.0.2.7", "4711"), ("198.51.100.1", "443")),
    ),
    (b"PROXY TCP4 1.1.1.1 1.1.1.1 1 1\r\n", Relay(("1.1.1.1", "1"), ("1.1.1.1", "1"))),
    (
        b"PROXY TCP6 2001:DB8::7 ::1 65535 0\r\n",
        Relay(("2001:db8::7", "65535"), ("::1", "0")),
    ),
    (
        b"PROXY TCP6 ::ffff:192.0.2.7 ::ffff:198.51.100.1 4711 443\r\n",
        Relay(("192.0.2.7", "4711"), ("198.51.100.1", "443")),
    ),
    (b"PROXY TCP6 " + b"ffff:" * 7 + b"ffff " + b"ffff:" * 7 + b"ffff 65535 65535\r\n", None),
    (b"PROXY UNKNOWN\r\n", Relay()),
    (b"PROXY UNKNOWN " + b"x" * 91 + b"\r\n", Relay()),
    (V4, Relay(("192.0.2.7", "4711"), ("198.51.100.1", "443"))),
    (V6, Relay(("2001:db8::7", "4711"), ("2001:db8::1", "443"))),
    (
        v2(0x21, addresses("::ffff:192.0.2.7", "2001:db8::1")),
        Relay(("192.0.2.7", "4711"), ("2001:db8::1", "443")),
    ),
    (v2(0x11, addresses("192.0.2.7", "198.51.100.1") + TLVS), None),
    (v2(0x11, addresses("192.0.2.7", "198.51.100.1") + bytes(16 * 1024 - 12)), None),
    (v2(0x31, bytes(216)), Relay()),
    (v2(0x00, b""), Relay()),
    (v2(0x00, TLVS), Relay()),
    (v2(0x00, b"", command=0x20), Relay(local=True)),
    (v2(0x11, addresses("192.0.2.7", "198.51.100.1"), command=0x20), Relay(local=True)),
    (v2(0xFF, b"x", command=0x20), Relay(local=True)),
]


@pytest.mark.parametrize(("raw", "expected"), GOOD, ids=lambda value: repr(value)[:60])
@pytest.mark.parametrize("step", [None, 1, 2, 7])
def test_a_header_is_read_and_not_a_byte_after_it(
    raw: bytes, expected: Relay | None, step: int | None
) -> None:
    """S12: however reads cut it; what follows is TLS's, or HTTP's."""
    found, left = read(raw + REST, step)
    assert isinstance(found, Relay)
    assert left == REST
    if expected is not None:
        assert found == expected


BAD = [
    *(
        REST,
        b"\x16\x03\x01\x02\x00\x01" * 10,
        b"\0" * 40,
        b"PROXY\r\n" + REST,
        b"proxy TCP4 " + REST,
    ),
    *(b"PROXY " + tail for tail in (b"TCP4\r\n" + REST, b"UDP4 1.1.1.1 1.1.1.1 1 1\r\n" + REST)),
    b"PROXY TCP4  192.0.2.7 198.51.100.1 4711 443\r\n",
    b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 443 \r\n",
    b"PROXY TCP4 192.0.2.7 198.51.100.1 4711\r\n" + REST,
    b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\n" + REST,
    b"PROXY TCP4 192.0.2.7 198.51.100.1 04711 443\r\n",
    b"PROXY TCP4 192.0.2.7 198.51.100.1 65536 443\r\n",
    b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 +443\r\n",
    b"PROXY TCP4 192.0.2.007 198.51.100.1 4711 443\r\n",
    b"PROXY TCP4 192.0.2.256 198.51.100.1 4711 443\r\n",
    b"PROXY TCP4 2001:db8::7 ::1 4711 443\r\n" + REST,
    b"PROXY TCP6 192.0.2.7 198.51.100.1 4711 443\r\n",
    b"PROXY TCP6 fe80::1%eth0 ::1 4711 443\r\n",
    b"PROXY TCP6 [::1] ::1 4711 443\r\n" + REST,
    b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 443" + b" " * 100,
    b"PROXY \r\nPROXY ",
    b"PROXY UNKNOWN" + b"x\r\n" + REST,
    b"PROXY UNKNOWN \rx\r\n" + REST,
    b"PROXY UNKNOWN " + b"x" * 92 + b"\r\n",
    SIGNATURE[:-1] + b"x" + REST,
    v2(0x11, addresses("192.0.2.7", "198.51.100.1"), command=0x11),
    v2(0x11, addresses("192.0.2.7", "198.51.100.1"), command=0x22),
    v2(0x12, addresses("192.0.2.7", "198.51.100.1")),
    v2(0x10, addresses("192.0.2.7", "198.51.100.1")),
    v2(0x41, bytes(12)),
    v2(0x11, bytes(11)) + REST,
    v2(0x21, addresses("192.0.2.7", "198.51.100.1")),
    v2(0x31, bytes(215)),
    v2(0x11, b"", size=16 * 1024 + 1) + REST,
    v2(0x00, b"", command=0x20, size=65535),
]


@pytest.mark.parametrize("raw", BAD, ids=lambda value: repr(value)[:60])
@pytest.mark.parametrize("step", [None, 1])
def test_what_is_no_header_is_refused_within_its_bound(raw: bytes, step: int | None) -> None:
    """S12: it is not guessed whether there is one."""
    found, left = read(raw, step)
    assert isinstance(found, ProtocolError)
    assert len(raw) - len(left) <= 107


def test_the_first_wrong_byte_is_enough() -> None:
    """S12: who waits for more of it waits for a client that has sent its request."""
    assert isinstance(ProxyHeader().feed(b"G"), ProtocolError)
    assert isinstance(ProxyHeader().feed(b"PROXI"), ProtocolError)
    assert ProxyHeader().feed(b"PROX") is None
    assert ProxyHeader().feed(SIGNATURE[:5]) is None


def test_only_the_versions_that_are_allowed_are_read() -> None:
    line = GOOD[0][0]
    assert isinstance(read(line, v2=False)[0], Relay)
    assert isinstance(read(line, v1=False)[0], ProtocolError)
    assert isinstance(read(V4, v1=False)[0], Relay)
    assert isinstance(read(V4, v2=False)[0], ProtocolError)


@pytest.mark.parametrize(("raw", "expected"), GOOD, ids=lambda value: repr(value)[:60])
def test_less_than_a_header_is_none_yet(raw: bytes, expected: Relay | None) -> None:
    for size in {0, 1, 5, 6, 12, 14, 16, len(raw) - 1} & {*range(len(raw))}:
        assert read(raw[:size]) == (None, b"")


pieces = st.sampled_from(
    [
        *(b"PROXY ", b"TCP4 ", b"TCP6 ", b"UNKNOWN", b"1.2.3.4 ", b"::1 ", b"80 ", b"80", b"\r\n"),
        *(
            SIGNATURE,
            b"\x21",
            b"\x20",
            b"\x11",
            b"\x00\x0c",
            b"\x00\x00",
            b"\xff",
            bytes(12),
            b"\n",
        ),
    ]
)


@settings(max_examples=400)
@given(st.lists(pieces, max_size=12).map(b"".join) | st.binary(max_size=200), st.integers(1, 40))
def test_any_bytes_are_read_or_refused_the_same_however_reads_cut_them(
    raw: bytes, step: int
) -> None:
    """S21: nothing raises, and who is there is an address and a port."""
    found, left = read(raw)
    again, rest = read(raw, step)
    assert type(again) is type(found)
    if isinstance(found, Relay):
        assert (again, rest) == (found, left)
        if found.client is not None:
            assert ipaddress.ip_address(found.client[0])
            assert 0 <= int(found.client[1]) <= 65535
