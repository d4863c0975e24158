"""TLS files that change are taken up by a server that serves: nobody is cut, the next see them."""

from __future__ import annotations

import logging
import os
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from aiowsgi.config import Config
from tests.live import Live, live
from tests.server.tls_client import (
    GET,
    authority,
    certificate,
    connect,
    pem,
    read_answer,
    refused,
    trusting,
)
from tests.server.wsgi_client import LOOPS, hello

OFTEN = {"stream_after": 0.08}  # the shortest deadline says how often a server looks: now, 0.02 s
KEPT = "New certificates cannot be used, the old ones are kept: "
TAKEN = "New certificates are in use: "


@contextmanager
def serving(folder: Path, **options: Any) -> Iterator[Live]:
    files = {"ssl_certfile": folder / "chain.pem", "ssl_keyfile": folder / "key.pem"}
    with live(hello, **{**OFTEN, **files, **options}) as server:
        yield server


def shown(server: Live, context: ssl.SSLContext | None = None) -> bytes:
    """The certificate that a new client is shown, once it has been answered."""
    with connect(server, context) as client:
        client.sendall(GET)
        assert read_answer(client) == b"hello"
        return client.getpeercert(binary_form=True) or b""


def another_look(server: Live) -> None:
    """Wait until the server has looked at its files once more."""
    service = server.server._service
    assert service is not None
    before = service.now
    server.wait(lambda: service.now > before)


def new(folder: Path) -> bytes:
    """Write a new certificate and key over what is in the folder; the certificate."""
    leaf = authority().issue_cert("localhost")
    pem(folder, leaf)
    return ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode())


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Callable[[str], list[str]]:
    caplog.set_level(logging.INFO, "aiowsgi.error")
    return lambda beginning: [each for each in caplog.messages if each.startswith(beginning)]


class Asking:
    """Clients that keep their connections and ask all the time, each on a thread of its own."""

    def __init__(self, server: Live, number: int) -> None:
        self.answers = [0] * number
        self._over = threading.Event()
        self._failures: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._ask, args=(server, each)) for each in range(number)
        ]
        for thread in self._threads:
            thread.start()

    def _ask(self, server: Live, which: int) -> None:
        try:
            with connect(server) as client:
                while not self._over.is_set():
                    client.sendall(GET)
                    assert read_answer(client) == b"hello"
                    self.answers[which] += 1
        except BaseException as error:
            self._failures.append(error)

    def moved(self) -> Callable[[], bool]:
        """Whether each has had another answer since now."""
        before = list(self.answers)
        return lambda: (
            bool(self._failures)
            or all(now > then for now, then in zip(self.answers, before, strict=True))
        )

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(20)
        assert self._failures == []


@pytest.mark.parametrize("loop", LOOPS)
def test_a_swap_under_load_cuts_nobody_and_new_clients_see_the_new_certificate(
    loop: str, tmp_path: Path
) -> None:
    """S16."""
    first = new(tmp_path)
    with serving(tmp_path, loop=loop) as server:
        asking = Asking(server, 8)
        try:
            server.wait(asking.moved())
            assert shown(server) == first
            for _ in range(3):
                wanted = new(tmp_path)
                server.wait(lambda wanted=wanted: shown(server) == wanted)  # type: ignore[misc]
                server.wait(asking.moved())  # on the connections that they had before
        finally:
            asking.end()


def test_a_handshake_that_began_before_a_swap_ends_with_what_it_began_with(tmp_path: Path) -> None:
    first = new(tmp_path)
    with serving(tmp_path) as server, server.connect() as raw:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = trusting().wrap_bio(incoming, outgoing, server_hostname="localhost")
        with pytest.raises(ssl.SSLWantReadError):
            client.do_handshake()
        raw.sendall(outgoing.read())
        incoming.write(raw.recv(65536))
        second = new(tmp_path)
        server.wait(lambda: shown(server) == second)
        while True:
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                incoming.write(raw.recv(65536))
        raw.sendall(outgoing.read())
        client.write(GET)
        raw.sendall(outgoing.read())
        assert client.getpeercert(binary_form=True) == first
        answer = b""
        while not answer.endswith(b"hello"):
            incoming.write(raw.recv(65536))
            try:
                answer += client.read(65536)
            except ssl.SSLWantReadError:  # a session ticket
                continue


