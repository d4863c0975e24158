"""The smallest WSGI application, served from the command line.

    aiowsgi examples/hello.py:app

Then open http://127.0.0.1:8000/ or ask for http://127.0.0.1:8000/?name=Grace.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs


def app(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
    names = parse_qs(environ["QUERY_STRING"]).get("name", ["world"])
    body = f"Hello, {names[0]}!\n".encode()
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [body]
