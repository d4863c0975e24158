"""What the bridge asks of whoever turns a response into what its transport sends."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from aiowsgi.http11.messages import ResponseHead


class Encoder(ABC):
    """What turns a response into bytes (encoder.ResponseEncoder).

    That of another transport may keep the head to itself, and give no bytes for it. `informs`:
    whether the client can be told something before the response; `keep_alive`: whether it can ask
    again, settled by `start`. A base class, and no protocol: what is compiled calls it directly.
    """

    __slots__ = ("informs", "keep_alive")

    informs: bool
    keep_alive: bool

    @abstractmethod
    def identify(self, line: str, name: str) -> None:
        """Have the head say by this line which request it answers, unless it does itself.

        `name` is that of the field, in lower case.
        """

    @abstractmethod
    def interim(self, status: int, fields: Sequence[tuple[str, str]]) -> bytes:
        """Make an interim response (RFC 9110 15.2)."""

    @abstractmethod
    def start(self, head: ResponseHead, whole_length: int | None = None) -> bytes:
        """The head; `whole_length` where the whole body's length is known."""

    @abstractmethod
    def whole(self, head: ResponseHead, blocks: Sequence[bytes]) -> list[bytes]:
        """The head, and the blocks of a body that is all there."""

    @abstractmethod
    def data(self, block: bytes) -> list[bytes]:
        """A block with its framing."""

    @abstractmethod
    def end(self) -> bytes:
        """What follows the last block."""