@pytest.mark.parametrize(
    ("name", "broken", "why"),
    [
        ("chain.pem", b"", "has no certificate in it"),
        ("chain.pem", None, "cannot read"),
        ("key.pem", b"-----BEGIN PRIVATE KEY-----\nMIGHAgEA", "is damaged"),
        ("chain.pem", "other", "is not the key of the certificate"),
    ],
    ids=["empty", "gone", "half written", "without its key"],
)
def test_what_is_broken_leaves_the_old_certificate_and_is_told_once(
    tmp_path: Path,
    said: Callable[[str], list[str]],
    name: str,
    broken: bytes | str | None,
    why: str,
) -> None:
    first = new(tmp_path)
    with serving(tmp_path) as server:
        path = tmp_path / name
        if broken is None:
            path.unlink()
        elif broken == "other":
            path.write_bytes(certificate("other.test").cert_chain_pems[0].bytes())
        else:
            assert isinstance(broken, bytes)
            path.write_bytes(broken)
        server.wait(lambda: bool(said(KEPT)))
        for _ in range(3):
            another_look(server)
            assert shown(server) == first
        [line] = said(KEPT)
        assert why in line
        assert said(TAKEN) == []
        second = new(tmp_path)
        server.wait(lambda: shown(server) == second)
        assert said(TAKEN)[-1:] == [f"{TAKEN}{tmp_path}/chain.pem, {tmp_path}/key.pem"]


def test_a_link_turned_to_another_folder_counts_as_kubernetes_and_certbot_do_it(
    tmp_path: Path,
) -> None:
    """The files are links to `..data/...`, which is a link that is replaced in one step."""
    wanted = []
    for version in ("..1", "..2"):
        (tmp_path / version).mkdir()
        wanted.append(new(tmp_path / version))
    (tmp_path / "..data").symlink_to("..1")
    for name in ("chain.pem", "key.pem"):
        (tmp_path / name).symlink_to(f"..data/{name}")
    with serving(tmp_path) as server:
        assert shown(server) == wanted[0]
        (tmp_path / "..new").symlink_to("..2")
        os.replace(tmp_path / "..new", tmp_path / "..data")
        server.wait(lambda: shown(server) == wanted[1])


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_an_authority_that_is_trusted_no_more_is_refused_even_with_a_session_of_before(
    tmp_path: Path, version: ssl.TLSVersion
) -> None:
    new(tmp_path)
    old, other = trustme.CA(), trustme.CA()
    trusted = tmp_path / "clients.pem"
    trusted.write_bytes(old.cert_pem.bytes())
    contexts = [trusting(each.issue_cert("client.test")) for each in (old, other)]
    for context in contexts:
        context.maximum_version = version
    options = {"ssl_ca_certs": trusted, "ssl_cert_reqs": "required"}
    with serving(tmp_path, **options) as server:
        assert refused(server, contexts[1])
        with connect(server, contexts[0]) as client:
            client.sendall(GET)
            assert read_answer(client) == b"hello"
            session = client.session
        with connect(server, contexts[0], session) as client:
            client.sendall(GET)
            assert read_answer(client) == b"hello"
            assert client.session_reused
        trusted.write_bytes(other.cert_pem.bytes())
        server.wait(lambda: not refused(server, contexts[1]))
        assert refused(server, contexts[0], session)


def test_a_factory_is_asked_again_on_a_thread_of_its_own(
    tmp_path: Path, said: Callable[[str], list[str]]
) -> None:
    """What it raises is told, and leaves the context that it made before."""
    threads: list[str] = []
    faults: list[Exception] = []

    def factory(config: Config, default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
        threads.append(threading.current_thread().name)
        if faults:
            raise faults[0]
        return default()

    first = new(tmp_path)
    with serving(tmp_path, ssl_context_factory=factory) as server:
        faults.append(RuntimeError("the vault is closed"))
        second = new(tmp_path)
        server.wait(lambda: bool(said(KEPT)))
        assert shown(server) == first
        assert said(KEPT) == [f"{KEPT}RuntimeError('the vault is closed')"]
        faults.clear()
        server.wait(lambda: shown(server) == second)
    assert threads[0] != "aiowsgi-tls"
    assert set(threads[1:]) == {"aiowsgi-tls"}


def test_without_a_change_nothing_is_read_again(tmp_path: Path) -> None:
    """However many clients come, and however often the files are looked at."""
    made: list[ssl.SSLContext] = []

    def factory(config: Config, default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
        made.append(default())
        return made[-1]

    new(tmp_path)
    with serving(tmp_path, ssl_context_factory=factory) as server:
        for _ in range(5):
            another_look(server)
            shown(server)
    assert len(made) == 1
