"""A real browser without a window, for tests of what people look at: Chromium over its pipe.

The DevTools protocol is JSON with a NUL after each message, on the descriptors 3 and 4 of the
browser; no library is needed for the few calls that are made here.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NAME = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
PATIENCE = 30.0  # seconds, on a machine that has much else to do

needs_browser = pytest.mark.skipif(NAME is None, reason="no Chromium is installed here")

FLAGS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",  # tests run as root in containers
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
)


# Has the browser find the two pipes under the numbers that it looks at.
LAUNCH = """
import fcntl, os, sys
pipes = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3]]
os.dup2(pipes[0], 3)
os.dup2(pipes[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Page:
    """One page of one browser; `complaints` are errors in its console, and what it may not load."""

    def __init__(self, told: int, heard: int) -> None:
        self._told = told
        self._heard = heard
        self._rest = b""
        self._last = 0
        self._session: str | None = None
        self.complaints: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        """Call the browser; its answer."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._told, json.dumps(message).encode() + b"\0")
        while True:
            said = self._hear()
            if said.get("id") == self._last:
                assert "error" not in said, said
                return said["result"]

    def _hear(self) -> Any:
        while b"\0" not in self._rest:
            piece = os.read(self._heard, 1 << 20)
            assert piece, "the browser is gone"
            self._rest += piece
        message, _, self._rest = self._rest.partition(b"\0")
        said = json.loads(message)
        if said.get("method") == "Log.entryAdded" and said["params"]["entry"]["level"] == "error":
            self.complaints.append(str(said["params"]["entry"]))
        elif said.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(str(said["params"]["exceptionDetails"]))
        elif said.get("method") == "Runtime.consoleAPICalled" and said["params"]["type"] == "error":
            self.complaints.append(str(said["params"]["args"]))
        return said

    def look(self, width: int, height: int, *, dark: bool = False) -> None:
        """Have a window of this size, in a light or dark system."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def open(self, url: str) -> None:
        """Go there."""
        self.call("Page.navigate", url=url)

    def value(self, expression: str) -> Any:
        """What an expression is worth in the page."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def wait(self, expression: str) -> Any:
        """Wait until it is worth something."""
        deadline = time.monotonic() + PATIENCE
        while not (found := self.value(expression)):
            assert time.monotonic() < deadline, f"{expression}: {self.text()}"
            time.sleep(0.05)
        return found

    def text(self) -> str:
        """All that a person reads."""
        return str(self.value("document.body?.innerText"))

    def picture(self, path: Path) -> None:
        """Write what it looks like, as PNG."""
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def suits(self, width: int, height: int, *, dark: bool) -> None:
        """Assert that it is as wide as such a window at most, and light or dark as the system."""
        self.look(width, height, dark=dark)
        self.wait(f"document.documentElement.clientWidth <= {width}")
        assert self.value("document.documentElement.scrollWidth") <= width
        shade = self.value("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, shade[4:-1].split(","))) < 200) is dark


@contextmanager
def browser(profile: Path) -> Iterator[Page]:
    """A browser with one page, for as long as the block runs; `profile`: an empty directory."""
    (theirs_in, told), (heard, theirs_out) = os.pipe(), os.pipe()
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", LAUNCH, str(theirs_in), str(theirs_out)),
            *(str(NAME), *FLAGS, f"--user-data-dir={profile}"),
        ],
        pass_fds=(theirs_in, theirs_out),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs_in)
    os.close(theirs_out)
    with process:
        try:
            yield Page(told, heard)
        finally:
            os.close(told)
            os.close(heard)
            process.kill()
