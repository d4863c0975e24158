"""The line "inline": uvloop and httptools with the application called on the loop, no checks.

It is no server that anybody should run: no threads, no limits, no timeouts, no Date, nothing is
checked, and one view that waits stops every client. It is the limit of what Python allows here.

    python -m benchmarks.inline PORT
"""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Iterable
from typing import Any

import httptools
import uvloop

from benchmarks import apps


class Inline(asyncio.Protocol):
    """One client; everything happens in data_received."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport  # uvloop's are no asyncio.Transport by class
        self.begin()

    def begin(self) -> None:
        self.parser = httptools.HttpRequestParser(self)
        self.clear()

    def clear(self) -> None:
        self.target = b""
        self.body: list[bytes] = []
        self.fields: list[tuple[bytes, bytes]] = []

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name, value))

    def on_body(self, data: bytes) -> None:
        self.body.append(data)

    def on_message_complete(self) -> None:
        result = apps.wsgi(self.environ(), self.start_response)
        keep_alive = self.parser.should_keep_alive()
        self.send(result, keep_alive)
        self.clear()
        if not keep_alive:
            self.transport.close()

    def environ(self) -> apps.Environ:
        path, _, query = self.target.decode("latin-1").partition("?")
        environ: apps.Environ = {
            "REQUEST_METHOD": self.parser.get_method().decode(),
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/" + self.parser.get_http_version(),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(b"".join(self.body)),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.fields:
            key = name.decode("latin-1").upper().replace("-", "_")
            if key not in ("CONTENT_LENGTH", "CONTENT_TYPE"):
                key = "HTTP_" + key
            environ[key] = value.decode("latin-1")
        return environ

    def start_response(self, status: str, headers: list[tuple[str, str]]) -> None:
        lines = [f"HTTP/1.1 {status}\r\n", *(f"{name}: {value}\r\n" for name, value in headers)]
        self.head = "".join(lines).encode("latin-1")
        self.sized = any(name == "Content-Length" for name, _ in headers)

    def send(self, result: Iterable[bytes], keep_alive: bool) -> None:
        head = self.head if keep_alive else self.head + b"Connection: close\r\n"
        if isinstance(result, list):
            self.transport.write(b"".join([head, b"\r\n", *result]))
            return
        self.transport.write(
            head + (b"\r\n" if self.sized else b"Transfer-Encoding: chunked\r\n\r\n")
        )
        for block in result:
            self.transport.write(block if self.sized else b"%x\r\n%b\r\n" % (len(block), block))
        if not self.sized:
            self.transport.write(b"0\r\n\r\n")


async def serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Inline, "127.0.0.1", port, backlog=2048)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
