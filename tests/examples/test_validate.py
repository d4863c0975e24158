"""Every example application under wsgiref.validate: neither it nor the server is complained about.

A complaint raises in the application, which is then a 500 or a cut connection, and is logged.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.validate import validator

import httpx
import pytest

from tests.live import live

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
UPLOAD = {"file": ("name.txt", b"content\n" * 20_000, "text/plain")}

REQUESTS: list[tuple[str, str, list[tuple[str, str, dict[str, Any], int]]]] = [
    ("hello", "app", [("GET", "/?name=x", {}, 200), ("HEAD", "/", {}, 200)]),
    ("wsgiref_server", "app", [("GET", "/", {}, 200), ("POST", "/", {"content": b"abc"}, 200)]),
    (
        "flask_app",
        "app",
        [
            ("GET", "/", {}, 200),
            ("HEAD", "/", {}, 200),
            ("POST", "/upload", {"files": UPLOAD}, 200),
            ("GET", "/count/5", {}, 200),
            ("GET", "/nowhere", {}, 404),
        ],
    ),
    (
        "django_app",
        "application",
        [
            ("GET", "/", {}, 200),
            ("HEAD", "/stream", {}, 200),
            ("POST", "/upload", {"files": UPLOAD, "data": {"a": "b"}}, 200),
            ("GET", "/stream", {}, 200),
            ("GET", "/download", {}, 200),
            ("GET", "/meta", {"headers": {"X_Forwarded_For": "10.0.0.1"}}, 200),
        ],
    ),
    ("falcon_quote", "app", [("GET", "/quote", {}, 200), ("PUT", "/quote", {}, 405)]),
    ("bottle_hello", "app", [("GET", "/hello/x", {}, 200), ("HEAD", "/hello/x", {}, 200)]),
    ("pyramid_app", "main()", [("GET", "/", {}, 200), ("GET", "/add/1/2", {}, 200)]),
]


def load(example: str, attribute: str) -> Application:
    found = getattr(importlib.import_module(f"examples.{example}"), attribute.removesuffix("()"))
    application: Application = found() if attribute.endswith("()") else found
    return application


def complaints(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize(
    ("example", "attribute", "requests"), REQUESTS, ids=[row[0] for row in REQUESTS]
)
@pytest.mark.parametrize("buffering", [True, False], ids=["spooled", "streamed"])
def test_the_validator_is_silent(
    example: str,
    attribute: str,
    requests: list[tuple[str, str, dict[str, Any], int]],
    buffering: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    application = validator(load(example, attribute))
    with (
        live(application, request_buffering=buffering) as server,
        httpx.Client(base_url=server.url) as client,
    ):
        for method, path, options, status in requests:
            answer = client.request(method, path, **options)
            assert (method, path, answer.status_code) == (method, path, status), answer.text
    assert complaints(caplog) == []


def test_the_validator_would_speak(caplog: pytest.LogCaptureFixture) -> None:
    """A complaint reaches this test: the validator wants a Content-Type of every 200."""

    def untyped(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 OK", [])
        return [b"x"]

    with live(validator(untyped)) as server:
        assert httpx.get(server.url).status_code == 500
    assert complaints(caplog) != []
