"""WSGIMiddleware under uvicorn and hypercorn, over HTTP/1.1 and HTTP/2, with real frameworks."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.hosts.serving import HOSTS, Hosted, hosted

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="hosts are given a descriptor")

# uvicorn speaks HTTP/1.1 only.
DOORS = [("uvicorn", False), ("hypercorn", False), ("hypercorn", True)]


Folder = pytest.TempPathFactory


@pytest.fixture(scope="module", params=HOSTS)
def mounted(request: pytest.FixtureRequest, tmp_path_factory: Folder) -> Iterator[Hosted]:
    """Eight threads, below /legacy."""
    log = tmp_path_factory.mktemp("host") / "log"
    with hosted(request.param, "tests.hosts.apps:fastapi", log) as found:
        yield found


@pytest.fixture(scope="module", params=HOSTS)
def few(request: pytest.FixtureRequest, tmp_path_factory: Folder) -> Iterator[Hosted]:
    """Two threads, bare."""
    log = tmp_path_factory.mktemp("host") / "log"
    with hosted(request.param, "tests.hosts.apps:few", log) as found:
        yield found


def versions(host: Hosted) -> list[bool]:
    return [False, True] if "hypercorn" in host.process.args else [False]  # type: ignore[operator]


def test_a_mounted_application_sees_its_mount_beside_native_views(mounted: Hosted) -> None:
    """A8, P11; A10: Cookie fields of HTTP/2 are one."""
    for http2 in versions(mounted):
        with mounted.client(http2=http2) as client:
            cookies = [("cookie", "a=1"), ("cookie", "b=2")] if http2 else [("cookie", "a=1; b=2")]
            seen = client.get("/legacy/where?q=1", headers=cookies).json()
            assert seen == {
                "SCRIPT_NAME": "/legacy",
                "PATH_INFO": "/where",
                "QUERY_STRING": "q=1",
                "SERVER_PROTOCOL": "HTTP/2" if http2 else "HTTP/1.1",
                "HTTP_COOKIE": "a=1; b=2",
            }
            assert client.get("/native").json() == {"native": "yes"}
            assert client.get("/legacy/nowhere").status_code == 404


def test_starlette_mounts_alike(tmp_path: Path) -> None:
    with hosted("uvicorn", "tests.hosts.apps:starlette", tmp_path / "log") as host:
        seen = httpx.get(f"{host.url}/legacy/where").json()
    assert (seen["SCRIPT_NAME"], seen["PATH_INFO"]) == ("/legacy", "/where")


def test_an_exit_in_a_view_is_a_500_and_the_host_goes_on(mounted: Hosted) -> None:
    """A20."""
    assert httpx.get(f"{mounted.url}/legacy/fails", timeout=30).status_code == 500
    assert httpx.get(f"{mounted.url}/legacy/where", timeout=30).status_code == 200


def blocks(size: int) -> Iterator[bytes]:
    piece = b"0123456789abcdef" * 4096
    for _ in range(size // len(piece)):
        yield piece


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
@pytest.mark.parametrize("app", ["few", "streamed"])
@pytest.mark.parametrize(("host", "http2"), DOORS)
def test_an_upload_of_100_mb_is_exact_and_memory_stays_flat(
    host: str, http2: bool, app: str, tmp_path: Path
) -> None:
    size = 100 * 1024 * 1024
    digest = hashlib.sha256()
    for block in blocks(size):
        digest.update(block)
    with (
        hosted(host, f"tests.hosts.apps:{app}", tmp_path / "log") as found,
        found.client(http2=http2) as client,
    ):
        before = found.peak()
        seen = client.post("/upload", content=blocks(size)).json()
        assert (seen["size"], seen["sha256"]) == (size, digest.hexdigest())
        # Spooled, its length is known to the application, though the client did not tell (P25).
        assert seen["length"] == (size if app == "few" else None)
        assert found.peak() - before < 40 * 1024 * 1024


def test_clients_that_do_not_read_hold_no_thread(few: Hosted) -> None:
    """S3: as many of them as there are threads; then one that reads it all, slowly."""
    ask = b"GET /download/400 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    deaf = [socket.create_connection(("127.0.0.1", few.port), 30) for _ in range(2)]
    try:
        for client in deaf:
            client.sendall(ask)
            assert client.recv(100)
        with few.client() as client2:
            assert client2.get("/pause").text == "waited"
        got = 0
        while data := deaf[0].recv(8192):
            got += len(data)
        assert got > 400 * 65536
    finally:
        for client in deaf:
            client.close()


def test_the_generator_of_a_client_that_leaves_is_closed_soon(few: Hosted) -> None:
    """A6, A7."""
    for http2 in versions(few):
        with few.client(http2=http2) as client, client.stream("GET", "/endless") as response:
            assert next(response.iter_raw())
        with few.client() as client:
            assert client.get("/closed").json() == {"closed": True}


def test_a_thousand_calls_at_once_on_eight_threads(mounted: Hosted) -> None:
    async def ask() -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", mounted.port)
        writer.write(b"GET /legacy/pause HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        return answer

    async def all_at_once() -> list[bytes]:
        return await asyncio.gather(*(ask() for _ in range(1000)))

    answers = asyncio.run(asyncio.wait_for(all_at_once(), 60))
    assert [answer.endswith(b"waited") for answer in answers] == [True] * 1000


@pytest.mark.parametrize(("host", "http2"), DOORS)
def test_somebody_logs_in_to_djangos_admin(host: str, http2: bool, tmp_path: Path) -> None:
    with (
        hosted(host, "tests.hosts.django_admin:application", tmp_path / "log") as found,
        found.client(http2=http2) as client,
    ):
        form = client.get("/admin/login/?next=/admin/")
        assert form.status_code == 200
        told = {
            "username": "alice",
            "password": "wonderland",
            "csrfmiddlewaretoken": client.cookies["csrftoken"],
            "next": "/admin/",
        }
        inside = client.post("/admin/login/", data=told)
        assert (inside.status_code, inside.headers["location"]) == (302, "/admin/")
        page = client.get("/admin/")
        assert page.status_code == 200
        assert "Site administration" in page.text
        assert client.post("/admin/login/", data={**told, "password": "no"}).status_code == 403
