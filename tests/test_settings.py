"""Precedence: flag, `AIOWSGI_*`, well-known variable, default; and origins that tell the truth."""

from __future__ import annotations

import pytest

from aiowsgi.binds import TcpBind, UnixBind
from aiowsgi.errors import ConfigError
from aiowsgi.settings import resolve


def test_a_flag_beats_a_variable_which_beats_a_well_known_one_which_beats_the_default() -> None:
    environ: dict[str, str] = {}
    assert resolve({}, environ).origins["root_path"] == "default"
    environ["SCRIPT_NAME"] = "/well"
    settings = resolve({}, environ)
    assert (settings.config.root_path, settings.origins["root_path"]) == ("/well", "SCRIPT_NAME")
    environ["AIOWSGI_ROOT_PATH"] = "/own"
    settings = resolve({}, environ)
    assert (settings.config.root_path, settings.origins["root_path"]) == (
        "/own",
        "AIOWSGI_ROOT_PATH",
    )
    settings = resolve({"root_path": "/flag"}, environ, by_flag=True)
    assert (settings.config.root_path, settings.origins["root_path"]) == ("/flag", "--root-path")
    assert resolve({"root_path": "/x"}, environ).origins["root_path"] == "root_path"


def test_port_of_the_platform_is_served_on_every_ipv4_interface() -> None:
    settings = resolve({}, {"PORT": "5000"})
    assert settings.config.binds == [TcpBind("0.0.0.0", 5000)]
    assert settings.origins["host"] == settings.origins["port"] == "PORT"
    assert resolve({"host": "::1"}, {"PORT": "5000"}).config.binds == [TcpBind("::1", 5000)]


def test_port_of_the_platform_does_not_open_an_address_that_was_chosen() -> None:
    assert resolve({"port": 1}, {"PORT": "5000"}).config.binds == [TcpBind("127.0.0.1", 1)]
    assert resolve({"bind": "a:1"}, {"PORT": "5000"}).config.binds == [TcpBind("a", 1)]
    assert resolve({}, {"PORT": "5", "AIOWSGI_UDS": "/x"}).config.binds == [UnixBind("/x")]


def test_an_address_overrules_the_other_kinds_of_address_of_weaker_sources() -> None:
    environ = {"AIOWSGI_BIND": "a:1,b:2", "AIOWSGI_UDS_PERMISSIONS": "660"}
    assert resolve({}, environ).config.binds == [TcpBind("a", 1), TcpBind("b", 2)]
    assert resolve({"uds": "/x"}, environ).config.binds == [UnixBind("/x", 0o660)]
    assert resolve({"port": 3}, {"AIOWSGI_HOST": "a"}).config.binds == [TcpBind("a", 3)]
    assert resolve({"uds": None}, environ).config.binds == [TcpBind("a", 1), TcpBind("b", 2)]


def test_addresses_that_one_source_gives_twice_conflict() -> None:
    with pytest.raises(ConfigError, match="exclude one another"):
        resolve({}, {"AIOWSGI_BIND": "a:1", "AIOWSGI_PORT": "1"})


def test_a_variable_may_have_the_name_of_an_alias() -> None:
    settings = resolve({}, {"AIOWSGI_BLOCKING_THREADS": "3", "AIOWSGI_NO": ""})
    assert settings.config.threads == 3
    assert settings.strangers == ()


def test_an_empty_variable_is_not_set() -> None:
    assert resolve({}, {"PORT": "", "AIOWSGI_THREADS": ""}).origins["threads"] == "default"


@pytest.mark.parametrize(
    ("variable", "value"), [("AIOWSGI_THREADS", "many"), ("PORT", "http"), ("SCRIPT_NAME", "/a b")]
)
def test_a_bad_value_names_the_variable(variable: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"^{variable}: '{value}' is not valid"):
        resolve({}, {variable: value})


def test_a_bad_value_that_is_overruled_is_not_read() -> None:
    assert resolve({"threads": 2}, {"AIOWSGI_THREADS": "many"}).config.threads == 2


def test_a_variable_that_names_no_option_is_told_with_the_nearest() -> None:
    assert resolve({}, {"AIOWSGI_THRAEDS": "4", "THREADS": "4"}).strangers == (
        "AIOWSGI_THRAEDS names no option; did you mean AIOWSGI_THREADS?",
    )


def test_what_speaks_to_the_build_is_no_stranger() -> None:
    assert resolve({}, {"AIOWSGI_PURE": "1", "AIOWSGI_COMPILED": "1"}).strangers == ()


def test_lines_show_value_and_origin_of_each_option_and_what_follows() -> None:
    lines = [" ".join(line.split()) for line in resolve({"threads": 4}, {"PORT": "80"}).lines()]
    assert "threads = 4 (threads)" in lines
    assert "port = 80 (PORT)" in lines
    assert "keep_alive = 75s (default)" in lines
    assert "limit_request_body = 1g (default)" in lines
    assert "uds_permissions = 600 (default)" in lines
    assert 'root_path = "" (default)' in lines
    assert lines[-1] == "It would listen on 0.0.0.0:80 and run 4 threads."
    assert "threads = auto (default)" in [" ".join(x.split()) for x in resolve({}, {}).lines()]
