"""deploy/grafana.json asks for what the server has, and for nothing else."""

from __future__ import annotations

import json
import re
from typing import Any

from aiowsgi.watch.numbers import CONNECTIONS, LOOP_LAG, MEMORY, QUEUE, RESTARTS, THREADS
from aiowsgi.watch.prometheus import Exposition
from aiowsgi.watch.tally import Tally
from tests.examples.running import ROOT


def dashboard() -> Any:
    return json.loads((ROOT / "deploy" / "grafana.json").read_text(encoding="utf-8"))


def expressions() -> list[str]:
    """The queries of all panels, with every variable set to everything."""
    found = [target["expr"] for panel in dashboard()["panels"] for target in panel["targets"]]
    for variable, value in (("$job", ".*"), ("$instance", ".*"), ("$__rate_interval", "1m")):
        found = [expression.replace(variable, value) for expression in found]
    return found


def samples() -> set[str]:
    """The name of every sample that a scrape can have."""
    numbers = Tally().numbers()
    numbers.count("requests")["GET 200"] = 1
    numbers.count(RESTARTS)
    numbers.gauges = {name: {"": 1.0} for name in (QUEUE, THREADS, CONNECTIONS, LOOP_LAG, MEMORY)}
    text, _ = Exposition(lambda: numbers).text("")
    return set(re.findall(r"^(aiowsgi_\w+)", text.decode(), flags=re.MULTILINE))


def test_every_metric_that_a_panel_asks_for_is_there() -> None:
    named = {name for each in expressions() for name in re.findall(r"aiowsgi_\w+", each)}
    assert len(named) > 8
    assert named - samples() == set()


def test_every_family_has_a_panel() -> None:
    """But for the sums and counts of histograms, and the version."""
    named = " ".join(expressions())
    families = {re.sub(r"_(bucket|sum|count|created)$", "", name) for name in samples()}
    assert {name for name in families if name not in named} == {"aiowsgi_info"}


def test_each_panel_has_an_id_of_its_own_and_a_place_of_its_own() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
