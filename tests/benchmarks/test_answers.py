"""The check before a measurement sees a wrong answer, and both applications give the right ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks import apps, asgi_apps, client, workloads
from benchmarks.workloads import WAITS, Kind, Workload
from tests.live import live

SERVED = [workload for workload in workloads.ALL if workload.kind is Kind.REQUESTS]


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * workloads.FILE_SIZE)
    monkeypatch.setenv(apps.FILE_VARIABLE, str(path))


def test_every_workload_gets_its_right_answer() -> None:
    with live(apps.wsgi) as server:
        for workload in SERVED:
            client.check(workload, server.port)


@pytest.mark.parametrize("workload", SERVED, ids=lambda workload: workload.name)
async def test_the_native_asgi_application_answers_the_same(workload: Workload) -> None:
    if workload.needs == WAITS:
        pytest.skip("the ASGI application sits this out")
    app: Any = asgi_apps.native  # httpx wants mappings where the application is given dicts
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://bench") as asked:
        method = "POST" if workload.body else "GET"
        answer = await asked.request(method, workload.paths[0], content=b"x" * workload.body)
    assert (answer.status_code, len(answer.content)) == (200, workload.length)
    assert not workload.body or answer.text == str(workload.body)


def failing(environ: dict[str, Any], start_response: apps.Start) -> list[bytes]:
    start_response("500 Internal Server Error", [])
    return [apps.HELLO]


def shorter(environ: dict[str, Any], start_response: apps.Start) -> list[bytes]:
    return apps.answer(start_response, apps.HELLO[1:])


@pytest.mark.parametrize(("app", "told"), [(failing, "500 for /"), (shorter, "13 bytes for /")])
def test_a_wrong_answer_is_seen_before_anything_is_measured(app: Any, told: str) -> None:
    with live(app) as server, pytest.raises(client.WrongAnswerError, match=told):
        client.check(Workload("w", ""), server.port)


def test_idle_connections_that_were_dropped_are_seen() -> None:
    with live(apps.wsgi) as server:
        idle = client.Idle(server.port)
        idle.add(3)
        idle.ask_again()
    with pytest.raises(client.WrongAnswerError, match="were not kept"):
        idle.ask_again()
    idle.close()
