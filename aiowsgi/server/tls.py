"""TLS: Config -> ssl.SSLContext.

What is wrong with a certificate, a key or a password is a ConfigError that names the option and the
file, before any address is opened.
"""

from __future__ import annotations

import ssl
from functools import partial
from pathlib import Path

from aiowsgi.config import Config
from aiowsgi.errors import ConfigError
from aiowsgi.server.alerts import AlertingContext

_VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}
_VERIFY = {
    "none": ssl.CERT_NONE,
    "optional": ssl.CERT_OPTIONAL,
    "required": ssl.CERT_REQUIRED,
}
_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"
_KEY = b"PRIVATE KEY-----"  # PKCS #8, encrypted or not, and the older RSA and EC forms


def server_context(config: Config) -> ssl.SSLContext | None:
    """Make the context that the options describe; None without TLS. Raises ConfigError."""
    if not config.tls:
        return None
    if config.ssl_context_factory is None:
        return _described(config)
    made = config.ssl_context_factory(config, partial(_described, config))
    if not isinstance(made, ssl.SSLContext):
        raise ConfigError(
            f"ssl_context_factory: it returned {type(made).__name__}: expected an ssl.SSLContext; "
            "is there a return?"
        )
    if made.protocol is ssl.PROTOCOL_TLS_CLIENT:
        raise ConfigError(
            "ssl_context_factory: it returned a context for clients: expected one for servers, as "
            "ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) makes"
        )
    _harden(made)
    return made


def _described(config: Config) -> ssl.SSLContext:
    context = AlertingContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[config.ssl_minimum_version]
    _harden(context)
    context.set_alpn_protocols(["http/1.1"])
    if config.ssl_ciphers is not None:
        try:
            context.set_ciphers(config.ssl_ciphers)
        except ssl.SSLError:
            raise ConfigError(
                f"ssl_ciphers: {config.ssl_ciphers!r} names no cipher suite that this OpenSSL has: "
                "expected its format, like ECDHE+AESGCM:ECDHE+CHACHA20; "
                "'openssl ciphers -v' lists them"
            ) from None
    _load_certificate(context, config)
    _load_authorities(context, config)
    return context


def _harden(context: ssl.SSLContext) -> None:
    """Have no client make us compute for nothing, or learn from lengths what it may not (S16)."""
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION


def _load_certificate(context: ssl.SSLContext, config: Config) -> None:
    chain, key = config.ssl_certfile, config.ssl_keyfile
    if chain is None:
        raise ConfigError(
            "ssl_context_factory: its default() needs ssl_certfile, which is not given"
        )
    _require("ssl_certfile", chain, _CERTIFICATE, "certificate")
    if key is None:
        _require("ssl_keyfile is not given, and ssl_certfile", chain, _KEY, "private key")
    else:
        _require("ssl_keyfile", key, _KEY, "private key")
    name = f"ssl_keyfile: {key or chain!r}"
    asked = False

    def password() -> str:
        # A function, even where there is no password: OpenSSL would ask on the terminal for one.
        nonlocal asked
        asked = True
        if config.ssl_keyfile_password is None:
            raise ConfigError(f"{name} is encrypted: give its password by ssl_keyfile_password")
        return config.ssl_keyfile_password

    try:
        context.load_cert_chain(chain, key, password)
    except (ssl.SSLError, ValueError) as error:
        reason = getattr(error, "reason", None) or ""
        if "MISMATCH" in reason:
            why = f"is not the key of the certificate in {chain!r}: give the key it was made with"
        elif asked:
            why = "cannot be decrypted: ssl_keyfile_password is not its password"
        elif "SMALL" in reason or "WEAK" in reason:
            why = f"or {chain!r} is too weak for this OpenSSL ({reason}): make longer ones"
        else:
            why = f"or {chain!r} is damaged: expected PEM as it was made"
            why += f" ({reason})" if reason else ""
        raise ConfigError(f"{name} {why}") from None


def _load_authorities(context: ssl.SSLContext, config: Config) -> None:
    context.verify_mode = _VERIFY[config.ssl_cert_reqs]
    path = config.ssl_ca_certs
    if path is None:
        return
    _require("ssl_ca_certs", path, _CERTIFICATE, "certificate")
    try:
        context.load_verify_locations(path)
    except ssl.SSLError:
        raise ConfigError(
            f"ssl_ca_certs: {path!r} is damaged: expected PEM as it was made"
        ) from None


def _require(name: str, path: str, mark: bytes, what: str) -> None:
    """ConfigError where the file cannot be read or has no such part: OpenSSL says much less."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{name}: cannot read {path!r}: {error.strerror}: expected a PEM file with the {what}"
        ) from None
    if mark not in data:
        raise ConfigError(
            f"{name}: {path!r} has no {what} in it: expected a PEM file, with a line "
            f"'-----BEGIN {'' if mark == _CERTIFICATE else '... '}{what.upper()}-----'"
        )
