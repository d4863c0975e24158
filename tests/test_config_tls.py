"""The options of TLS: none does nothing without a word, and no password is ever shown."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from aiowsgi.cli import main
from aiowsgi.config import Config
from aiowsgi.errors import ConfigError
from aiowsgi.settings import resolve

SECRET = "correct horse"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ssl_keyfile", "key.pem"),
        ("ssl_keyfile_password", SECRET),
        ("ssl_ca_certs", "ca.pem"),
        ("ssl_cert_reqs", "required"),
        ("ssl_ciphers", "HIGH"),
    ],
)
def test_an_option_of_tls_without_a_certificate_is_refused(name: str, value: str) -> None:
    """Else the operator would believe that the server speaks TLS."""
    with pytest.raises(ConfigError, match=f"^{name} needs ssl_certfile: .* leave {name} out$"):
        Config(**{name: value})


@pytest.mark.parametrize("reqs", ["optional", "required"])
def test_asking_for_certificates_needs_an_authority(reqs: str) -> None:
    with pytest.raises(ConfigError, match=f"^ssl_cert_reqs: {reqs} needs ssl_ca_certs: "):
        Config(ssl_certfile="c.pem", ssl_cert_reqs=reqs)


def test_an_authority_that_nobody_is_checked_against_is_refused() -> None:
    with pytest.raises(ConfigError, match="^ssl_ca_certs does nothing .* add ssl_cert_reqs"):
        Config(ssl_certfile="c.pem", ssl_ca_certs="ca.pem")


def test_a_factory_may_do_what_it_likes_with_the_options() -> None:
    config = Config(ssl_context_factory=lambda config, default: default(), ssl_ca_certs="ca.pem")
    assert config.tls


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (ssl.CERT_NONE, "none"),
        (ssl.CERT_OPTIONAL, "optional"),
        (ssl.CERT_REQUIRED, "required"),
        ("2", "required"),
        ("Required", "required"),
    ],
)
def test_cert_reqs_may_be_pythons_or_their_numbers(value: Any, word: str) -> None:
    """As gunicorn and uvicorn have them."""
    given = {} if word == "none" else {"ssl_ca_certs": "ca.pem"}
    assert Config(ssl_certfile="c", ssl_cert_reqs=value, **given).ssl_cert_reqs == word


def test_a_file_may_be_a_path_object() -> None:
    assert Config(ssl_certfile=Path("a") / "b.pem").ssl_certfile == str(Path("a") / "b.pem")


def test_a_password_is_in_no_listing_no_repr_and_no_error() -> None:
    settings = resolve({"ssl_certfile": "c.pem"}, {"AIOWSGI_SSL_KEYFILE_PASSWORD": SECRET})
    assert settings.config.ssl_keyfile_password == SECRET
    listed = "\n".join(settings.lines())
    assert "ssl_keyfile_password     = (not shown)" in listed
    with pytest.raises(ConfigError) as caught:
        Config(ssl_certfile="c", ssl_keyfile_password=SECRET.encode())
    for said in (listed, repr(settings), str(caught.value)):
        assert SECRET not in said


def test_print_config_does_not_show_a_password(capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--ssl-certfile", "c.pem", "--ssl-keyfile-password", SECRET, "--print-config"]
    assert main(flags) == 0
    said = capsys.readouterr()
    assert "(--ssl-keyfile-password)" in said.out
    assert SECRET not in said.out + said.err


def test_a_factory_is_a_programs_alone_and_has_neither_flag_nor_variable(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--ssl-context-factory", "x"]) == 2
    assert main(["--help"]) == 0
    assert "--ssl-context-factory" not in capsys.readouterr().out
    settings = resolve({}, {"AIOWSGI_SSL_CONTEXT_FACTORY": "x"})
    assert settings.config.ssl_context_factory is None
    (stranger,) = settings.strangers
    assert "did you mean AIOWSGI_SSL_CONTEXT_FACTORY" not in stranger


def test_a_factory_is_listed_by_its_name() -> None:
    settings = resolve({"ssl_context_factory": make}, {})
    assert any(
        line.startswith("ssl_context_factory") and " make " in line for line in settings.lines()
    )


def make(config: Config, default: Any) -> Any:
    return default()
