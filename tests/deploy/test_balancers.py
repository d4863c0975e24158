"""The balancers' files of deploy/: what balancers say of them, and who can pose as whom."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from aiowsgi.config import Config
from aiowsgi.kinds import duration
from aiowsgi.wsgi.types import Environ, StartResponse
from benchmarks.ports import reserved_port
from tests.deploy import balancers
from tests.deploy.balancers import Balancer, nginx_config
from tests.deploy.reading import DEPLOY, config, text
from tests.differential.fronts import installed, path_of
from tests.live import live

BOTH = [balancers.haproxy, balancers.nginx]
Balance = Callable[[list[str]], AbstractContextManager[Balancer]]


def needs(name: str) -> None:
    if not installed(name):
        pytest.skip(f"{name} is not installed")


def test_haproxy_finds_nothing_wrong() -> None:
    needs("haproxy")
    file = str(DEPLOY / "haproxy" / "haproxy.cfg")
    done = subprocess.run(
        [path_of("haproxy"), "-c", "-f", file], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr


def test_nginx_finds_nothing_wrong(tmp_path: Path) -> None:
    needs("nginx")
    file = tmp_path / "nginx.conf"
    command = [
        path_of("nginx"),
        "-t",
        "-e",
        f"{tmp_path}/log",
        "-p",
        str(tmp_path),
        "-c",
        str(file),
    ]
    with reserved_port() as port:
        file.write_text(nginx_config(["/nowhere"]).format(home=tmp_path, port=port))
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert "[warn]" not in done.stderr


def test_haproxys_servers_are_started_by_a_command_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """And HAProxy looks away well within their --shutdown-delay."""
    comment = re.sub(r"\\?\n#\s*", " ", text("haproxy/haproxy.cfg"))
    [words] = re.findall(r"aiowsgi (--bind .*?:app)", comment)
    told = config(words.split(), monkeypatch)
    [inter, fall] = re.findall(r"check inter (\S+) fall (\d+)", comment)[0]
    assert duration().read(inter) * int(fall) * 2 < told.shutdown_delay
    assert f"uri {told.health_path}?ready" in comment
    assert f"server a {told.binds[0]}\n" in text("haproxy/haproxy.cfg")


def test_they_close_idle_connections_before_we_do() -> None:
    """Who opens a connection should be who closes it, or a request meets the close."""
    kept = re.findall(r"(?:pool-purge-delay|keepalive_timeout) (\d+s)", _both())
    ours = Config().keep_alive
    assert len(kept) == 2
    assert ours is not None
    assert all(duration().read(each) < ours for each in kept)


def _both() -> str:
    return text("haproxy/haproxy.cfg") + text("nginx/shop.conf")


LIES = {
    "X-Forwarded-For": "192.0.2.1",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "444",
    "X-Forwarded-Prefix": "/evil",
    "Forwarded": "for=192.0.2.1;proto=https;host=evil.example",
}


def who(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [])
    names = ("REMOTE_ADDR", "wsgi.url_scheme", "HTTP_HOST", "SCRIPT_NAME")
    return ["|".join(environ[name] for name in names).encode()]


@pytest.mark.parametrize("balance", BOTH)
def test_what_a_client_says_of_itself_is_not_believed(balance: Balance, tmp_path: Path) -> None:
    """S12: each of the six fields is set or removed."""
    needs(balance.__name__)
    path = f"{tmp_path}/a.sock"
    with live(who, uds=path, forwarded_allow_ips="unix", health_path="/health"):
        with balance([path]) as balancer:
            host = balancer.url.removeprefix("http://")
            for lies in ({}, LIES, *({name: value} for name, value in LIES.items())):
                client = HTTPConnection(host, timeout=20)
                client.request("GET", "/", headers=lies)
                said = client.getresponse().read().decode()
                client.close()
                assert said == f"127.0.0.1|http|{host}|"


@pytest.mark.parametrize("balance", BOTH)
def test_the_health_path_is_not_for_those_outside(balance: Balance, tmp_path: Path) -> None:
    needs(balance.__name__)
    path = f"{tmp_path}/a.sock"
    with live(who, uds=path, health_path="/health"), balance([path]) as balancer:
        client = HTTPConnection(balancer.url.removeprefix("http://"), timeout=20)
        client.request("GET", "/health?ready")
        assert client.getresponse().status == 404
        client.close()
