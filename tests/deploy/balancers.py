"""HAProxy and nginx with the files of deploy/; only addresses and intervals are others."""

from __future__ import annotations

import csv
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest

from benchmarks.ports import reserved_port
from tests.deploy.reading import text
from tests.differential.fronts import running


class Balancer:
    """A balancer at `url`; HAProxy says how it finds the servers, a, b, c."""

    def __init__(self, port: int, stats: str = "") -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._stats = stats

    def finds(self, server: str) -> str:
        """UP, DOWN, or on the way from the one to the other."""
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(self._stats)
            client.sendall(b"show stat\n")
            answer = client.makefile().read().lstrip("# ")
        return next(
            row["status"]
            for row in csv.DictReader(answer.splitlines())
            if (row["pxname"], row["svname"]) == ("shop", server)
        )


@contextmanager
def haproxy(servers: Sequence[str]) -> Iterator[Balancer]:
    """deploy/haproxy/haproxy.cfg before three servers at most: /PATH or HOST:PORT."""
    with tempfile.TemporaryDirectory() as folder, reserved_port() as port:
        stats = f"{folder}/stats"
        with running("haproxy", haproxy_config(servers), port=port, stats=stats):
            yield Balancer(port, stats)


@contextmanager
def nginx(servers: Sequence[str]) -> Iterator[Balancer]:
    """deploy/nginx/shop.conf before servers: /PATH or HOST:PORT."""
    with reserved_port() as port, running("nginx", nginx_config(servers), port=port):
        yield Balancer(port)


def haproxy_config(servers: Sequence[str]) -> str:
    """The file, with places for {home}, {port} and {stats}."""
    config = changed(
        escaped(text("haproxy/haproxy.cfg")),
        ("log stdout format raw local0", "stats socket {stats}"),
        ("bind :80", "bind 127.0.0.1:{port}\n    bind unix@{home}/front"),
        ("inter 1s", "inter 100ms"),
    )
    for name, number, server in zip_longest("abc", "123", servers):
        own = f"    server {name} {_named(server, 'unix@')}\n" if server else ""
        config = changed(config, (f"    server {name} 10.0.0.{number}:8000\n", own))
    return config


def nginx_config(servers: Sequence[str]) -> str:
    """The file inside of what nginx needs around it, with places for {home} and {port}."""
    lines = "\n".join(f"server {_named(each, 'unix:')} max_fails=0;" for each in servers)
    site = changed(
        escaped(text("nginx/shop.conf")),
        ("server app:8000 max_fails=0;", lines),
        ("listen 80;", "listen 127.0.0.1:{port}; listen unix:{home}/front;"),
    )
    return changed(_AROUND, ("include conf.d/shop.conf;", site))


def _named(server: str, prefix: str) -> str:
    return prefix + server if server.startswith("/") else server


def escaped(config: str) -> str:
    """With its own braces doubled, for str.format."""
    return config.replace("{", "{{").replace("}", "}}")


def changed(config: str, *changes: tuple[str, str]) -> str:
    """Replace parts, each of which has to be there once."""
    for old, new in changes:
        assert config.count(old) == 1, old
        config = config.replace(old, new)
    return config


_AROUND = """
daemon off; master_process off; pid {home}/pid; error_log {home}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {home}/body; proxy_temp_path {home}/proxy;
  fastcgi_temp_path {home}/fastcgi; uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;
  include conf.d/shop.conf;
}}
"""
