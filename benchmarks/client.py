"""Our own client: one right answer, start-up time, connections that stay open and idle.

Throughput is wrk's business; this client is for what wrk cannot do.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import time
from collections.abc import Callable

from benchmarks import apps
from benchmarks.servers import Certificate
from benchmarks.workloads import Workload

PATIENCE = 10.0  # seconds for any one answer
POLL = 0.002
OPENING = 60.0  # seconds for all idle connections: less than any server keeps them
AGAIN = 100  # idle connections that are asked once more at the end


class WrongAnswerError(Exception):
    """The server answers, but not what the workload needs."""


def check(workload: Workload, port: int, certificate: Certificate | None = None) -> None:
    """Asks once for every path and compares status and body; WrongAnswerError says what came."""
    for pattern in dict.fromkeys(workload.paths):
        path = pattern.replace("{n}", "1")
        try:
            status, body = ask(workload, path, port, certificate)
        except (OSError, http.client.HTTPException) as error:
            raise WrongAnswerError(f"no answer to {path}: {error!r}") from error
        if status != 200:
            raise WrongAnswerError(f"{status} for {path}")
        if len(body) != workload.length:
            raise WrongAnswerError(f"{len(body)} bytes for {path}, not {workload.length}")
        if workload.body and body != str(workload.body).encode():
            raise WrongAnswerError(f"{path} got {body!r} bytes of {workload.body}")


def ask(
    workload: Workload, path: str, port: int, certificate: Certificate | None
) -> tuple[int, bytes]:
    """One request on a connection of its own, as the workload makes them."""
    if certificate is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    else:
        context = ssl.create_default_context(cafile=str(certificate.chain))
        connection = http.client.HTTPSConnection(
            "127.0.0.1", port, timeout=PATIENCE, context=context
        )
    with contextlib.closing(connection):
        body = b"x" * workload.body or None
        connection.request("POST" if body else "GET", path, body, dict(workload.fields))
        response = connection.getresponse()
        return response.status, response.read()


def wait_until_it_accepts(port: int, alive: Callable[[], bool], patience: float) -> bool:
    """Whether something listens on the port before patience (seconds) or the process ends."""
    until = time.monotonic() + patience
    while time.monotonic() < until and alive():
        try:
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
        except OSError:
            time.sleep(POLL)
        else:
            return True
    return False


class Idle:
    """Connections to one server, each of which got one answer and then stays silent."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.connections: list[socket.socket] = []

    def add(self, number: int) -> None:
        """Opens `number` more; WrongAnswerError says how many were there when one failed."""
        until = time.monotonic() + OPENING
        for _ in range(number):
            if time.monotonic() > until:
                raise WrongAnswerError(
                    f"only {len(self.connections)} connections in {OPENING:.0f} s"
                )
            try:
                connection = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
                self.connections.append(connection)
                self.answered(connection)
            except OSError as error:
                raise WrongAnswerError(
                    f"connection {len(self.connections)} of them got no answer: {error!r}"
                ) from error

    def ask_again(self) -> None:
        """Some of them, spread over all: a server that dropped them saved no memory by skill."""
        for connection in self.connections[:: max(1, len(self.connections) // AGAIN)]:
            try:
                self.answered(connection)
            except OSError as error:
                raise WrongAnswerError(f"idle connections were not kept: {error!r}") from error

    def answered(self, connection: socket.socket) -> None:
        connection.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n\r\n".encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n" + apps.HELLO):
            block = connection.recv(4096)
            if not block:
                raise ConnectionError(f"closed after {answer[:40]!r}")
            answer += block
        if not answer.startswith(b"HTTP/1.1 200 "):
            raise ConnectionError(f"answered {answer[:40]!r}")

    def close(self) -> None:
        for connection in self.connections:
            connection.close()
