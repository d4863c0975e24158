"""A test of a Flask application as its visitors meet it: over a real socket, with a real client.

    pytest examples/flask_test.py

`aiowsgi_server` is a fixture that comes with aiowsgi; it takes the options of the command, too.
"""

from __future__ import annotations

from collections.abc import Callable

import httpx

from aiowsgi.testing import LiveServer
from examples.flask_app import app


def test_the_second_visit_is_counted(aiowsgi_server: Callable[..., LiveServer]) -> None:
    server = aiowsgi_server(app)
    with httpx.Client(base_url=server.url) as browser:
        browser.get("/")
        assert "Visit number 2" in browser.get("/").text
