"""An application for the tests of the command: says hello, and what is asked of it."""

from __future__ import annotations

import sys
from typing import Any


def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    if environ["PATH_INFO"].endswith("/exit"):
        sys.exit(3)
    body = f"hello at {environ['SCRIPT_NAME'] or '/'}".encode()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [body]
