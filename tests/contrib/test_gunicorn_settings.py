"""gunicorn's settings as options of aiowsgi: what gunicorn says holds."""

from __future__ import annotations

import ssl
import sys
from typing import Any

import pytest

if sys.platform == "win32":
    pytest.skip("gunicorn needs fork", allow_module_level=True)

from gunicorn.config import Config

from aiowsgi.contrib.gunicorn_settings import settings_from, without_effect
from aiowsgi.errors import ConfigError

TWO = ("10.0.0.1", "10.0.0.2", "unix")


def settings(**given: Any) -> Config:
    cfg = Config()
    for name, value in given.items():
        cfg.set(name, value)
    return cfg


def test_gunicorns_defaults_hold_too() -> None:
    """Above all one thread: an application may rely on it."""
    config = settings_from(settings(), {}).config
    assert config.thread_count == config.worker_count == 1
    assert config.keep_alive == 2
    assert config.limit_connections == 1000
    assert (config.limit_request_line, config.limit_request_fields) == (4094, 100)
    assert config.limit_request_field_size == 8190
    assert config.forwarded_allow_ips == ("127.0.0.1", "::1", "unix")
    assert config.proxy_protocol == "off"
    assert not config.access_log
    assert not config.tls


@pytest.mark.parametrize(
    ("name", "value", "ours", "expected"),
    [
        ("workers", 4, "workers", 4),
        ("threads", 8, "threads", 8),
        ("worker_connections", 50, "limit_connections", 50),
        ("keepalive", 75, "keep_alive", 75.0),
        ("limit_request_line", 0, "limit_request_line", None),
        ("limit_request_field_size", 0, "limit_request_field_size", None),
        ("limit_request_fields", 0, "limit_request_fields", None),
        ("header_map", "refuse", "header_map", "refuse"),
        ("header_map", "dangerous", "forwarded_allow_ips", ()),
        ("forwarded_allow_ips", "10.0.0.1,10.0.0.2", "forwarded_allow_ips", TWO),
        ("forwarded_allow_ips", "", "forwarded_allow_ips", ("unix",)),
        ("proxy_protocol", True, "proxy_allow_from", ("127.0.0.1", "::1", "unix")),
        ("backlog", 64, "backlog", 64),
        ("graceful_timeout", 30, "graceful_timeout", 29.0),
        ("graceful_timeout", 1, "graceful_timeout", 0.5),
    ],
)
def test_a_setting_is_an_option(name: str, value: Any, ours: str, expected: Any) -> None:
    assert getattr(settings_from(settings(**{name: value}), {}).config, ours) == expected


def test_variables_say_what_gunicorn_has_no_setting_for() -> None:
    config = settings_from(
        settings(threads=3),
        {"AIOWSGI_TIMEOUT": "30s", "AIOWSGI_THREADS": "5", "SCRIPT_NAME": "/shop", "PORT": "1"},
    ).config
    assert config.timeout == 30
    assert config.threads == 3
    assert config.root_path == "/shop"


def test_what_is_wrong_in_a_variable_is_told() -> None:
    with pytest.raises(ConfigError, match="AIOWSGI_SPOOL_THRESHOLD: 'much' is not valid"):
        settings_from(settings(), {"AIOWSGI_SPOOL_THRESHOLD": "much"})


def test_a_proxy_protocol_without_a_version_is_what_gunicorn_says() -> None:
    """True is v1 in older versions, and auto in those that know of both."""
    cfg = settings(proxy_protocol=True)
    expected = {True: "v1"}.get(cfg.proxy_protocol, "auto")
    assert settings_from(cfg, {}).config.proxy_protocol == expected


def test_to_believe_a_proxy_and_dangerous_names_is_refused() -> None:
    cfg = settings(header_map="dangerous", forwarded_allow_ips="10.0.0.1")
    with pytest.raises(ConfigError, match="header_map: dangerous does not go with"):
        settings_from(cfg, {})


def test_tls_is_that_of_gunicorn() -> None:
    config = settings_from(
        settings(certfile="c.pem", keyfile="k.pem", ca_certs="a.pem", cert_reqs=ssl.CERT_REQUIRED),
        {},
    ).config
    assert (config.ssl_certfile, config.ssl_keyfile) == ("c.pem", "k.pem")
    assert (config.ssl_ca_certs, config.ssl_cert_reqs) == ("a.pem", "required")
    made = ssl.create_default_context()
    assert config.ssl_context_factory is not None
    assert config.ssl_context_factory(config, lambda: made) is made


def test_nothing_is_said_of_settings_that_nobody_has_changed() -> None:
    assert without_effect(settings(), {"AIOWSGI_TIMEOUT": "30s", "AIOWSGI_METRICS": ""}) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pre_request", lambda worker, req: None),
        ("post_request", lambda worker, req, environ, resp: None),
        ("permit_obsolete_folding", True),
        ("casefold_http_method", True),
        ("secure_scheme_headers", {"X-FORWARDED-SSL": "on"}),
        ("forwarder_headers", "SCRIPT_NAME"),
        ("protocol", "uwsgi"),
        ("http_protocols", "h2,h1"),
    ],
)
def test_a_setting_that_does_nothing_is_named(name: str, value: Any) -> None:
    cfg = Config()
    if name not in cfg.settings:
        pytest.skip("this gunicorn does not have it")
    assert without_effect(settings(**{name: value}), {}) == [name]


@pytest.mark.parametrize("name", ["THREADS", "METRICS", "CONTROL_SOCKET", "FORWARDED_ALLOW_IPS"])
def test_a_variable_that_gunicorn_overrules_is_named(name: str) -> None:
    assert without_effect(settings(), {f"AIOWSGI_{name}": "1"}) == [f"AIOWSGI_{name}"]
