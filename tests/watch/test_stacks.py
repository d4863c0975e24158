"""A stack in the log says where a thread is, and nothing of what it holds (S10, S13)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from aiowsgi.watch.stacks import stack_of


def test_it_begins_with_the_first_call_that_is_not_the_pools_and_has_no_values() -> None:
    entered, gate = threading.Event(), threading.Event()
    identities: list[int] = []

    def inner(password: str) -> None:
        identities.append(threading.get_ident())
        entered.set()
        gate.wait(10)

    def outer() -> None:
        inner("".join(["sec", "ret"]))

    with ThreadPoolExecutor(1) as executor:
        executor.submit(outer)
        try:
            assert entered.wait(10)
            lines = stack_of(identities[0]).splitlines()
        finally:
            gate.set()
    assert lines[0].endswith("in outer")
    assert lines[2].endswith("in inner")
    assert "in wait" in lines[-2]
    assert "secret" not in "".join(lines)


def test_a_thread_that_is_gone_has_none() -> None:
    thread = threading.Thread(target=int)
    thread.start()
    identity = thread.ident or 0
    thread.join()
    assert stack_of(identity) == ""
