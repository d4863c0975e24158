"""Waits for the line `Listening at:` in a server's log, asks for `/`, checks the answer."""

from __future__ import annotations

import os
import re
import sys
import time
import urllib.request
from pathlib import Path


def main(log: str, pid: int) -> str:
    """Return what went wrong, or an empty string."""
    for _ in range(300):
        text = Path(log).read_text(encoding="utf-8")
        if found := re.search(r"Listening at: (http://\S+)", text):
            with urllib.request.urlopen(found[1], timeout=10) as answer:  # noqa: S310 - our own
                body = answer.read()
            if body != b"Hello, world!\n":
                return f"an unexpected body: {body!r}"
            return ""
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            break
        time.sleep(0.1)
    return f"it does not listen:\n{Path(log).read_text(encoding='utf-8')}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])) or 0)
