"""wsgi/trust.py: nobody is trusted who was not named (S12)."""

from __future__ import annotations

import pytest

from aiowsgi.http11.messages import Endpoints
from aiowsgi.wsgi.trust import Trust

UNIX = Endpoints(("", ""), ("localhost", ""))


def tcp(client: str) -> Endpoints:
    return Endpoints((client, "5"), ("127.0.0.1", "8000"))


@pytest.mark.parametrize("ends", [tcp("127.0.0.1"), tcp("::1"), tcp("10.0.0.1"), tcp(""), UNIX])
def test_nobody_is_trusted_by_default_loopback_included(ends: Endpoints) -> None:
    """S12."""
    assert not Trust([])
    assert not Trust([]).admits(ends)


@pytest.mark.parametrize(
    ("names", "client", "expected"),
    [
        (["10.0.0.1"], "10.0.0.1", True),
        (["10.0.0.1"], "10.0.0.10", False),
        (["10.0.0.1"], "::ffff:10.0.0.1", True),
        (["10.0.0.0/8"], "10.255.255.255", True),
        (["10.0.0.0/8"], "11.0.0.0", False),
        (["10.0.0.0/8", "192.0.2.1"], "192.0.2.1", True),
        (["2001:db8::/32"], "2001:DB8:0::9", True),
        (["2001:db8::/32"], "2001:db9::9", False),
        (["fe80::/10"], "fe80::1%eth0", True),
        (["::/0"], "10.0.0.1", False),
        (["0.0.0.0/0"], "::1", False),
        (["unix"], "127.0.0.1", False),
        (["unix"], "", False),
        (["*"], "127.0.0.1", True),
        (["0.0.0.0/0"], "", False),
        (["0.0.0.0/0"], "10.0.0.1, 10.0.0.2", False),
    ],
)
def test_a_tcp_peer_is_trusted_by_its_address(
    names: list[str], client: str, expected: bool
) -> None:
    """S12: an IPv4 client of a socket for both families is that IPv4 client."""
    assert Trust(names).admits(tcp(client)) is expected


def test_who_connects_by_a_unix_socket_has_a_name_of_its_own() -> None:
    """S12: a TCP peer whose address is not known is not it."""
    assert Trust(["unix"]).admits(UNIX)
    assert not Trust(["0.0.0.0/0", "::/0"]).admits(UNIX)
    assert not Trust(["unix"]).admits(Endpoints(("", ""), ("127.0.0.1", "8000")))


def test_whoever_connects_is_trusted_but_no_hop_is_named_by_it() -> None:
    """S12: else the client's own word, the first of the list, would count."""
    assert Trust(["*"]).admits(UNIX)
    assert not Trust(["*"]).names("10.0.0.1")
    assert Trust(["*", "10.0.0.1"]).names("10.0.0.1")


def test_whom_a_proxy_hides_nobody_trusts() -> None:
    """S12: the address is the proxy's then, and the fields are another's."""
    assert not Trust(["*", "unix"]).admits(UNIX._replace(hidden=True))
    assert not Trust(["10.0.0.1"]).admits(tcp("10.0.0.1")._replace(hidden=True))


def test_addresses_that_clients_make_up_do_not_fill_memory() -> None:
    """S4."""
    trust = Trust(["10.0.0.1"])
    for number in range(5000):
        assert not trust.names(f"192.0.{number // 256}.{number % 256}")
    assert len(trust._known) <= 1024
    assert trust.names("10.0.0.1")


@pytest.mark.parametrize("name", ["localhost", "10.0.0.1/8", "", "UNIX", "10.0.0.0-10.0.0.9"])
def test_what_is_no_address_is_refused(name: str) -> None:
    with pytest.raises(ValueError):
        Trust([name])
