"""A Pyramid application: two routes, made by a factory that the command line calls.

    aiowsgi "examples/pyramid_app.py:main()"

Then ask for http://127.0.0.1:8000/add/2/3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response


def home(request: Request) -> Response:
    return Response(f"Ask for {request.route_url('add', a=2, b=3)}\n", content_type="text/plain")


def add(request: Request) -> dict[str, int]:
    a, b = (int(request.matchdict[name]) for name in ("a", "b"))
    return {"a": a, "b": b, "sum": a + b}


def main() -> Callable[..., Any]:
    with Configurator() as config:
        config.add_route("home", "/")
        config.add_route("add", r"/add/{a:\d+}/{b:\d+}")
        config.add_view(home, route_name="home", request_method="GET")
        config.add_view(add, route_name="add", request_method="GET", renderer="json")
        app: Callable[..., Any] = config.make_wsgi_app()
    return app
