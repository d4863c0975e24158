"""The line between a supervisor and one worker: a pair of sockets, words that end with a newline.

A worker says that it is ready, that its loop still turns, what it has counted, that it wants to be
replaced, why it does not come to serve, what operators ask of it (visits.py), and at its end what
it has done. The supervisor tells it to retire, or that the service ends soon, and asks what it is
doing. Who dies is known by the end of the line: the kernel sends it, whatever the death.
"""

from __future__ import annotations

import socket

READY = "ready"
BEAT = "beat"
LAST = "last"  # how many requests it has served in its life, and how many were cut
LEAVE = "leave"
FAILED = "failed"
RETIRE = "retire"
LEAVING = "leaving"
NUMBERS = "numbers"  # what numbers.py makes of them
ASK = "ask"  # a number, and what is asked
ANSWER = "answer"  # the same number, and JSON
VISIT = "visit"  # a number, and what an operator asks
SHOW = "show"  # the same number, and some of the answer
LEFT = "left"  # the same number

BEAT_SECONDS = 1.0  # from one BEAT to the next
_MOST = 4 * 1024 * 1024  # bytes that wait for the other side to read


class Lifeline:
    """One end of the line; its process' main thread.

    Reading wants a socket that does not block, or one that is known to be readable.
    """

    def __init__(self, end: socket.socket) -> None:
        self.socket = end
        self.ended = False  # the other side is gone
        self._rest = b""
        self._unsent = bytearray()

    def say(self, word: str, text: str = "") -> None:
        """Say a word and what goes with it; a line that is full or has ended loses it.

        What the other side has no room for follows with `flush`, or with the next word.
        """
        if len(self._unsent) < _MOST:
            # One line, whatever the text.
            self._unsent += f"{word} {text}".encode("unicode_escape") + b"\n"
        self.flush()

    def flush(self) -> bool:
        """Say what could not be said before; whether all is out."""
        try:
            while self._unsent:
                del self._unsent[: self.socket.send(self._unsent)]
        except BlockingIOError:
            return False
        except OSError:
            self._unsent.clear()
        return True

    def hear(self) -> list[tuple[str, str]]:
        """Take what was said: words, each with its text."""
        data = self._rest
        try:
            while piece := self.socket.recv(65536):
                data += piece
            self.ended = True
        except BlockingIOError:
            pass
        except OSError:
            self.ended = True
        *lines, self._rest = data.split(b"\n")
        found = []
        for line in lines:
            word, _, text = line.decode("unicode_escape").partition(" ")
            found.append((word, text))
        return found

    def close(self) -> None:
        """Close this end."""
        self.ended = True
        self.socket.close()
