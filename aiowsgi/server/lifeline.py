"""The line between a supervisor and one worker: a pair of sockets, words that end with a newline.

A worker says that it is ready, that its loop still turns, that it wants to be replaced, or why it
does not come to serve. The supervisor says that it should retire, or that the service ends soon.
Who dies is known by the end of the line: the kernel sends it, whatever the death.
"""

from __future__ import annotations

import socket
from contextlib import suppress

READY = "ready"
BEAT = "beat"
LEAVE = "leave"
FAILED = "failed"
RETIRE = "retire"
LEAVING = "leaving"

BEAT_SECONDS = 1.0  # from one BEAT to the next


class Lifeline:
    """One end of the line; its process' main thread.

    Reading wants a socket that does not block, or one that is known to be readable.
    """

    def __init__(self, end: socket.socket) -> None:
        self.socket = end
        self.ended = False  # the other side is gone
        self._rest = b""

    def say(self, word: str, text: str = "") -> None:
        """Say a word and what goes with it; a line that is full or has ended loses it."""
        line = f"{word} {text}".encode("unicode_escape") + b"\n"  # one line, whatever the text
        with suppress(OSError):
            self.socket.sendall(line)

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
        self.socket.close()
