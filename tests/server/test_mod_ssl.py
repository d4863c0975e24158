"""What TLS agreed on is in environ under mod_ssl's names, and no client can forge it (P13)."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from aiowsgi.server.mod_ssl import distinguished_name, mod_ssl
from aiowsgi.wsgi.types import Environ, StartResponse
from tests.live import Live, live
from tests.server.tls_client import (
    GET,
    authority,
    authority_file,
    connect,
    read_answer,
    served,
    trusting,
)
from tests.server.wsgi_client import LOOPS, TEXT

OPTIONAL = {"ssl_ca_certs": authority_file(), "ssl_cert_reqs": "optional"}


def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """The keys of TLS, as JSON."""
    found = {name: environ[name] for name in environ if name.startswith(("SSL_", "HTTPS"))}
    body = json.dumps(found).encode()
    start_response("200 OK", [*TEXT, ("Content-Length", str(len(body)))])
    return [body]


@pytest.fixture(scope="module", params=LOOPS)
def server(request: pytest.FixtureRequest) -> Iterator[Live]:
    with live(app, loop=request.param, **served(), **OPTIONAL) as running:
        yield running


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_protocol_and_cipher_are_what_the_client_has_too(
    server: Live, version: ssl.TLSVersion
) -> None:
    context = trusting()
    context.maximum_version = version
    with connect(server, context) as client:
        client.sendall(GET)
        environ = json.loads(read_answer(client))
        assert environ == {
            "HTTPS": "on",
            "SSL_PROTOCOL": client.version(),
            "SSL_CIPHER": client.cipher()[0],  # type: ignore[index]
            "SSL_CLIENT_VERIFY": "NONE",
        }


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_certificate_of_a_client_and_its_subject_are_there(
    server: Live, version: ssl.TLSVersion
) -> None:
    own = authority().issue_cert("client.test", common_name="Jane Doe")
    context = trusting(own)
    context.maximum_version = version
    with connect(server, context) as client:
        for _ in range(2):  # each request of a connection has them
            client.sendall(GET)
            environ = json.loads(read_answer(client))
            assert environ["SSL_CLIENT_VERIFY"] == "SUCCESS"
            assert environ["SSL_CLIENT_CERT"] == own.cert_chain_pems[0].bytes().decode()
            assert environ["SSL_CLIENT_S_DN"].startswith("CN=Jane Doe,OU=")


def test_a_client_cannot_send_them_itself(server: Live) -> None:
    """What it sends is HTTP_*, and nothing else."""
    fields = b"SSL_CLIENT_VERIFY: SUCCESS\r\nSSL-CLIENT-VERIFY: SUCCESS\r\n"
    with connect(server) as client:
        client.sendall(GET.replace(b"\r\n\r\n", b"\r\n" + fields + b"\r\n"))
        assert json.loads(read_answer(client))["SSL_CLIENT_VERIFY"] == "NONE"


def test_without_tls_nothing_is_there() -> None:
    assert mod_ssl(None) == {}
    with live(app) as server:
        assert server.talk(GET.replace(b"Host", b"Connection: close\r\nHost")).endswith(b"{}")


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ((), ""),
        ([("commonName", "a"), ("countryName", "NL")], "C=NL,CN=a"),
        ([("commonName", "a,O=Admins")], r"CN=a\,O=Admins"),
        ([("commonName", 'a+b"c\\d<e>f;g=h')], r"CN=a\+b\"c\\d\<e\>f\;g=h"),
        ([("commonName", " a ")], r"CN=\ a\ "),
        ([("commonName", "#a#")], r"CN=\#a#"),
        ([("commonName", "a\r\nb\x00\x7f")], r"CN=a\0D\0Ab\00\7F"),
        ([("commonName", "Zoë €")], "CN=Zoë €".encode().decode("latin-1")),
        ([("serialNumber", "1"), ("emailAddress", "a@b")], "emailAddress=a@b,serialNumber=1"),
        ([("1.2.3.4", "x"), ("domainComponent", "test")], "DC=test,1.2.3.4=x"),
    ],
)
def test_a_subject_is_text_in_which_no_value_plays_another(subject: Any, text: str) -> None:
    """RFC 4514 2.4; P10 for what is not ASCII."""
    assert distinguished_name(tuple((pair,) for pair in subject)) == text


def test_several_values_in_one_part_are_joined() -> None:
    assert distinguished_name(((("commonName", "a"), ("userId", "b")),)) == "CN=a+UID=b"


def test_what_a_client_chose_as_its_name_cannot_play_another_part(server: Live) -> None:
    """A certificate as a careless authority might sign it."""
    own = authority().issue_cert(
        "client.test", common_name="a,O=Admins", organization_name="Zoë\nX"
    )
    with connect(server, trusting(own)) as client:
        client.sendall(GET)
        subject = json.loads(read_answer(client))["SSL_CLIENT_S_DN"]
    parts = re.split(r"(?<!\\),", subject)
    assert r"CN=a\,O=Admins" in parts
    assert "O=" + "Zoë".encode().decode("latin-1") + r"\0AX" in parts
