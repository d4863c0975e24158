"""LiveServer and the pytest plugin, as a test suite would use them."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import unittest
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from aiowsgi.errors import ConfigError
from aiowsgi.testing import LiveServer
from aiowsgi.wsgi.types import Environ, StartResponse
from examples.hello import app

PLUGIN = ["-m", "pytest", "-p", "no:cacheprovider", "-q"]


def test_it_serves_over_a_real_socket_until_the_block_ends() -> None:
    with LiveServer(app) as server:
        assert server.url == f"http://127.0.0.1:{server.port}"
        assert httpx.get(server.url).text == "Hello, world!\n"
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url)


def test_it_serves_from_start_to_stop_in_any_framework() -> None:
    class Case(unittest.TestCase):
        def setUp(self) -> None:
            self.server = LiveServer(app).start()
            self.addCleanup(self.server.stop)

        def runTest(self) -> None:  # noqa: N802 - unittest's name
            assert httpx.get(self.server.url).status_code == 200

    before = set(threading.enumerate())
    result = Case().run()
    assert result is not None
    assert result.wasSuccessful()
    assert set(threading.enumerate()) <= before


def test_several_serve_side_by_side_each_on_a_port_of_its_own() -> None:
    with LiveServer(app) as one, LiveServer(app) as other:
        assert one.port != other.port
        assert httpx.get(one.url).text == httpx.get(other.url).text


def test_options_are_those_of_config_by_any_name(tmp_path: Path) -> None:
    path = str(tmp_path / "live.sock")
    with LiveServer(app, bind=f"unix:{path}", url_prefix="/shop") as server:
        assert server.port == 0
        transport = httpx.HTTPTransport(uds=path)
        with httpx.Client(transport=transport) as client:
            assert client.get("http://localhost/shop/").text == "Hello, world!\n"
    with LiveServer(app, listen="127.0.0.1:0") as server:
        assert httpx.get(server.url).status_code == 200


def test_an_executor_of_the_tests_own_runs_the_application() -> None:
    def name(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [threading.current_thread().name.encode()]

    with (
        ThreadPoolExecutor(1, thread_name_prefix="mine") as executor,
        LiveServer(name, executor=executor) as server,
    ):
        assert httpx.get(server.url).text.startswith("mine")


def test_what_keeps_it_from_starting_is_raised_by_start() -> None:
    with pytest.raises(ConfigError, match="thread"):
        LiveServer(app, threads="many")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = LiveServer(app, port=taken.getsockname()[1])
        with pytest.raises(ConfigError, match="in use"):
            server.start()
        server.stop()  # nothing to do, and no error


def test_a_failure_after_the_bind_is_raised_by_start_too(tmp_path: Path) -> None:
    server = LiveServer(app, control_socket=str(tmp_path / "nowhere" / "ctl.sock"))
    with pytest.raises(ConfigError, match="nowhere"):
        server.start()
    server.stop()


def test_it_has_no_address_before_the_start() -> None:
    with pytest.raises(RuntimeError, match="no address yet"):
        _ = LiveServer(app).url


@pytest.fixture
def refused_after() -> Iterator[list[str]]:
    """Addresses where nobody may listen when the fixtures that a test names later are over."""
    urls: list[str] = []
    yield urls
    for url in urls:
        with pytest.raises(httpx.ConnectError):
            httpx.get(url)


def test_the_fixture_serves_what_a_test_asks_for_and_stops_it_when_the_test_is_over(
    refused_after: list[str], aiowsgi_server: Callable[..., LiveServer]
) -> None:
    one, other = aiowsgi_server(app), aiowsgi_server(app, root_path="/shop")
    assert httpx.get(one.url).status_code == 200
    assert httpx.get(f"{other.url}/shop/").status_code == 200
    refused_after += [one.url, other.url]


def test_the_plugin_costs_no_import_where_no_test_asks(tmp_path: Path) -> None:
    """Every pytest of an environment loads it, whatever is tested there."""
    (tmp_path / "test_it.py").write_text(
        "import sys\n"
        "def test_it():\n"
        "    assert 'aiowsgi.contrib.pytest_plugin' in sys.modules\n"
        "    assert 'aiowsgi.server.server' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, *PLUGIN, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert "1 passed" in done.stdout, done.stdout
