"""The oracle sees what it is there to see: with backs that have a known fault, it speaks up."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack

import pytest

from tests.differential.attacks import HIDDEN
from tests.differential.chain import Chain
from tests.differential.credulous import Belief, credulous
from tests.differential.fronts import SECRET, installed
from tests.differential.naive import Fault, naive
from tests.differential.oracle import Record, on_the_wire, third_reading
from tests.differential.tap import tap
from tests.differential.test_fronts import FRONTS, Start
from tests.live import live, read_all

REAL = {name: (program, start) for program, name, start in FRONTS}
CHUNKED = (
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"
    % (
        len(HIDDEN),
        HIDDEN,
    )
)
GET = b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (len(HIDDEN), HIDDEN)
TWO_LENGTHS = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: %d\r\n\r\n%b" % (
    len(HIDDEN),
    HIDDEN,
)
CL_TE = (
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\nTransfer-Encoding: xchunked\r\n\r\n"
    b"0\r\n\r\n%b"
) % (len(HIDDEN) + 5, HIDDEN)
TE_CL = (
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: xchunked\r\n\r\n"
    b"%x\r\n%b\r\n0\r\n\r\n"
) % (len(HIDDEN), HIDDEN)


def suffer(start: Start, fault: Fault, raw: bytes) -> list[str]:
    """What is wrong behind this front; given time, since a bad back may go on after its answer."""
    record = Record()
    with ExitStack() as stack:
        wires = stack.enter_context(tap(stack.enter_context(naive(record, fault)).port))
        chain = Chain(stack.enter_context(start(wires.port)), wires, record, in_two=True)
        wrong = chain.suffer(raw)
        deadline = time.monotonic() + 5
        while not wrong and fault is not Fault.NONE and time.monotonic() < deadline:
            time.sleep(0.005)
            wrong = list(chain.disagreements())
    return wrong


CAUGHT = [
    ("nginx, streaming", Fault.NO_CHUNKS, CHUNKED, "never sent"),
    ("haproxy", Fault.NO_CHUNKS, CHUNKED, "never sent"),
    ("nginx", Fault.NO_BODY_OF_GET, GET, "never sent"),
    ("nginx, streaming", Fault.NO_BODY_OF_GET, GET, "never sent"),
    ("haproxy", Fault.NO_BODY_OF_GET, GET, "never sent"),
    ("nginx", Fault.LATE_ANSWERS, GET, "the answer to another request"),
    ("haproxy", Fault.LATE_ANSWERS, GET, "the answer to another request"),
    ("nginx", Fault.LOSES_BYTES, CHUNKED, "on the wire"),
    ("haproxy", Fault.LOSES_BYTES, CHUNKED, "on the wire"),
]


@pytest.mark.parametrize(
    ("front", "fault", "raw", "complaint"),
    CAUGHT,
    ids=[f"{one[0]}, {one[1].name}" for one in CAUGHT],
)
def test_a_bad_back_is_caught_behind_a_real_front(
    front: str, fault: Fault, raw: bytes, complaint: str
) -> None:
    program, start = REAL[front]
    if not installed(program):
        pytest.skip(f"{program} is not installed")
    assert complaint in " ".join(suffer(start, fault, raw))


@pytest.mark.parametrize("raw", [CHUNKED, GET], ids=["chunked", "sized"])
@pytest.mark.parametrize("front", REAL)
def test_a_good_back_is_not_complained_of(front: str, raw: bytes) -> None:
    program, start = REAL[front]
    if not installed(program):
        pytest.skip(f"{program} is not installed")
    assert suffer(start, Fault.NONE, raw) == []


@pytest.mark.parametrize(
    ("belief", "fault", "raw"),
    [
        (Belief.LAST_LENGTH, Fault.FIRST_LENGTH, TWO_LENGTHS),
        (Belief.FIRST_LENGTH, Fault.ANY_ENCODING, CL_TE),
        (Belief.LAST_LENGTH, Fault.NO_BODY_OF_GET, GET),
        (Belief.CHUNKED, Fault.NONE, TE_CL),
    ],
)
def test_two_readings_of_one_request_are_caught_behind_a_credulous_front(
    belief: Belief, fault: Fault, raw: bytes
) -> None:
    assert "never sent" in " ".join(suffer(lambda back: credulous(back, belief), fault, raw))


def directly(port: int, record: Record, raw: bytes) -> list[str]:
    """What is wrong when these bytes come with one stamp, without any front."""
    with tap(port) as wires:
        stamp = b"\r\nX-Front: %b/1 POST / a\r\n" % SECRET.encode()
        with socket.create_connection(("127.0.0.1", wires.port), 10) as client:
            client.sendall(raw.replace(b"\r\n", stamp, 1))
            client.shutdown(socket.SHUT_WR)
            read_all(client)
        return [wrong for wire in wires.wires for wrong in on_the_wire(wire, record.seen)]


@pytest.mark.parametrize(
    ("fault", "raw"),
    [
        (Fault.NO_CHUNKS, CHUNKED),
        (Fault.FIRST_LENGTH, TWO_LENGTHS),
        (Fault.ANY_ENCODING, CL_TE),
        (Fault.NONE, TE_CL),
    ],
)
def test_a_hidden_request_is_caught_without_a_front_and_not_seen_by_aiowsgi(
    fault: Fault, raw: bytes
) -> None:
    record = Record()
    with naive(record, fault) as back:
        assert "never sent" in " ".join(directly(back.port, record, raw))
    record = Record()
    with live(record) as server:
        assert directly(server.port, record, raw) == []


def test_a_third_reader_tells_whole_bodies_from_others() -> None:
    whole = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
    assert list(third_reading(whole + CHUNKED + whole[:-1])) == [b"hi", HIDDEN, None]
