"""What is wrong with a certificate is told before anything listens: which file, and why."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from aiowsgi.cli import main
from aiowsgi.config import Config
from aiowsgi.errors import ConfigError
from aiowsgi.server.server import Server
from aiowsgi.server.tls import server_context
from tests.live import live
from tests.server.tls_client import GET, certificate, connect, pem, read_answer
from tests.server.wsgi_client import hello

PASSWORD = "open sesame"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Good and bad files, by name."""
    found = tmp_path_factory.mktemp("tls")
    leaf = certificate()
    chain, key = (Path(path) for path in pem(found, leaf))
    (found / "both.pem").write_bytes(key.read_bytes() + chain.read_bytes())
    certificate("other.test").private_key_pem.write_to_path(str(found / "other-key.pem"))
    loaded = serialization.load_pem_private_key(key.read_bytes(), None)
    for name, form in (
        ("encrypted.pem", serialization.PrivateFormat.PKCS8),
        ("encrypted-old.pem", serialization.PrivateFormat.TraditionalOpenSSL),
    ):
        lock = serialization.BestAvailableEncryption(PASSWORD.encode())
        (found / name).write_bytes(loaded.private_bytes(serialization.Encoding.PEM, form, lock))
    damaged = chain.read_bytes().split(b"\n")
    damaged[2] = b"!" * 64
    (found / "damaged.pem").write_bytes(b"\n".join(damaged))
    (found / "key.der").write_bytes(b"\x30\x82")
    (found / "folder").mkdir()
    return found


def config(folder: Path, **options: Any) -> Config:
    files = ("ssl_certfile", "ssl_keyfile", "ssl_ca_certs")
    return Config(
        **{
            name: folder / value if name in files else value
            for name, value in {"ssl_certfile": "chain.pem", **options}.items()
        }
    )


@pytest.mark.parametrize(
    "options",
    [
        {"ssl_keyfile": "key.pem"},
        {"ssl_certfile": "both.pem"},
        {"ssl_keyfile": "encrypted.pem", "ssl_keyfile_password": PASSWORD},
        {"ssl_keyfile": "encrypted-old.pem", "ssl_keyfile_password": PASSWORD},
        {"ssl_keyfile": "key.pem", "ssl_keyfile_password": "not needed"},
    ],
)
def test_good_files_make_a_context(folder: Path, options: dict[str, Any]) -> None:
    assert isinstance(server_context(config(folder, **options)), ssl.SSLContext)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"ssl_certfile": "none.pem"}, "ssl_certfile: cannot read {}none.pem': No such file"),
        ({"ssl_certfile": "folder"}, "ssl_certfile: cannot read {}folder': Is a directory"),
        ({}, "ssl_keyfile is not given, and ssl_certfile: {}chain.pem' has no private key in it"),
        ({"ssl_keyfile": "none.pem"}, "ssl_keyfile: cannot read {}none.pem': No such file"),
        ({"ssl_certfile": "key.pem"}, "ssl_certfile: {}key.pem' has no certificate in it"),
        ({"ssl_keyfile": "chain.pem"}, "ssl_keyfile: {}chain.pem' has no private key in it"),
        ({"ssl_keyfile": "key.der"}, "expected a PEM file, with a line '-----BEGIN"),
        (
            {"ssl_keyfile": "other-key.pem"},
            "ssl_keyfile: {}other-key.pem' is not the key of the certificate in {}chain.pem': give",
        ),
        ({"ssl_keyfile": "encrypted.pem"}, "encrypted.pem' is encrypted: give its password by"),
        ({"ssl_keyfile": "encrypted-old.pem"}, "encrypted: give its password by ssl_keyfile_pass"),
        (
            {"ssl_keyfile": "encrypted.pem", "ssl_keyfile_password": "wrong"},
            "encrypted.pem' cannot be decrypted: ssl_keyfile_password is not its password",
        ),
        (
            {"ssl_keyfile": "encrypted.pem", "ssl_keyfile_password": "w" * 5000},
            "cannot be decrypted: ssl_keyfile_password is not its password",
        ),
        (
            {"ssl_certfile": "damaged.pem", "ssl_keyfile": "key.pem"},
            "damaged.pem' is damaged: expected PEM as it was made",
        ),
        (
            {"ssl_certfile": "both.pem", "ssl_ciphers": "nothing-of-the-kind"},
            "ssl_ciphers: 'nothing-of-the-kind' names no cipher suite",
        ),
        (
            {
                "ssl_certfile": "both.pem",
                "ssl_ca_certs": "damaged.pem",
                "ssl_cert_reqs": "required",
            },
            "ssl_ca_certs: {}damaged.pem' is damaged",
        ),
        (
            {"ssl_certfile": "both.pem", "ssl_ca_certs": "key.pem", "ssl_cert_reqs": "required"},
            "ssl_ca_certs: {}key.pem' has no certificate in it",
        ),
    ],
)
def test_what_is_wrong_names_the_option_the_file_and_what_was_expected(
    folder: Path, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        server_context(config(folder, **options))
    message = str(caught.value)
    assert said.replace("{}", f"'{folder}/") in message
    assert caught.value.exit_code == 2
    for password in (PASSWORD, "wrong", "w" * 5000):
        assert password not in message


def test_a_wrong_key_is_told_before_an_address_is_opened(folder: Path) -> None:
    server = Server(hello, config(folder, ssl_keyfile="other-key.pem", port=0))
    with pytest.raises(ConfigError, match="is not the key"):
        server.bind()
    assert server.urls == []


def test_check_config_reads_the_certificate(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).parent.parent.parent)
    words = ["tests.apps.hello:app", "--check-config", "--ssl-certfile", str(folder / "chain.pem")]
    assert main([*words, "--ssl-keyfile", str(folder / "key.pem")]) == 0
    assert main([*words, "--ssl-keyfile", str(folder / "other-key.pem")]) == 2
    assert "is not the key of the certificate" in capsys.readouterr().err


