"""nginx and HAProxy as docs/proxies.md configures them: the client is who it is, whatever it says.

Each front is told by a PROXY header who its client is, so that it need not be this machine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

import pytest

from tests.differential.fronts import Front, installed, running
from tests.examples.running import ROOT
from tests.live import live
from tests.server import tls_client
from tests.server.asked import asked, unix_client

CLIENT = b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n"
CLIENT_V6 = b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n"

PAGE = (ROOT / "docs" / "proxies.md").read_text(encoding="utf-8")

NGINX = """
daemon off; master_process off; pid {home}/pid; error_log {home}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {home}/body; proxy_temp_path {home}/proxy;
  fastcgi_temp_path {home}/fastcgi; uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;
  set_real_ip_from unix:; real_ip_header proxy_protocol;
  map $remote_addr $rfc7239 {{
    ~^[0-9.]+$ "for=$remote_addr;proto=$scheme";
    default "for=\\"[$remote_addr]\\";proto=$scheme";
  }}
  upstream back {{ server 127.0.0.1:{back}; keepalive 1; }}
  server {{
    listen unix:{home}/front proxy_protocol; server_name localhost;
    location / {{ proxy_pass http://back; proxy_http_version 1.1; {fields} }}
  }}
}}
"""

HAPROXY = """
global
  nbthread 1
defaults
  mode {mode}
  timeout connect 5s
  timeout client 5s
  timeout server 5s
  retries 0
frontend front
  bind unix@{home}/front accept-proxy
  default_backend back
backend back
  {fields}
  server back 127.0.0.1:{back} {send}
