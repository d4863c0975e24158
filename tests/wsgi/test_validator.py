"""The standard library's validator around applications, on environ and call together (P1-P47)."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator
from wsgiref.validate import validator

import pytest

from aiowsgi.http11.messages import Endpoints, RequestHead
from aiowsgi.wsgi.environ import EnvironBuilder
from aiowsgi.wsgi.types import Environ, StartResponse, WSGIApplication

from .apps import OK, TEXT
from .recording import call

UNIX = Endpoints(("", ""), ("localhost", ""))
TCP = Endpoints(("::1", "5"), ("::1", "80"), "https")


def as_list(environ: Environ, start_response: StartResponse) -> list[bytes]:
    start_response(OK, TEXT)
    return [environ["wsgi.input"].read(-1)]


def as_generator(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    start_response(OK, TEXT)
    yield from environ["wsgi.input"]


def by_write(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    write = start_response(OK, TEXT)
    write(environ["wsgi.input"].readline(100))
    return []


def complaining(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    environ["wsgi.errors"].write("something\n")
    environ["wsgi.errors"].writelines(["more\n"])
    environ["wsgi.errors"].flush()
    return as_list(environ, start_response)


def failing(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response(OK, TEXT)
    try:
        raise ValueError("broken")
    except ValueError:
        start_response("500 Oops", TEXT, sys.exc_info())
    return [environ["wsgi.input"].read(4)]


@pytest.mark.parametrize("app", [as_list, as_generator, by_write, complaining, failing])
@pytest.mark.parametrize("endpoints", [UNIX, TCP])
@pytest.mark.parametrize("target", ["/a?b", "*", "/mount/x", "/mount", "//%ff"])
@pytest.mark.parametrize("root_path", ["", "/", "/mount/"])
def test_the_validator_has_nothing_to_complain_about(
    app: WSGIApplication, endpoints: Endpoints, target: str, root_path: str
) -> None:
    """P1 to P47, as far as wsgiref.validate checks them on both sides."""
    path, _, query = target.partition("?")
    fields = {"HTTP_HOST": "h", "CONTENT_LENGTH": "4", "CONTENT_TYPE": "text/plain"}
    head = RequestHead("OPTIONS", target, path, query, "1.1", fields, content_length=4)
    builder = EnvironBuilder(root_path=root_path)
    environ = builder.connection(endpoints).build(head, io.BytesIO(b"body"), 4)
    output = call(validator(app), environ=environ)
    assert (output.body, output.ended) == (b"body", True)
