"""When a worker has done enough, and how much memory this process has."""

from __future__ import annotations

from typing import Any

import pytest

from aiowsgi.server.recycling import Recycling, resident_memory


def bounds(**given: Any) -> Recycling:
    none = {"requests": None, "jitter": 0, "lifetime": None, "memory": None, "resident": lambda: 0}
    return Recycling(**{**none, **given})


def test_without_bounds_it_is_never_due() -> None:
    assert bounds().due(10**9, 1e9) == ""
    assert bounds(requests=0).due(10**9, 0.0) == ""  # gunicorn's way to say never


def test_each_bound_says_what_was_reached() -> None:
    assert bounds(requests=10).due(9, 0.0) == ""
    assert bounds(requests=10).due(10, 0.0) == "it has served 10 requests"
    assert bounds(lifetime=60.0).due(0, 59.9) == ""
    assert bounds(lifetime=60.0).due(0, 60.0) == "it is 60s old"
    assert bounds(memory=2**20, resident=lambda: 2**20).due(0, 0.0) == ""
    assert bounds(memory=2**20, resident=lambda: 3 * 2**20).due(0, 0.0) == "it holds 3 MiB"


def test_the_jitter_is_drawn_once_for_each_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.randbelow", {6: 3}.__getitem__)  # of 0 to 5
    worker = bounds(requests=10, jitter=5)
    assert (worker.due(12, 0.0), worker.due(13, 0.0)) == ("", "it has served 13 requests")


def test_resident_memory_is_that_of_this_process() -> None:
    before = resident_memory()
    assert 2**20 < before < 2**40
    held = bytearray(b"x" * 64 * 2**20)
    assert resident_memory() > before + 32 * 2**20
    del held


def test_without_proc_it_is_the_most_that_there_was(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: object, **__: object) -> None:
        raise FileNotFoundError

    now = resident_memory()
    monkeypatch.setattr("builtins.open", nothing)
    assert resident_memory() >= now // 2