"""


def documented(language: str, pattern: str) -> str:
    """The lines of the first example in this language that match, as the page has them."""
    [*blocks] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    lines = [line.strip() for line in blocks[0].splitlines()]
    found = [line for line in lines if re.match(pattern, line)]
    assert found
    return "\n".join(found)


def nginx_fields() -> str:
    return documented("nginx", "proxy_set_header")


def rfc7239(value: str) -> str:
    """RFC 7239 alone, with this value."""
    names = ("For", "Proto", "Host", "Port", "Prefix")
    removed = "".join(f'proxy_set_header X-Forwarded-{name} "";' for name in names)
    return removed + (
        'proxy_set_header Connection ""; proxy_set_header Host $http_host;'
        f'proxy_set_header Forwarded "{value}";'
    )


def haproxy_fields() -> str:
    return documented("haproxy", "option forwardfor|http-request")


@contextmanager
def front(program: str, options: dict[str, Any], config: str, **values: str) -> Iterator[Front]:
    if not installed(program):
        pytest.skip(f"{program} is not installed")
    with (
        live(asked, **options) as server,
        running(program, config, back=server.port, **values) as started,
    ):
        yield started


BELIEVE = {"forwarded_allow_ips": "127.0.0.1"}
HEADERS = {"proxy_protocol": "auto", "proxy_allow_from": "127.0.0.1"}
ADDED = "nginx, Forwarded added"
FRONTS: dict[str, Callable[[], AbstractContextManager[Front]]] = {
    "nginx": partial(front, "nginx", BELIEVE, NGINX, fields=nginx_fields()),
    "nginx, Forwarded": partial(front, "nginx", BELIEVE, NGINX, fields=rfc7239("$rfc7239")),
    ADDED: partial(front, "nginx", BELIEVE, NGINX, fields=rfc7239("$http_forwarded,$rfc7239")),
    "haproxy": partial(
        front, "haproxy", BELIEVE, HAPROXY, mode="http", fields=haproxy_fields(), send=""
    ),
    **{
        f"haproxy, {mode}, {send}": partial(
            front, "haproxy", HEADERS, HAPROXY, mode=mode, fields="", send=send
        )
        for mode in ("tcp", "http")
        for send in ("send-proxy", "send-proxy-v2")
    },
}


@pytest.fixture(scope="module", params=FRONTS)
def chain(request: pytest.FixtureRequest) -> Iterator[tuple[str, Front]]:
    with FRONTS[request.param]() as started:
        yield request.param, started


def ask(front: Front, *fields: str, client: bytes = CLIENT) -> bytes:
    lines = "".join(f"{field}\r\n" for field in ("Host: example.org", *fields))
    return front.talk(
        client + f"GET / HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode("latin-1")
    )


def body(answer: bytes) -> dict[str, Any]:
    """What the application told, of an answer that a front may have put into chunks."""
    assert answer.startswith(b"HTTP/1.1 200 "), answer
    found = json.loads(re.findall(rb"\{.*\}", answer)[0])
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(("client", "address"), [(CLIENT, "192.0.2.7"), (CLIENT_V6, "2001:db8::7")])
def test_the_client_is_the_fronts(chain: tuple[str, Front], client: bytes, address: str) -> None:
    """S12, P13: and it has asked for the host that it has asked for."""
    name, started = chain
    # Without one of the client's, what is added would begin with an empty element.
    fields = ("Forwarded: for=unknown",) if name == ADDED else ()
    seen = body(ask(started, *fields, client=client))
    assert (seen["REMOTE_ADDR"], seen["wsgi.url_scheme"]) == (address, "http")
    assert seen["HTTP_HOST"].partition(":")[0] == "example.org"


SPOOFS = [
    ("X-Forwarded-For: 6.6.6.6",),
    ("X-Forwarded-For: 6.6.6.6, 127.0.0.1", "X-Forwarded-For: 127.0.0.1"),
    ("X_Forwarded_For: 6.6.6.6", "x-forwarded-for: 6.6.6.6"),
    ("X-Forwarded-Proto: https", "X-Forwarded-Proto: https, https"),
    ("X-Forwarded-Prefix: /evil",),
    ("X-Forwarded-Host: evil", "X-Forwarded-Port: 666"),
    ("Forwarded: for=6.6.6.6;proto=https;host=evil",),
    ("Forwarded: for=6.6.6.6", "X-Forwarded-For: 6.6.6.6"),
    ('Forwarded: for=6.6.6.6;proto=https;x="',),
    ('Forwarded: for=6.6.6.6, for="127.0.0.1:1";a="\\',),
    ("Forwarded: for=6.6.6.6,", "Forwarded:"),
    ("X-Forwarded-For: ,", "X-Forwarded-For: \t"),
    ("X-Forwarded-For: 6.6.6.6", "Connection: X-Forwarded-For, Forwarded"),
]


@pytest.mark.parametrize("spoof", SPOOFS, ids=str)
def test_no_client_can_say_who_it_is_through_a_real_front(
    chain: tuple[str, Front], spoof: tuple[str, ...]
) -> None:
    """S12: it is refused, or it is who it is, and has asked for what it has asked for."""
    answer = ask(chain[1], *spoof)
    if answer.startswith(b"HTTP/1.1 400 "):
        return
    seen = body(answer)
    assert (seen["REMOTE_ADDR"], seen["wsgi.url_scheme"]) == ("192.0.2.7", "http")
    assert seen["SCRIPT_NAME"] == ""
    assert seen["HTTP_HOST"].partition(":")[0] == "example.org"


def test_spoofs_are_answered_where_the_front_removes_them(chain: tuple[str, Front]) -> None:
    """Else the test above proves little: as the page configures them, no client is refused."""
    name, started = chain
    if name in ("nginx", "haproxy"):
        for spoof in SPOOFS[:-1]:
            assert body(ask(started, *spoof))["REMOTE_ADDR"] == "192.0.2.7"


@pytest.mark.parametrize("send", ["send-proxy", "send-proxy-v2", "send-proxy-v2-ssl"])
def test_haproxy_sends_its_header_before_tls(send: str) -> None:
    """S12, S16: TLS begins at the client and ends here; HAProxy passes its bytes on."""
    options = {**HEADERS, **tls_client.served()}
    with front("haproxy", options, HAPROXY, mode="tcp", fields="", send=send) as started:
        seen = _over_tls(started)
    assert (seen["REMOTE_ADDR"], seen["REMOTE_PORT"]) == ("192.0.2.7", "4711")
    assert (seen["SERVER_NAME"], seen["SERVER_PORT"]) == ("198.51.100.1", "443")
    assert seen["HTTPS"] == "on"


def _over_tls(front: Front) -> dict[str, Any]:

    plain = unix_client(front.path)
    plain.sendall(CLIENT)
    with tls_client.secured(plain) as client:
        client.sendall(tls_client.GET)
        found = json.loads(tls_client.read_answer(client))
    assert isinstance(found, dict)
    return found
