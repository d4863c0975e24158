"""A program written for wsgiref.simple_server, with one import changed.

    python examples/wsgiref_server.py

The port may follow the name; 0 lets the system choose one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from aiowsgi import make_server  # it was: from wsgiref.simple_server import make_server


def app(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
    size = int(environ.get("CONTENT_LENGTH") or 0)
    sent = environ["wsgi.input"].read(size)
    lines = [
        f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}",
        f"a body of {len(sent)} bytes",
    ]
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [f"{line}\n".encode() for line in lines]


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
    with make_server("127.0.0.1", port, app) as httpd:
        print(f"Listening at: http://127.0.0.1:{httpd.server_port}", file=sys.stderr, flush=True)
        httpd.serve_forever()
