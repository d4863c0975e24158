"""server/audience.py: the client is judged; behind a silent proxy is nobody (S12)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import MappingProxyType

import pytest

from aiowsgi.http11.messages import Endpoints
from aiowsgi.server.audience import Audience
from aiowsgi.wsgi.trust import Trust

UNIX = Endpoints(("", ""), ("localhost", ""))
HERE = "127.0.0.1"
PROXY = "10.0.0.1"


def tcp(client: str) -> Endpoints:
    return Endpoints((client, "5"), (HERE, "8000"))


def admitted(
    ends: Endpoints,
    *names: str,
    believed: tuple[str, ...] = (),
    host: str = "localhost",
    fields: Mapping[str, str] = MappingProxyType({}),
) -> bool:
    given = {f"HTTP_{name.upper()}": value for name, value in fields.items()}
    return Audience(names, Trust(believed)).admits(ends, {"HTTP_HOST": host, **given})


def test_this_machine_may_look_and_nobody_else_who_was_not_named() -> None:
    """S12."""
    assert admitted(tcp(HERE))
    assert admitted(tcp("127.8.8.8"))
    assert admitted(tcp("::1"))
    assert admitted(tcp("::ffff:127.0.0.1"))
    assert not admitted(tcp("192.0.2.7"))
    assert not admitted(tcp(""))
    assert not admitted(UNIX)


def test_who_was_named_may_look() -> None:
    assert admitted(tcp("192.0.2.7"), "192.0.2.0/24", host="shop.example")
    assert not admitted(tcp("192.0.3.7"), "192.0.2.0/24")
    assert admitted(UNIX, "unix")
    assert not admitted(tcp("192.0.2.7"), "unix")
    assert admitted(tcp("192.0.2.7"), "*", fields={"x_forwarded_for": "6.6.6.6"})


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "localhost.evil.example"])
def test_a_page_from_elsewhere_is_not_shown_it_by_a_name_of_its_own(host: str) -> None:
    """A site may let its name mean 127.0.0.1 for a browser that runs here (DNS rebinding)."""
    assert not admitted(tcp(HERE), host=host)
    assert not admitted(tcp(HERE), believed=(HERE,), fields={"x_forwarded_for": HERE}, host=host)


@pytest.mark.parametrize(
    "field", ["x_forwarded_for", "x_forwarded_proto", "forwarded", "via", "x_real_ip"]
)
@pytest.mark.parametrize("ends", [tcp(HERE), tcp("192.0.2.7"), UNIX])
def test_behind_a_proxy_that_nobody_named_is_nobody(ends: Endpoints, field: str) -> None:
    """S12: whatever it says, this machine's own word included."""
    assert not admitted(ends, "192.0.2.0/24", "unix", fields={field: HERE})


@pytest.mark.parametrize("proxy", [HERE, PROXY, "unix"])
def test_behind_a_trusted_proxy_the_client_counts(proxy: str) -> None:
    """S12: the address that the application sees as REMOTE_ADDR."""
    ends = UNIX if proxy == "unix" else tcp(proxy)

    def through(**fields: str) -> bool:
        return admitted(ends, "192.0.2.0/24", believed=(proxy,), fields=fields)

    assert through(x_forwarded_for="192.0.2.7")
    assert through(forwarded="for=192.0.2.7;proto=https")
    assert not through(x_forwarded_for="6.6.6.6")
    assert not through(x_forwarded_for="192.0.2.7, 6.6.6.6")  # the first is the client's word
    assert not through(forwarded="for=unknown")
    assert not through(forwarded="for=_hidden")


@pytest.mark.parametrize("proxy", [HERE, PROXY, "unix"])
def test_a_trusted_proxy_that_does_not_name_its_client_brings_nobody(proxy: str) -> None:
    """S12: although it is near, or was named itself."""
    ends = UNIX if proxy == "unix" else tcp(proxy)
    for fields in ({}, {"x_forwarded_proto": "https"}, {"x_forwarded_for": "nonsense"}):
        assert not admitted(ends, PROXY, "unix", believed=(proxy,), fields=fields)


def test_no_proxy_elsewhere_has_a_client_on_this_machine() -> None:
    """S12: least of all where whoever connects is believed."""
    assert admitted(tcp(HERE), believed=(HERE,), fields={"x_forwarded_for": HERE})
    assert admitted(UNIX, believed=("unix",), fields={"x_forwarded_for": "::1"})
    for believed in ((PROXY,), ("*",)):
        assert not admitted(tcp(PROXY), believed=believed, fields={"x_forwarded_for": HERE})


def test_whom_a_proxy_header_hides_is_nobody() -> None:
    """S12."""
    assert not admitted(tcp(HERE)._replace(hidden=True))


def test_the_log_says_once_that_there_would_have_been_something(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "aiowsgi.error")
    audience = Audience((), Trust(()))
    for ends in (tcp("192.0.2.7"), UNIX):
        audience.refused(ends, "/metrics")
    [message] = [record.getMessage() for record in caplog.records]
    assert message.startswith("192.0.2.7 asks for /metrics and may not look")
    assert "--watch-allow-from" in message
