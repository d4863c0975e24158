"""Real ASGI hosts in processes of their own: uvicorn and hypercorn, on a socket that we opened."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

HOSTS = ("uvicorn", "hypercorn")


class Hosted:
    """A host that serves; `url` says where, `log` what it has written."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process = process
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._log = log

    @property
    def log(self) -> str:
        return self._log.read_text()

    def client(self, *, http2: bool = False) -> httpx.Client:
        """A client, over HTTP/2 with prior knowledge where that is asked for."""
        return httpx.Client(base_url=self.url, http1=not http2, http2=http2, timeout=30)

    def peak(self) -> int:
        """The most memory that it had (Linux), in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024


@contextmanager
def hosted(host: str, app: str, log: Path) -> Iterator[Hosted]:
    """Have `host` serve the ASGI application of that name for as long as the block runs."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        number, port = listening.fileno(), listening.getsockname()[1]
        words = {
            "uvicorn": ["uvicorn", "--fd", str(number), "--lifespan", "on", app],
            "hypercorn": ["hypercorn", "--bind", f"fd://{number}", app],
        }[host]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", *words],
                pass_fds=[number],
                stdout=output,
                stderr=subprocess.STDOUT,
            )
    found = Hosted(process, port, log)
    try:
        _wait(found)
        yield found
    finally:
        process.terminate()
        process.wait(30)


def _wait(found: Hosted) -> None:
    """Until it answers anything; connections wait in the queue of the socket meanwhile."""
    deadline = time.monotonic() + 30
    while found.process.poll() is None:
        try:
            httpx.get(f"{found.url}/anything", timeout=30)
        except httpx.TransportError:
            assert time.monotonic() < deadline, found.log
            time.sleep(0.05)
        else:
            return
    raise AssertionError(found.log)
