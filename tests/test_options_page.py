"""docs/options.md is what the declarations say."""

from __future__ import annotations

from aiowsgi.config_sources import ALL_OPTIONS
from docs.generate_options import PAGE, render


def test_the_options_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(ALL_OPTIONS), (
        "run: python -m docs.generate_options"
    )
    for option in ALL_OPTIONS.values():
        written = option.flag if option.has_flag else f"{option.name}="
        assert f"`{written}" in render(ALL_OPTIONS)
