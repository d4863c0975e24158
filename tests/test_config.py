"""Config: every option once, read from Python values and from text alike, checked by its words."""

from __future__ import annotations

import dataclasses
import pickle
from typing import Any

import pytest

from aiowsgi.config import Config
from aiowsgi.config_sources import ALL_OPTIONS
from aiowsgi.cpus import usable_cpus
from aiowsgi.errors import ConfigError
from aiowsgi.options import GROUPS


def test_no_name_or_flag_is_used_twice() -> None:
    flags = [flag for o in ALL_OPTIONS.values() for flag in (o.flag, *o.flags)]
    assert len(flags) == len(set(flags))
    assert {option.group for option in ALL_OPTIONS.values()} == set(GROUPS)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("keep_alive", "500ms", 0.5),
        ("keep_alive", "1.5", 1.5),
        ("keep_alive", 75, 75.0),
        ("keep_alive", "5m", 300.0),
        ("keep_alive", "2h", 7200.0),
        ("keep_alive", " 5 S ", 5.0),
        ("keep_alive", "none", None),
        ("keep_alive", None, None),
        ("keep_alive", "0", 0.0),
        ("timeout", "0", None),  # as Cloud Run's line for gunicorn has it
        ("limit_request_line", "0", None),
        ("limit_request_body", "512k", 512 * 1024),
        ("limit_request_body", "16M", 16 * 1024**2),
        ("limit_request_body", "1GiB", 1024**3),
        ("limit_request_body", 7, 7),
        ("limit_request_body", "None", None),
        ("spool_threshold", "0", 0),
        ("spool_memory", "64m", 64 * 1024**2),
        ("spool_memory", "0", 0),
        ("spool_disk", "none", None),
        ("spool_disk", "16g", 16 * 1024**3),
        ("limit_request_fields", "64", 64),
        ("limit_request_fields", "none", None),
        ("threads", "auto", None),
        ("threads", "8", 8),
        ("max_streams", "0", 0),
        ("stream_after", "0", 0.0),
        ("stream_after", "none", None),
        ("timeout", "60", 60.0),
        ("uds_permissions", "660", 0o660),
        ("uds_permissions", "0o640", 0o640),
        ("uds_permissions", 0o640, 0o640),
        ("request_buffering", "off", False),
        ("request_buffering", "Yes", True),
        ("access_log", 0, False),
        ("log_level", "WARNING", "warning"),
        ("ssl_minimum_version", "tlsv1.3", "TLSv1.3"),
        ("ssl_cert_reqs", 0, "none"),
        ("root_path", "shop/", "/shop"),
        ("limit_connections", "none", None),
        ("limit_queue", "0", 0),
        ("limit_queue", "none", None),
        ("queue_timeout", "2s", 2.0),
        ("health_path", "/up", "/up"),
        ("health_path", "OFF", None),
        ("root_path", "/", ""),
        ("header", "X-A: 1\nX-B: a:b", (("X-A", "1"), ("X-B", "a:b"))),
        ("header", ["X-A:1"], (("X-A", "1"),)),
        ("header", [("X-A", "1")], (("X-A", "1"),)),
        ("header", {"X-A": "1"}, (("X-A", "1"),)),
        ("port", "0", 0),
        ("fd", "3", 3),
        ("metrics", "off", None),
        ("metrics", "localhost:9090", "localhost:9090"),
        ("metrics", "/metrics", "/metrics"),
        ("status", "/ops/status", "/ops/status"),
        ("control_socket", "off", ""),
        ("control_socket", "auto", None),
    ],
)
def test_python_values_and_text_mean_the_same(name: str, text: Any, value: object) -> None:
    config = Config(**{name: text})
    assert getattr(config, name) == value
    assert type(getattr(config, name)) is type(value)
    assert Config(**{name: value}) == config  # reading what was read changes nothing


