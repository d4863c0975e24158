"""The traceback page of `--debug` as a person sees it: in a real browser, wide and on a phone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from aiowsgi.wsgi.types import Environ, StartResponse
from tests.browser import Page, browser, needs_browser
from tests.live import Live, live

pytestmark = [needs_browser, pytest.mark.timeout(120)]  # a browser on a busy machine

MARKUP = "<b id=ours>bold</b><img src=x onerror='window.ran = 1'><script>window.ran = 1</script>"


class Basket:
    """What a page shows by its repr, however wide that is."""

    def __repr__(self) -> str:
        return f"<Basket of {'apples ' * 60}>"


def total(basket: Basket) -> int:
    prices = {"pear": 3}
    return prices["apple"]


def view(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    customer, basket = MARKUP, Basket()
    try:
        total(basket)
    except KeyError as error:
        raise RuntimeError(f"nothing for {customer}") from error
    return [b""]


@pytest.fixture(scope="module")
def server() -> Iterator[Live]:
    with live(view, debug=True) as running:
        yield running


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def page(server: Live, opened: Page) -> Page:
    """The page of a new request, in a wide and light window."""
    opened.complaints.clear()
    opened.look(1280, 900)
    opened.open("about:blank")
    opened.wait("location.href === 'about:blank'")
    opened.open(f"{server.url}/basket?id=7")
    opened.wait("document.readyState === 'complete' && !!document.querySelector('footer')")
    return opened


def test_it_says_what_was_raised_where_and_from_what(page: Page) -> None:
    text = page.text()
    assert "GET /basket?id=7" in text
    assert "nothing for <b id=ours>" in text
    assert "It was raised from this one" in text
    raised = page.value("[...document.querySelectorAll('h1, h2')].map(each => each.innerText)")
    assert raised == ["RuntimeError", "KeyError"]
    assert page.value("document.title").startswith("RuntimeError: nothing for")
    lines = page.value("[...document.querySelectorAll('.call[open] .now')].map(e => e.innerText)")
    assert len(lines) == 3
    assert 'return prices["apple"]' in lines[-1]


def test_values_are_shown_when_they_are_asked_for(page: Page) -> None:
    assert "'pear': 3" not in page.text()
    page.value("document.querySelectorAll('details.variables').forEach(each => each.open = true)")
    assert "{'pear': 3}" in page.text()
    assert "<Basket of apples apples" in page.text()


def test_one_click_selects_all_of_the_traceback(page: Page) -> None:
    page.value("document.querySelector('.plain').open = true")
    page.value("document.querySelector('.plain pre').scrollIntoView()")
    box = "document.querySelector('.plain pre').getBoundingClientRect()"
    place = {name: page.value(f"{box}.{name} + 20") for name in ("x", "y")}
    for kind in ("mousePressed", "mouseReleased"):
        page.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)
    chosen = page.wait("getSelection().toString()")
    assert chosen.startswith("Traceback (most recent call last):")
    assert "KeyError: 'apple'" in chosen
    assert chosen.rstrip().endswith(f"RuntimeError: nothing for {MARKUP}")


def test_nothing_in_it_runs_and_nothing_is_fetched(page: Page) -> None:
    """S13."""
    page.value("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.value("typeof window.ran") == "undefined"
    assert page.value("document.querySelectorAll('#ours, img, script').length") == 0
    assert page.value("performance.getEntriesByType('resource').length") == 0
    own = [each for each in page.complaints if "status of 500" not in each]  # which it is
    assert own == []


@pytest.mark.parametrize("dark", [False, True])
def test_it_is_light_or_dark_as_the_system_is_and_fits_on_a_phone(
    page: Page, dark: bool, tmp_path: Path
) -> None:
    page.value("document.querySelectorAll('details').forEach(each => each.open = true)")
    for width, height in ((1280, 900), (390, 844)):
        page.suits(width, height, dark=dark)
        page.picture(tmp_path / "page.png")
        assert (tmp_path / "page.png").stat().st_size > 10_000
