"""The status page as a person sees it: in a real browser, light and dark, wide and on a phone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.browser import Page, browser, needs_browser
from tests.supervised import Supervised, supervised
from tests.test_ctl import client

pytestmark = [
    needs_browser,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no workers here"),
    pytest.mark.timeout(120),  # a browser on a busy machine
]


MOVES = "document.querySelectorAll('#tiles .tile').length === 8"


def status_page(server: Supervised) -> str:
    return server.log.wait(r"Status page at: (\S+)$")[1]


@pytest.fixture(scope="module")
def server() -> Iterator[Supervised]:
    args = ("--workers", "2", "--threads", "4", "--status", "127.0.0.1:0")
    with supervised(*args, "--control-socket", "off", "--graceful-timeout", "0") as server:
        yield server


@pytest.fixture(scope="module")
def page(server: Supervised, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The page, once it moves."""
    with browser(tmp_path_factory.mktemp("profile")) as page:
        page.look(1400, 1000)
        page.open(status_page(server))
        page.wait(MOVES)
        yield page


def test_it_names_the_server_and_its_processes(server: Supervised, page: Page) -> None:
    page.wait(f"document.body.innerText.includes('{server.pids[1]}')")
    text = page.text()
    assert server.url in text
    assert all(str(pid) in text for pid in server.pids)
    assert "2 workers wanted" in text
    assert page.value("document.querySelector('#live').textContent") == "live"


def test_its_charts_move_under_load(server: Supervised, page: Page) -> None:
    for _ in range(20):
        server.get()
    page.wait("parseFloat(document.querySelector('.tile b').textContent) > 0")
    page.wait("document.querySelectorAll('.tile b')[1].textContent.endsWith('s')")  # the median
    green = "document.querySelector('path.area.green').getAttribute('d')"
    before = page.wait(green)
    assert page.wait(f"{green} !== {before!r}")


def test_a_stuck_request_appears_with_its_line_of_code(server: Supervised, page: Page) -> None:
    own = (
        "[...document.querySelectorAll('#requests button')].find(e => e.innerText === 'GET /stuck')"
    )
    with closing(client(server, "/stuck?secret")):
        page.wait(f"!!{own}")
        page.value(f"{own}.click()")
        stack = page.wait("document.querySelector('#requests pre')?.textContent")
        assert "threading.Event().wait()" in stack
        text = page.text()
        assert "GET /stuck" in text
        assert "in the application" in text
        assert "secret" not in text
        page.value(f"{own}.click()")
        page.wait("!document.querySelector('#requests pre')")


def test_markup_in_a_path_is_text(server: Supervised, page: Page) -> None:
    with closing(client(server, "/stuck/<img/src=x>".replace("<", "%3C").replace(">", "%3E"))):
        page.wait("document.body.innerText.includes('/stuck/%3Cimg')")
    assert page.value("document.querySelectorAll('main img').length") == 0


@pytest.mark.parametrize("dark", [False, True])
def test_it_is_light_or_dark_as_the_system_is_and_fits_on_a_phone(
    page: Page, dark: bool, tmp_path: Path
) -> None:
    for width, height in ((1400, 1000), (390, 844)):
        page.suits(width, height, dark=dark)
        page.picture(tmp_path / "page.png")
        assert (tmp_path / "page.png").stat().st_size > 10_000
    page.look(1400, 1000)


def test_values_are_written_for_people(page: Page) -> None:
    cases = {
        "seconds(0)": "0",
        "seconds(0.00042)": "420 µs",
        "seconds(0.0009999)": "1 ms",
        "seconds(0.0229)": "22.9 ms",
        "seconds(0.9999)": "1 s",
        "seconds(7500)": "2h 5m",
        "number(15)": "15",
        "number(71.84)": "71.8",
        "number(9999.9)": "10k",
        "number(1234567)": "1.2M",
        "ceiling(0.3)": 0.5,
        "ceiling(17)": 20,
    }
    assert {each: page.value(each) for each in cases} == cases


def test_percentiles_are_those_of_the_time_since_the_last_look(page: Page) -> None:
    bounds = "[1, 2, 4]"
    assert page.value(f"percentile({bounds}, [0, 10, 0, 0], [0, 0, 0, 0], 0.5)") == 1.5
    assert page.value(f"percentile({bounds}, [9, 10, 0, 0], [9, 0, 0, 0], 0.5)") == 1.5
    assert page.value(f"percentile({bounds}, [0, 0, 0, 3], [0, 0, 0, 0], 0.5)") == 4
    assert page.value(f"percentile({bounds}, [5, 5, 0, 0], [5, 5, 0, 0], 0.5)") is None


def test_it_does_the_same_at_a_path_of_the_servers(page: Page) -> None:
    where = ("--status", "/_status", "--metrics", "/metrics", "--control-socket", "off")
    page.complaints.clear()
    with supervised("--workers", "2", *where, "--graceful-timeout", "0") as server:
        page.open(status_page(server).removesuffix("/"))
        page.wait(MOVES)
        assert page.value("location.pathname") == "/_status/"
        with closing(client(server, "/stuck")):
            page.wait("[...document.querySelectorAll('#requests button')].length === 1")
            page.value("document.querySelector('#requests button').click()")
            stack = page.wait("document.querySelector('#requests pre')?.textContent")
            assert "threading.Event().wait()" in stack
        assert page.complaints == []
        page.open("about:blank")


def test_it_has_nothing_to_complain_of_and_says_when_the_server_is_gone(
    server: Supervised, page: Page
) -> None:
    page.open(status_page(server))
    page.wait(MOVES)
    assert page.complaints == []
    with supervised("--workers", "1", "--status", "127.0.0.1:0") as other:
        page.open(status_page(other))
        page.wait("!!document.querySelector('#live.moves')")
        other.process.terminate()
        other.end()
        page.wait("document.querySelector('#live').textContent.startsWith('no answer')")
    page.complaints.clear()
    page.open(status_page(server))
    page.wait(MOVES)
