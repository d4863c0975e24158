"""The combined format of Apache's httpd: the default, so that its lines are made by hand.

The plan of the same atoms (plan.py) would make the same line, at twice the cost.
"""

from __future__ import annotations

import binascii
from typing import Final

from aiowsgi.bridge.exchange import Exchange
from aiowsgi.errors import ProtocolError
from aiowsgi.watch.lines import Lines, Stamps, escaped, is_plain, stamp

# What nginx says of a client that left before it had any answer.
CLIENT_LEFT: Final = 499


class CombinedLines(Lines):
    """Makes combined lines; any thread."""

    def __init__(self) -> None:
        self._stamps = Stamps(stamp)

    def answered(self, exchange: Exchange) -> str:
        """The line of an exchange that is over."""
        head, writer = exchange.head, exchange.writer
        fields = head.fields
        return combined(
            self._stamps.now(),
            exchange.client,
            f"{head.method} {head.target} HTTP/{head.version}",
            CLIENT_LEFT if writer.head is None else writer.head.status,
            writer.body_bytes,
            referer=fields.get("HTTP_REFERER", ""),
            agent=fields.get("HTTP_USER_AGENT", ""),
            user=user(fields["HTTP_AUTHORIZATION"]) if "HTTP_AUTHORIZATION" in fields else "",
            printable=head.printable,
        )

    def rejected(self, client: str, error: ProtocolError, sent: int) -> str:
        """The line of a request that the server refused by itself."""
        line = error.line.decode("latin-1")
        return combined(self._stamps.now(), client, line, error.status, sent)


def combined(
    when: str,
    client: str,
    request: str,
    status: int,
    sent: int,
    *,
    referer: str = "",
    agent: str = "",
    user: str = "",
    printable: bool = False,
) -> str:
    """The line; nothing of a request forges it (S14).

    `sent` is in bytes; 0 is no status, and what is empty becomes `-`. `user` is escaped already;
    `printable` says that request, referer and agent are known to be printable ASCII.
    """
    # In one look at all of them: this is done for each request.
    if not is_plain(f"{request}{referer}{agent}", printable):
        request, referer, agent = escaped(request), escaped(referer), escaped(agent)
    return (
        f'{client or "-"} - {user or "-"} [{when}] "{request or "-"}" {status or "-"} {sent} '
        f'"{referer or "-"}" "{agent or "-"}"'
    )


def user(authorization: str) -> str:
    """The name in credentials of RFC 7617, one escaped word; empty where it is another scheme's."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        name = binascii.a2b_base64(credentials.strip()).partition(b":")[0]
    except ValueError:  # no base64, or not even ASCII
        return ""
    return escaped(name.decode("latin-1")).replace(" ", "\\x20")
