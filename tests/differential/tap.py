"""A wire that listens in: it passes bytes between a front and its back and keeps a copy.

The copy is made before the bytes go on, so whoever has an answer finds here what led to it.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Wire:
    """One connection of the front to the back; its two threads write it, the test reads it."""

    def __init__(self, front: socket.socket, back: socket.socket) -> None:
        self.port = int(back.getsockname()[1])  # as the back sees its peer
        self.to_back = bytearray()
        self.to_front = bytearray()
        self._ends = (front, back)
        self._pumps = [
            threading.Thread(target=self._pump, args=(front, back, self.to_back)),
            threading.Thread(target=self._pump, args=(back, front, self.to_front)),
        ]

    def start(self) -> None:
        """Let the bytes flow."""
        for pump in self._pumps:
            pump.start()

    def _pump(self, source: socket.socket, target: socket.socket, copy: bytearray) -> None:
        try:
            while data := source.recv(65536):
                copy += data
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:  # one side is gone for good: so is the other
            self.cut()

    @property
    def ended(self) -> bool:
        """Whether both sides have closed."""
        return all(pump.ident is not None and not pump.is_alive() for pump in self._pumps)

    def forget(self) -> None:
        """Drop what was copied."""
        self.to_back.clear()
        self.to_front.clear()

    def cut(self) -> None:
        """End it both ways; the threads see that."""
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Wait for the threads, and close the sockets."""
        for pump in self._pumps:
            pump.join(10)
        for end in self._ends:
            end.close()


class Tap:
    """Listens on `port` for one front and goes on to one back."""

    def __init__(self, back: int) -> None:
        self._back = back
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.wires: list[Wire] = []
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                front = self._listener.accept()[0]
                back = socket.create_connection(("127.0.0.1", self._back))
                for end in (front, back):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                wire = Wire(front, back)
                self.wires.append(wire)  # before a byte flows that a test could miss
                wire.start()

    def drop(self, wire: Wire) -> None:
        """Close and forget a wire that has ended."""
        wire.close()
        self.wires.remove(wire)

    def close(self) -> None:
        """Stop listening, cut every wire."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._listener.close()
        for wire in self.wires:
            wire.cut()
            wire.close()


@contextmanager
def tap(back: int) -> Iterator[Tap]:
    """Listen in on what goes to the port `back` for as long as the block runs."""
    running = Tap(back)
    try:
        yield running
    finally:
        running.close()
