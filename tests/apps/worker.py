"""An application that says which process it runs in, and does to it what it is asked for."""

from __future__ import annotations

import ctypes
import os
import subprocess
import threading
from pathlib import Path
from typing import Any


def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    path, query = environ["PATH_INFO"], environ["QUERY_STRING"]
    body = str(os.getpid())
    if path == "/multiprocess":
        body = str(environ["wsgi.multiprocess"])
    elif path == "/directory":
        body = os.getcwd()
    elif path == "/die":
        os._exit(7)
    elif path.startswith("/stuck"):
        os.write(1, b"stuck\n")
        threading.Event().wait()
    elif path == "/orphan":  # a process whose parent ends before it does
        body = subprocess.check_output(
            ["sh", "-c", "sleep 0.2 >/dev/null & echo $!"], text=True
        ).strip()
    elif path == "/there":
        body = str(Path("/proc", query).exists())
    elif path == "/hold":  # the loop, too: this call keeps the GIL
        ctypes.PyDLL(None).sleep(60)
    elif path == "/wait":  # until the file that the query names has been removed
        os.write(1, b"waits\n")  # in one piece, beside other threads
        while Path(query).exists():
            threading.Event().wait(0.005)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [body.encode()]
