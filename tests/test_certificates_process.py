"""New certificates in processes: each worker takes them up by itself, and HUP has all read anew."""

from __future__ import annotations

import signal
import socket
import ssl
import sys
from pathlib import Path

import pytest

from tests.server.tls_client import authority, pem, trusting
from tests.supervised import Output, supervised
from tests.test_cli_process import HELLO, command

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and workers of POSIX")

TAKEN = "New certificates are in use: "


def shown(url: str) -> bytes:
    """The certificate that a new client is shown."""
    host, _, port = url.removeprefix("https://").rpartition(":")
    with socket.create_connection((host, int(port)), 10) as raw:
        with trusting().wrap_socket(raw, server_hostname="localhost") as client:
            return client.getpeercert(binary_form=True) or b""


def new(folder: Path) -> tuple[list[str], bytes]:
    """Write a new certificate and key; the options that name them, and the certificate."""
    leaf = authority().issue_cert("localhost")
    chain, key = pem(folder, leaf)
    text = leaf.cert_chain_pems[0].bytes().decode()
    return ["--ssl-certfile", chain, "--ssl-keyfile", key], ssl.PEM_cert_to_DER_cert(text)


def test_every_worker_takes_up_a_new_certificate(tmp_path: Path) -> None:
    options, first = new(tmp_path)
    with supervised("--workers", "2", *options, app=HELLO) as server:
        assert shown(server.url) == first
        _, second = new(tmp_path)
        server.log.wait(TAKEN, times=2)
        assert {shown(server.url) for _ in range(10)} == {second}
        assert server.log.find("retires") == []


def test_hup_has_a_single_process_read_all_of_it_anew(tmp_path: Path) -> None:
    """Also where no file has changed: a factory may get its certificates elsewhere."""
    options, first = new(tmp_path)
    with command("--port", "0", *options, HELLO) as process:
        log = Output(process)
        url = log.wait(r"Listening at: (\S+) ")[1]
        process.send_signal(signal.SIGHUP)
        log.wait(TAKEN)
        assert shown(url) == first
