"""The options of proxies: nobody is trusted by default, and no list that does nothing is taken."""

from __future__ import annotations

from typing import Any

import pytest

from aiowsgi.config import Config
from aiowsgi.errors import ConfigError
from aiowsgi.settings import resolve


def test_nobody_is_trusted_by_default() -> None:
    """S12: loopback included."""
    config = Config()
    assert (config.forwarded_allow_ips, config.proxy_allow_from) == ((), ())
    assert config.proxy_protocol == "off"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("10.0.0.1", ("10.0.0.1",)),
        ("10.0.0.1/32", ("10.0.0.1",)),
        ("10.0.0.0/8, unix ::1", ("10.0.0.0/8", "unix", "::1")),
        (["*", "2001:DB8::/32"], ("*", "2001:db8::/32")),
        (["10.0.0.1,unix", "::1"], ("10.0.0.1", "unix", "::1")),
        ("::ffff:10.0.0.1", ("10.0.0.1",)),
        ("::ffff:10.0.0.0/104", ("10.0.0.0/8",)),
        ("", ()),
        (None, ()),
    ],
)
def test_addresses_networks_unix_and_anyone_are_named_in_one_form(
    given: Any, expected: tuple[str, ...]
) -> None:
    assert Config(forwarded_allow_ips=given).forwarded_allow_ips == expected
    assert Config(trusted_proxy=given).forwarded_allow_ips == expected


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("localhost", "an IP address, a network such as 10.0.0.0/8, unix, or *"),
        ("10.0.0.1:80", "an IP address"),
        ("10.0.0.1-9", "an IP address"),
        ("unix:/run/app.sock", "an IP address"),
        ("10.0.0.1/8", r"\(did you mean 10.0.0.0/8\?\)"),
        ("2001:db8::1/32", r"\(did you mean 2001:db8::/32\?\)"),
        ("10.0.0.0/33", "an IP address"),
        ([5], "an IP address"),
    ],
)
def test_what_is_no_address_is_refused_with_what_is_expected(wrong: Any, words: str) -> None:
    for name in ("forwarded_allow_ips", "proxy_allow_from"):
        with pytest.raises(ConfigError, match=f"^{name}: .*expected.*{words}"):
            Config(**{name: wrong})


def test_the_variable_of_other_servers_is_known() -> None:
    """Below the flag and our own variable, as every well-known one."""
    environ = {"FORWARDED_ALLOW_IPS": "127.0.0.1,10.0.0.0/8"}
    settings = resolve({}, environ)
    assert settings.config.forwarded_allow_ips == ("127.0.0.1", "10.0.0.0/8")
    assert settings.origins["forwarded_allow_ips"] == "FORWARDED_ALLOW_IPS"
    environ["AIOWSGI_TRUSTED_PROXY"] = "*"
    assert resolve({}, environ).config.forwarded_allow_ips == ("*",)
    with pytest.raises(ConfigError, match="^FORWARDED_ALLOW_IPS: 'localhost'"):
        resolve({}, {"FORWARDED_ALLOW_IPS": "localhost"})


def test_a_list_that_does_nothing_is_an_error() -> None:
    with pytest.raises(ConfigError, match="proxy_protocol: v1 needs proxy_allow_from"):
        Config(proxy_protocol="v1")
    with pytest.raises(ConfigError, match="proxy_allow_from does nothing while proxy_protocol is"):
        Config(proxy_allow_from="10.0.0.1")
    assert Config(proxy_protocol="AUTO", proxy_allow_from="*").proxy_protocol == "auto"


def test_clients_that_could_write_the_proxys_fields_are_an_error() -> None:
    """S12, P12: X_Forwarded_For would be X-Forwarded-For."""
    with pytest.raises(ConfigError, match="header_map: dangerous does not go with"):
        Config(header_map="dangerous", forwarded_allow_ips="10.0.0.1")
    assert Config(header_map="dangerous", forwarded_allow_ips="*", proxy_headers=False)


def test_there_is_no_proxy_protocol_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    with pytest.raises(ConfigError, match="proxy_protocol is not there on Windows"):
        Config(proxy_protocol="v2", proxy_allow_from="10.0.0.1")
