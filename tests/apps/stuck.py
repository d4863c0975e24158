"""An application whose view never comes back."""

from __future__ import annotations

import sys
import threading
from typing import Any


def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    sys.stdout.write("in the view\n")
    sys.stdout.flush()
    if environ["PATH_INFO"] == "/stuck":
        threading.Event().wait()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"done"]