def test_the_defaults_are_safe(folder: Path) -> None:
    """S16."""
    context = server_context(config(folder, ssl_certfile="both.pem"))
    assert context is not None
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_NONE
    for option in (ssl.OP_NO_COMPRESSION, ssl.OP_NO_RENEGOTIATION):
        assert context.options & option


def test_ciphers_are_those_that_were_asked_for(folder: Path) -> None:
    name = "ECDHE-ECDSA-AES256-GCM-SHA384"
    context = server_context(config(folder, ssl_certfile="both.pem", ssl_ciphers=name))
    assert context is not None
    older = [c["name"] for c in context.get_ciphers() if c["protocol"] != "TLSv1.3"]
    assert older == [name]


def test_a_context_may_be_made_by_the_program(folder: Path) -> None:
    """It is made once, and may start from what the options say."""
    made: list[ssl.SSLContext] = []

    def factory(config: Config, default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
        assert config.backlog == 7
        made.append(default())
        made[0].minimum_version = ssl.TLSVersion.TLSv1_3
        return made[0]

    files = {"ssl_certfile": str(folder / "both.pem"), "backlog": 7}
    with live(hello, ssl_context_factory=factory, **files) as server:
        for _ in range(2):
            with connect(server) as client:
                client.sendall(GET)
                assert read_answer(client) == b"hello"
    assert len(made) == 1


@pytest.mark.parametrize(
    ("factory", "said"),
    [
        (lambda config, default: None, "it returned NoneType: expected an ssl.SSLContext"),
        (lambda config, default: default(), "its default.. needs ssl_certfile"),
        (lambda config, default: ssl.create_default_context(), "expected one for servers"),
    ],
)
def test_what_a_factory_did_wrong_is_told(factory: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=f"^ssl_context_factory: .*{said}"):
        server_context(Config(ssl_context_factory=factory))
