"""A front, a wire and a back: what a client of the front is made to suffer, and who saw what."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

from tests.differential.fronts import Front
from tests.differential.oracle import Record, in_pairs, is_own_answer, on_the_wire
from tests.differential.tap import Tap

MARKED = b"GET /marked HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
_numbers = itertools.count()


def cut(raw: bytes) -> tuple[bytes, bytes]:
    """In two, one byte behind the head, so that a front which streams begins with the body open."""
    end = raw.find(b"\r\n\r\n")
    at = end + 5 if end >= 0 else len(raw) // 2
    return raw[:at], raw[at:]


class Chain(NamedTuple):
    """The three, running; `in_two`: whether an attack comes in two pieces."""

    front: Front
    tap: Tap
    record: Record
    in_two: bool = False

    def attack(self, raw: bytes) -> bytes:
        """Send these bytes and an innocent request behind them; return all the answers."""
        whole = raw + MARKED
        return self.front.talk(*(cut(whole) if self.in_two else (whole,)), patience=0.02)

    def next_client(self) -> tuple[bytes, bytes]:
        """Another client's request, a new one each time: its target, and all that came."""
        target = b"/next/%d" % next(_numbers)
        raw = b"GET %b HTTP/1.1\r\nHost: next.example\r\nConnection: close\r\n\r\n" % target
        return target, self.front.talk(raw)

    def disagreements(self) -> Iterator[str]:
        """What front and back have read differently since `forget`."""
        for wire in list(self.tap.wires):
            yield from on_the_wire(wire, [one for one in self.record.seen if one.port == wire.port])

    def forget(self) -> None:
        """Begin anew, on the connections that are open."""
        self.tap.forget()
        self.record.seen.clear()

    def suffer(self, raw: bytes) -> list[str]:
        """Everything that is wrong when these bytes come, and then an ordinary client."""
        self.forget()
        answers = self.attack(raw)
        target, answer = self.next_client()
        wrong = [*self.disagreements(), *in_pairs(answers)]
        if not is_own_answer(answer, target):
            wrong.append(f"the next client asked for {target!r} and got {answer!r}")
        return wrong
