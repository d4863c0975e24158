"""Who comes to the server in the soak: people that want answers, and those that want harm.

Each is a coroutine over one connection. The good check every byte of every answer: what is not as
it must be raises WrongAnswerError. The bad leave whenever they like, unless the server cuts them.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from benchmarks.soak_apps import EVENT, expected

PATIENCE = 60.0  # seconds for one right answer, on a machine that is busy
THINKING = 2.0  # seconds between two requests, at most
BUFFER = 4096  # of those that read too slowly
LARGE = 2 * 1024 * 1024
HEAD = "POST /?{name} HTTP/1.1\r\nHost: localhost\r\nX-Pad: {pad}\r\nX-How: {how}\r\n{framing}\r\n"
UPLOAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"


class WrongAnswerError(Exception):
    """The server gave somebody else's answer, a part of one, or none."""


@dataclass
class Line:
    """One connection and what is needed to use it; `patience` is how long a bad client stays."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    seeded: random.Random
    name: str
    patience: float
    answers: int = 0

    @property
    def ended(self) -> bool:
        """Whether the server has closed or cut it; the deaf do not see that."""
        return self.reader.at_eof() or self.writer.transport.is_closing()

    def close(self) -> None:
        """Leaves: in order, or abruptly as a process does that was killed."""
        if self.seeded.random() < 0.5:
            self.writer.transport.abort()
        self.writer.close()

    async def wait(self) -> None:
        """As long as a bad client stays, or until the server has enough of it."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.reader.read(), self.seeded.random() * self.patience)


Person = Callable[[Line], Awaitable[None]]


async def connect(port: int, seeded: random.Random, name: str, patience: float) -> Line:
    """Opens a connection; a third of all have the smallest of buffers."""
    sock = socket.socket()
    if seeded.random() < 1 / 3:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    sock.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        reader, writer = await asyncio.open_connection(sock=sock)
    except BaseException:
        sock.close()
        raise
    return Line(reader, writer, seeded, name, patience)


# -- the good --


def request(line: Line, number: int) -> tuple[bytes, bytes]:
    """A request of any kind and what its answer must be."""
    seeded, name = line.seeded, f"{line.name}-{number}"
    body = seeded.randbytes(seeded.choice([0, 0, 1, 100, 5_000, 70_000]))
    pad = seeded.choice([0, 10, 3_000, 100_000])
    how = seeded.choice(["list", "blocks", "file"])
    if seeded.random() < 0.5:
        framing, wire = f"Content-Length: {len(body)}\r\n", body
    else:
        framing = "Transfer-Encoding: chunked\r\n"
        pieces = [body[at : at + 9_999] for at in range(0, len(body), 9_999)]
        wire = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    head = HEAD.format(name=name, pad=pad, how=how, framing=framing)
    return head.encode() + wire, expected(name, body, pad)


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """One response by its framing: status and body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    status, length = int(head.split(" ", 2)[1]), None
    for field in head.split("\r\n")[1:]:
        name, _, value = field.partition(":")
        if name == "content-length":
            length = int(value)
    if length is not None:
        return status, await reader.readexactly(length)
    body = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readexactly(2)
    return status, body


async def visitor(line: Line) -> None:
    """Some requests on one connection, at times several in one packet; each answer is checked."""
    for turn in range(line.seeded.randrange(1, 8)):
        together = line.seeded.choice([1, 1, 1, 3])
        pairs = [request(line, turn * 10 + number) for number in range(together)]
        line.writer.write(b"".join(raw for raw, _ in pairs))
        for _, wanted in pairs:
            try:
                status, body = await asyncio.wait_for(read_answer(line.reader), PATIENCE)
            except (asyncio.TimeoutError, OSError, EOFError, ValueError) as error:
                raise WrongAnswerError(f"no answer: {error!r}") from error
            if (status, body) != (200, wanted):
                raise WrongAnswerError(f"{status} {body[:80]!r}, not {wanted[:80]!r}")
            line.answers += 1
        await asyncio.sleep(line.seeded.random() * THINKING)


async def failure(line: Line) -> None:
    """A view that fails: 500, or an answer that is visibly cut."""
    late = line.seeded.random() < 0.5
    line.writer.write(b"GET /fail%b HTTP/1.1\r\nHost: a\r\n\r\n" % (b"?late" if late else b""))
    try:
        status, _ = await asyncio.wait_for(read_answer(line.reader), PATIENCE)
    except (asyncio.TimeoutError, OSError, EOFError, ValueError) as error:
        if late and isinstance(error, (EOFError, ConnectionError)):
            return
        raise WrongAnswerError(f"no 500: {error!r}") from error
    if late or status != 500:
        raise WrongAnswerError(f"{status} from a view that fails, late: {late}")
    line.answers += 1


async def listener(line: Line) -> None:
    """Some events of a stream without end, then it has heard enough."""
    line.writer.write(b"GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
    try:
        for _ in range(line.seeded.randrange(1, 8)):
            await asyncio.wait_for(line.reader.readuntil(EVENT), PATIENCE)
    except (asyncio.TimeoutError, OSError, EOFError) as error:
        raise WrongAnswerError(f"a stream that ends: {error!r}") from error
    line.answers += 1


# -- the bad --


async def idler(line: Line) -> None:
    await line.wait()


async def half_head(line: Line) -> None:
    line.writer.write(request(line, 0)[0][: line.seeded.randrange(1, 60)])
    await line.wait()


async def staller(line: Line) -> None:
    """Stops in the midst of its body."""
    line.writer.write(UPLOAD + b"x" * 70_000)
    await line.wait()


async def slow_upload(line: Line) -> None:
    """A byte a second."""
    line.writer.write(UPLOAD)
    for _ in range(line.seeded.randrange(1, 2 + int(line.patience))):
        if line.ended:
            return
        line.writer.write(b"x")
        await asyncio.sleep(1)


async def deaf(line: Line) -> None:
    """Asks for much, and does not read."""
    how = line.seeded.choice(["list", "blocks", "file"])
    head = HEAD.format(name=line.name, pad=LARGE, how=how, framing="Content-Length: 0\r\n")
    line.writer.write(head.encode())
    line.writer.transport.pause_reading()  # type: ignore[attr-defined]
    await asyncio.sleep(line.seeded.random() * line.patience)


async def departed(line: Line) -> None:
    """Leaves in the midst of its request or of the answer."""
    raw = request(line, 0)[0]
    line.writer.write(raw[: line.seeded.randrange(1, len(raw) + 1)])
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(line.reader.read(100), 0.1)


async def noise(line: Line) -> None:
    """No HTTP at all: refused, or closed without a word, but no fault of the server's."""
    line.writer.write(line.seeded.randbytes(line.seeded.randrange(1, 2_000)) + b"\r\n\r\n")
    with contextlib.suppress(asyncio.TimeoutError):
        said = await asyncio.wait_for(line.reader.read(12), line.patience)
        if said.startswith(b"HTTP/1.1 5") and not said.startswith(b"HTTP/1.1 505"):
            raise WrongAnswerError(f"noise was answered with {said!r}")


GOOD: tuple[tuple[Person, int], ...] = ((visitor, 50), (failure, 2), (listener, 4))
BAD: tuple[tuple[Person, int], ...] = (
    (idler, 8),
    (half_head, 8),
    (staller, 6),
    (slow_upload, 6),
    (deaf, 6),
    (departed, 6),
    (noise, 4),
)
