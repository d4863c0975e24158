"""The options of the process: the application, where it listens, its threads."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from aiowsgi import kinds
from aiowsgi.binds import check_bind, check_host, check_path
from aiowsgi.errors import ConfigError
from aiowsgi.options import ADDRESS, SECURITY, START, THREADS, option


@dataclasses.dataclass(frozen=True, init=False)
class ProcessOptions:
    """What one process is told, whatever it will be asked over HTTP."""

    factory: bool = option(
        False,
        kinds.switch("flag"),
        START,
        "APP is a function that is called once, without arguments, and returns the application.",
        flags=("--call",),
    )
    chdir: str | None = option(
        None,
        kinds.text("DIRECTORY"),
        START,
        "Change to this directory before the application is loaded; it is importable.",
        flags=("--app-dir",),
        default_text="the current directory",
    )
    bind: tuple[str, ...] = option(
        (),
        kinds.several("ADDRESS", check_bind, r"[,\s]+"),
        ADDRESS,
        "Listen here, repeatable: HOST:PORT, [V6]:PORT, :PORT, *:PORT, unix:/PATH, unix:@NAME, "
        "fd://NUMBER, systemd (all sockets that it passed) or systemd:NAME (those of that name).",
        flags=("-b", "--listen"),
        default_text="127.0.0.1:8000; 0.0.0.0:$PORT where PORT is set",
        way="bind",
    )
    host: str | None = option(
        None,
        kinds.text("HOST", check_host),
        ADDRESS,
        "Listen on this host name or IP address, with --port; * is every interface.",
        default_text="127.0.0.1",
        way="host/port",
    )
    port: int | None = option(
        None,
        kinds.count(maximum=65535, none=True),
        ADDRESS,
        "Listen on this port, with --host; 0 picks a free one and prints it.",
        default_text="8000",
        well_known="PORT",
        way="host/port",
    )
    uds: str | None = option(
        None,
        kinds.text("PATH", check_path),
        ADDRESS,
        "Listen on this unix socket instead; @NAME is an abstract one.",
        way="uds",
    )
    uds_permissions: int = option(
        0o600, kinds.permissions(), ADDRESS, "Permissions of the unix socket files."
    )
    fd: int | None = option(
        None,
        kinds.count(none=True),
        ADDRESS,
        "Listen on the socket that was inherited under this descriptor number.",
        way="fd",
    )
    backlog: int = option(
        2048,
        kinds.count(minimum=1),
        ADDRESS,
        "Connections that the system holds until they are accepted.",
    )
    reuse_port: bool = option(
        False,
        kinds.switch(),
        ADDRESS,
        "Let other processes that say so, too, listen at the same TCP addresses; the system shares "
        "connections out among them.",
    )
    ssl_certfile: str | None = option(
        None,
        kinds.file(),
        SECURITY,
        "Serve HTTPS with the certificate in this PEM file, followed by its intermediates. This "
        "file and the next ones are read again, without a restart, when they change.",
        flags=("--certfile", "--ssl-certificate"),
    )
    ssl_keyfile: str | None = option(
        None,
        kinds.file(),
        SECURITY,
        "The certificate's private key, a PEM file.",
        flags=("--keyfile",),
        default_text="in --ssl-certfile",
    )
    ssl_keyfile_password: str | None = option(
        None,
        kinds.secret(),
        SECURITY,
        "Password of an encrypted key; better in the variable, since other users of the machine "
        "can read command lines.",
    )
    ssl_ca_certs: str | None = option(
        None,
        kinds.file(),
        SECURITY,
        "Certificates of the authorities that clients' certificates are checked against, a PEM "
        "file.",
    )
    ssl_cert_reqs: str = option(
        "none",
        kinds.choice("none", "optional", "required", numbered=True),
        SECURITY,
        "Whether clients are asked for a certificate, and refused where they have none (required) "
        "or one that --ssl-ca-certs does not vouch for.",
    )
    ssl_ciphers: str | None = option(
        None,
        kinds.text("CIPHERS"),
        SECURITY,
        "Cipher suites of TLSv1.2, in the format of OpenSSL; those of TLSv1.3 are all good.",
        default_text="those of Python",
    )
    ssl_minimum_version: str = option(
        "TLSv1.2",
        kinds.choice("TLSv1.2", "TLSv1.3"),
        SECURITY,
        "Refuse older versions of TLS; those before TLSv1.2 are broken (RFC 8996).",
    )
    ssl_context_factory: Callable[[Any, Callable[[], Any]], Any] | None = option(
        None,
        kinds.function(),
        SECURITY,
        "A function (config, default) that returns the ssl.SSLContext; default() makes the one "
        "that the options above describe. It is called again when a file of theirs changes.",
    )
    threads: int | None = option(
        None,
        kinds.count(minimum=1, auto=True),
        THREADS,
        "Threads that run the application.",
        flags=("--blocking-threads",),
        default_text="auto = min(32, usable CPUs + 4)",
    )
    loop: str = option(
        "auto",
        kinds.choice("auto", "uvloop", "asyncio"),
        THREADS,
        "Event loop; auto is uvloop where it is installed.",
    )

    @property
    def tls(self) -> bool:
        """Whether the server speaks TLS."""
        return self.ssl_certfile is not None or self.ssl_context_factory is not None

    def check_tls(self) -> None:
        """ConfigError where an option of TLS would silently do nothing."""
        asks = self.ssl_cert_reqs != "none"
        useless = {
            "ssl_keyfile": self.ssl_keyfile,
            "ssl_keyfile_password": self.ssl_keyfile_password,
            "ssl_ca_certs": self.ssl_ca_certs,
            "ssl_cert_reqs": asks,
            "ssl_ciphers": self.ssl_ciphers,
        }
        for name, given in () if self.tls else useless.items():
            if given:
                raise ConfigError(
                    f"{name} needs ssl_certfile: without a certificate the server speaks plain "
                    f"HTTP; give the certificate, a PEM file, or leave {name} out"
                )
        if self.ssl_context_factory is not None:
            return
        if asks and self.ssl_ca_certs is None:
            raise ConfigError(
                f"ssl_cert_reqs: {self.ssl_cert_reqs} needs ssl_ca_certs: without an authority no "
                "certificate of a client is valid; give a PEM file with those to trust"
            )
        if self.ssl_ca_certs is not None and not asks:
            raise ConfigError(
                "ssl_ca_certs does nothing where clients are not asked for a certificate: add "
                "ssl_cert_reqs (required or optional), or leave ssl_ca_certs out; intermediates "
                "of the server's own certificate belong into ssl_certfile"
            )
