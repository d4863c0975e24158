"""An Output that assembles what it is given, and refuses what no client could be given.

A verified fake: test_recording.py holds it and the real encoder to the same bytes.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from aiowsgi.errors import ClientDisconnected
from aiowsgi.http11.messages import ResponseHead
from aiowsgi.wsgi.call import Call
from aiowsgi.wsgi.filewrapper import FileRegion
from aiowsgi.wsgi.types import Environ, WSGIApplication


class Recording:
    """What a client would have seen: `head`, `body`, `ended`; `log` is each call in order.

    `leave_after` is the number of calls after which the client is gone (S7); `takes_files` says
    whether it can send a file by itself.
    """

    def __init__(self, *, leave_after: int | None = None, takes_files: bool = True) -> None:
        self.head: ResponseHead | None = None
        self.body = b""
        self.ended = False
        self.log: list[tuple[str, bytes]] = []
        self._leave_after = leave_after
        self._takes_files = takes_files

    def start(self, head: ResponseHead, block: bytes) -> None:
        self._note("start", block)
        self._begin(head)
        self.body += block

    def data(self, block: bytes) -> None:
        self._note("data", block)
        assert self.head is not None, "a body without a head"
        assert not self.ended, "a body after its end"
        assert block, "an empty block would end a chunked body"
        self.body += block

    def whole(self, head: ResponseHead, blocks: Sequence[bytes]) -> None:
        self._note("whole", b"".join(blocks))
        self._begin(head)
        self.body = b"".join(blocks)
        self.ended = True

    def file(self, head: ResponseHead, file: FileRegion) -> bool:
        self._note("file", b"")
        if not self._takes_files:
            return False
        self._begin(head)
        self.body = os.pread(file.fileno, file.length, file.offset)
        self.ended = True
        return True

    def end(self) -> None:
        self._note("end", b"")
        assert self.head is not None, "an end without a head"
        assert not self.ended, "a second end"
        self.ended = True

    @property
    def calls(self) -> list[str]:
        return [name for name, _ in self.log]

    @property
    def status(self) -> int:
        assert self.head is not None
        return self.head.status

    def field(self, name: str) -> list[str]:
        assert self.head is not None
        return [value for field, value in self.head.fields if field.lower() == name]

    def _begin(self, head: ResponseHead) -> None:
        assert self.head is None, "a second head"
        self.head = head

    def _note(self, name: str, block: bytes) -> None:
        if self._leave_after is not None and len(self.log) >= self._leave_after:
            raise ClientDisconnected("the client left")
        self.log.append((name, block))


def call(
    app: WSGIApplication,
    output: Recording | None = None,
    *,
    bodiless: bool = False,
    environ: Environ | None = None,
) -> Recording:
    """Run one Call; what it sent. Errors go on."""
    output = output or Recording()
    Call(app, {} if environ is None else environ, output, bodiless=bodiless).run()
    return output