@pytest.mark.parametrize(
    ("name", "wrong", "expected"),
    [
        ("keep_alive", "5x", "a duration like 500ms, 30s or 5m"),
        ("keep_alive", -1, "a duration"),
        ("keep_alive", float("nan"), "a duration"),
        ("keep_alive", float("inf"), "(or none)"),
        ("keep_alive", True, "a duration"),
        ("header_timeout", 0, "at least 1ms"),
        ("limit_request_head", "0", "at least 1 (or none)"),
        ("limit_request_body", "1.5g", "a size in bytes like 65536, 512k, 16m or 1g"),
        ("limit_request_body", -1, "a size"),
        ("spool_threshold", "none", "a size"),
        ("spool_memory", "much", "a size in bytes like 65536, 512k, 16m or 1g"),
        ("spool_memory", -1, "a size"),
        ("spool_disk", "8p", "a size in bytes like 65536, 512k, 16m or 1g"),
        ("spool_disk", "", "a size"),
        ("threads", 0, "a whole number of at least 1 (or auto)"),
        ("threads", True, "a whole number"),
        ("threads", "4.0", "a whole number"),
        ("threads", "9" * 5000, "a whole number"),
        ("threads", "٤", "a whole number"),
        ("backlog", "none", "a whole number"),
        ("port", 65536, "from 0 to 65535"),
        ("uds_permissions", 600, "0o600 in Python"),
        ("uds_permissions", "888", "octal"),
        ("request_buffering", "maybe", "on or off"),
        ("loop", "trio", "one of auto, uvloop, asyncio"),
        ("header_map", None, "one of drop, refuse, dangerous"),
        ("ssl_minimum_version", "TLSv1.1", "one of TLSv1.2, TLSv1.3"),
        ("ssl_minimum_version", None, "one of TLSv1.2, TLSv1.3"),
        ("ssl_cert_reqs", "3", "one of none, optional, required"),
        ("ssl_cert_reqs", True, "one of none, optional, required"),
        ("ssl_certfile", "", "the path of a file"),
        ("ssl_certfile", b"/x", "the path of a file"),
        ("ssl_context_factory", "module:name", "a function"),
        ("root_path", "/a b", "a path such as /app"),
        ("root_path", "/a\r\n", "a path such as /app"),
        ("status", "here", "127.0.0.1:9091, a path such as /_status (or off)"),
        ("metrics", "9090", "127.0.0.1:9090, a path such as /metrics (or off)"),
        ("metrics", "unix:/x", "HOST:PORT"),
        ("metrics", True, "HOST:PORT"),
        ("metrics", "/", "no / at its end"),
        ("metrics", "/metrics?all", "without ? or #"),
        ("status", "/\u00fcber", "a path such as /_status: percent-encoded"),
        ("status", "/_status/", "no / at its end"),
        ("status", "_status", "a path such as /_status"),
        ("control_socket", "@name", "the path of a socket (or off)"),
        ("control_socket", 5, "the path of a socket"),
        ("limit_connections", 0, "a whole number of at least 1 (or none)"),
        ("limit_queue", -1, "a whole number of at least 0 (or none)"),
        ("limit_queue", "many", "a whole number"),
        ("queue_timeout", 0, "at least 1ms (or none)"),
        ("health_path", "up", "a path such as /health"),
        ("health_path", "/up?ready", "without ? or #"),
        ("health_path", "/\u00fcp", "percent-encoded"),
        ("health_path", "", "(or off)"),
        ("health_path", 5, "a path such as /health"),
        ("host", 5, "text"),
        ("header", "X-A", "NAME:VALUE"),
        ("header", [("X-A", 1)], "NAME:VALUE"),
        ("header", [b"X-A: 1"], "NAME:VALUE"),
        ("header", "X A: 1", "a token"),
        ("header", "X-A : 1", "a token"),
        ("header", {"X-A": "1\r\nX-B: 2"}, "without control characters"),
        ("header", {"X-A": "\u20ac"}, "in latin-1"),
        ("header", "Content-Length: 5", "not the server's own business"),
        ("header", "connection: close", "not the server's own business"),
    ],
)
def test_a_bad_value_names_the_option_the_value_and_what_was_expected(
    name: str, wrong: Any, expected: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        Config(**{name: wrong})
    message = str(caught.value)
    if isinstance(wrong, (list, dict)):  # the one item that is wrong is named
        (wrong,) = wrong.items() if isinstance(wrong, dict) else wrong
    assert message.startswith(f"{name}: {wrong!r} is not valid: expected ")
    assert expected in message
    assert caught.value.exit_code == 2


def test_an_unknown_option_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"there is no option 'thread'; did you mean 'threads'\?"):
        Config(thread=4)
    with pytest.raises(ConfigError, match=r"there is no option 'xyzzy'$"):
        Config(xyzzy=4)


def test_an_option_given_by_two_names_is_an_error() -> None:
    with pytest.raises(ConfigError, match="bind is given twice"):
        Config(bind=":1", listen=":2")


def test_a_config_cannot_change_and_travels_to_other_processes() -> None:
    config = Config(threads=3, header="X-A: 1")
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.threads = 4  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(config)) == config  # noqa: S301 - our own bytes
    assert dataclasses.replace(config, threads=5).threads == 5


def test_threads_are_those_of_the_machine_where_nobody_said() -> None:
    assert Config().thread_count == min(32, usable_cpus() + 4)
    assert Config(threads=100).thread_count == 100
