"""Real servers in front of ours: nginx and HAProxy, each with a configuration of its own.

They are told to let through what they can be told to, and to write a stamp on each request that
they send: a secret that no client knows, a fresh id, and the method, target and host that they
read. What reaches the application without its stamp, no front has sent. The id goes to the client
too, in X-Asked, to be compared with what the application says in X-Seen.
"""

from __future__ import annotations

import fcntl
import secrets
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

SECRET = secrets.token_hex(8)


class Front(NamedTuple):
    """A front that listens on a unix socket."""

    path: str

    def talk(self, *pieces: bytes, patience: float = 10) -> bytes:
        """Send all of it and return what comes until it closes.

        Each piece is sent when the front has read the one before. After so many seconds of silence
        it is told that no more will come, lest it wait for more of a message.
        """
        got = bytearray()
        with socket.socket(socket.AF_UNIX) as client, suppress(ConnectionError):
            client.settimeout(10)
            client.connect(self.path)
            for piece in pieces:
                client.sendall(piece)
                while piece is not pieces[-1] and _unread(client):
                    time.sleep(0.0005)
            if not select.select([client], [], [], patience)[0]:
                client.shutdown(socket.SHUT_WR)
            while data := client.recv(65536):
                got += data
                if not select.select([client], [], [], patience)[0]:
                    client.shutdown(socket.SHUT_WR)
        return bytes(got)


def _unread(client: socket.socket) -> int:
    """How many bytes the other end has yet to read; what is not known counts as read."""
    if not hasattr(termios, "TIOCOUTQ"):
        return 0
    return int.from_bytes(fcntl.ioctl(client, termios.TIOCOUTQ, bytes(4)), sys.byteorder)


_NGINX = """
daemon off; master_process off; pid {home}/pid; error_log {home}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {home}/body; proxy_temp_path {home}/proxy;
  fastcgi_temp_path {home}/fastcgi; uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;
  client_max_body_size 0; large_client_header_buffers 8 96k;
  ignore_invalid_headers off; underscores_in_headers on;
  upstream back {{ server 127.0.0.1:{back}; keepalive 1; }}
  server {{
    listen unix:{home}/front; server_name localhost;
    location / {{
      proxy_pass http://back; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Front "{secret}/$request_id $request_method $request_uri $host";
      add_header X-Asked $request_id always;
      proxy_request_buffering {buffering};
      proxy_ignore_client_abort on; proxy_next_upstream off; proxy_read_timeout 5s;
    }}
  }}
}}
"""

_HAPROXY = """
global
  nbthread 1
  tune.bufsize 131072
  tune.http.maxhdr 1024
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
  retries 0
  http-reuse always
frontend front
  bind unix@{home}/front
  {lenient}
  http-request set-var(txn.id) uuid()
  http-request set-header X-Front "{secret}/%[var(txn.id)] %[method] %[url] %[req.hdr(host)]"
  http-after-response set-header X-Asked %[var(txn.id)]
  default_backend back
backend back
  server back 127.0.0.1:{back}
"""


@contextmanager
def nginx(back: int, buffering: str) -> Iterator[Front]:
    """Start nginx with `proxy_request_buffering` on or off."""
    with running("nginx", _NGINX, back=back, buffering=buffering) as front:
        yield front


@contextmanager
def haproxy(back: int, lenient: bool) -> Iterator[Front]:
    """Start HAProxy in http mode; lenient, with `option accept-invalid-http-request`."""
    option = "option accept-invalid-http-request" if lenient else ""
    with running("haproxy", _HAPROXY, back=back, lenient=option) as front:
        yield front


@contextmanager
def running(program: str, config: str, **values: object) -> Iterator[Front]:
    """Start a front with these values in its configuration; it listens at `{home}/front`."""
    with tempfile.TemporaryDirectory() as home:
        file = Path(home, "config")
        file.write_text(config.format(home=home, secret=SECRET, **values))
        command = [path_of(program), "-db", "-q", "-f", str(file)]
        if program == "nginx":
            command = [path_of(program), "-p", home, "-e", f"{home}/error.log", "-c", str(file)]
        with _running(command, home) as front:
            yield front


def path_of(name: str) -> str:
    """Where it is; Debian's place for it need not be on an ordinary user's path."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin") or ""


def installed(name: str) -> bool:
    """Whether it can be started here."""
    return bool(path_of(name))


@contextmanager
def _running(command: list[str], home: str) -> Iterator[Front]:
    log = Path(home, "output")
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        front = Front(f"{home}/front")
        deadline = time.monotonic() + 10
        while not _listens(front):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.005)
        yield front
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _listens(front: Front) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(front.path) == 0
