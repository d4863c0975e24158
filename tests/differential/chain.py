"""A front, a wire and a back: what a client of the front is made to suffer, and who saw what."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

from tests.differential.fronts import Front
from tests.differential.oracle import Record, in_pairs, is_own_answer, is_settled, on_the_wire
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
        """What front and back have read differently since `settle`."""
        for wire in list(self.tap.wires):
            yield from on_the_wire(wire, self.record.on(wire))

    def settle(self) -> list[str]:
        """What has come to be wrong meanwhile; then forget what can change no more.

        A connection that the front has cut may yet bring something: it is kept until it ends.
        """
        ended = [wire for wire in self.tap.wires if wire.ended]
        wrong = list(self.disagreements())
        for wire in list(self.tap.wires):
            seen = self.record.on(wire)
            if wire in ended:
                self.tap.drop(wire)
            elif is_settled(wire, seen):
                wire.forget()
            else:
                continue
            for request in seen:
                self.record.seen.remove(request)
        return wrong

    def suffer(self, raw: bytes) -> list[str]:
        """Everything that is wrong when these bytes come, and then an ordinary client."""
        wrong = self.settle()
        answers = self.attack(raw)
        target, answer = self.next_client()
        wrong += [*self.disagreements(), *in_pairs(answers)]
        if not is_own_answer(answer, target):
            wrong.append(f"the next client asked for {target!r} and got {answer!r}")
        return wrong
