"""What the bridge asks of whoever turns a response into what its transport sends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from aiowsgi.http11.messages import ResponseHead


class Encoder(Protocol):
    """What turns a response into bytes (http11.encoder.ResponseEncoder).

    That of another transport may keep the head to itself, and give no bytes for it.
    """

    keep_alive: bool

    @property
    def informs(self) -> bool:
        """Whether the client can be told something before the response."""

    def identify(self, name: str, request_id: str) -> None:
        """Have the head say by this field which request it answers, unless it does itself."""

    def interim(self, status: int, fields: Sequence[tuple[str, str]]) -> bytes:
        """Make an interim response (RFC 9110 15.2)."""

    def start(self, head: ResponseHead, whole_length: int | None = None) -> bytes:
        """The head; `whole_length` where the whole body's length is known."""

    def whole(self, head: ResponseHead, blocks: Sequence[bytes]) -> list[bytes]:
        """The head, and the blocks of a body that is all there."""

    def data(self, block: bytes) -> Sequence[bytes]:
        """A block with its framing."""

    def end(self) -> bytes:
        """What follows the last block."""
