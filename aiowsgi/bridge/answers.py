"""The answers that the server gives in the application's stead; nothing of a request is in them."""

from __future__ import annotations

from http import HTTPStatus

from aiowsgi.http11.encoder import RETRY_AFTER
from aiowsgi.http11.messages import ResponseHead


def own_answer(status: int, text: str = "", *, close: bool) -> tuple[ResponseHead, bytes]:
    """Head and body of an answer; without `text` the body is what the status means (S13)."""
    reason = HTTPStatus(status).phrase
    body = (text or f"{reason}\n").encode()
    fields = [("Content-Type", "text/plain; charset=utf-8")]
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        fields.append(("Retry-After", RETRY_AFTER))
    return ResponseHead(status, reason, fields, close=close), body
