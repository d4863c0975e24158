"""The values that cross the floors: a request's head, where it came from, a response's head.

Plain slots, hardly any behaviour: they are made once per request, on the hot path.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

NO_TLS: Final[Mapping[str, str]] = MappingProxyType({})


class Limits(NamedTuple):
    """How much of a request is read before it is refused; bytes, or a count; None = no limit."""

    request_line: int | None = 16 * 1024
    fields: int | None = 128
    field_size: int | None = 16 * 1024
    head: int | None = 64 * 1024
    body: int | None = 1024**3


class RequestHead:
    """Request line, header section and framing of one request (RFC 9112 2.1), already checked.

    All text is latin-1, one code point per byte. `fields` are meta-variables (fields.py), values
    without surrounding white space. Where the target is in absolute-form, its authority is the one
    HTTP_HOST (RFC 9112 3.2.2). `path` and `query` are still percent-encoded; `path` is `*` for
    asterisk-form.
    """

    __slots__ = (
        "chunked",
        "content_length",
        "expect_continue",
        "fields",
        "keep_alive",
        "method",
        "path",
        "printable",
        "query",
        "target",
        "version",
    )

    def __init__(
        self,
        method: str,
        target: str,
        path: str,
        query: str,
        version: str,
        fields: dict[str, str],
        *,
        content_length: int | None = None,
        chunked: bool = False,
        keep_alive: bool = True,
        expect_continue: bool = False,
    ) -> None:
        self.method = method
        self.target = target
        self.path = path
        self.query = query
        self.version = version  # "1.0" or "1.1"
        self.fields = fields
        self.content_length = content_length  # None where no Content-Length was sent
        self.chunked = chunked
        self.keep_alive = keep_alive
        self.expect_continue = expect_continue
        self.printable = False  # whether all of it is known to be printable ASCII

    @property
    def shown_path(self) -> str:
        """The path as it may stand in a log: printable, and without the query's secrets (S14)."""
        return ascii(self.path)[1:-1]

    def __repr__(self) -> str:
        return f"<RequestHead {self.method} {self.target!a} HTTP/{self.version}>"


class Endpoints(NamedTuple):
    """Who talks to whom: `client` and `server` as (host, port), ports as digits, and the scheme.

    A unix socket has no address: its client is ("", ""), its server (host to present, "").
    `tls` is what TLS says of the connection, as meta-variables (SSL_*), empty without it.
    `hidden`: a proxy brought somebody and did not say whom, so that `client` is the proxy itself.
    """

    client: tuple[str, str]
    server: tuple[str, str]
    scheme: str = "http"
    tls: Mapping[str, str] = NO_TLS
    hidden: bool = False


class ResponseHead:
    """Status and header section that the application gave, checked (P31, P32).

    `fields` holds what may reach the wire: `Connection` is taken out (`close` says what it said).
    `content_length` is the application's own, None where it gave none; `has_date` and `has_server`
    say whether it brought its own (P34).
    """

    __slots__ = ("close", "content_length", "fields", "has_date", "has_server", "reason", "status")

    def __init__(
        self,
        status: int,
        reason: str,
        fields: list[tuple[str, str]],
        *,
        content_length: int | None = None,
        has_date: bool = False,
        has_server: bool = False,
        close: bool = False,
    ) -> None:
        self.status = status
        self.reason = reason
        self.fields = fields
        self.content_length = content_length
        self.has_date = has_date
        self.has_server = has_server
        self.close = close

    @property
    def endless(self) -> bool:
        """Whether the response lasts as long as its client listens (HTML 9.2: event streams)."""
        for name, value in self.fields:
            if len(name) == 12 and name.lower() == "content-type":
                return value.lower().startswith("text/event-stream")
        return False

    def __repr__(self) -> str:
        return f"<ResponseHead {self.status} {self.reason}>"


class ResponseDefaults:
    """The fields that the server adds to every answer, as ready lines, each with its CRLF.

    An empty one is switched off; `lines` is all of them together.
    """

    __slots__ = ("date", "extra", "lines", "server")

    def __init__(self, server: str = "", date: str = "", extra: str = "") -> None:
        self.server = server
        self.extra = extra
        self.tell(date)

    def tell(self, date: str) -> None:
        """Replace the Date, once a second, by whoever keeps the time (H12)."""
        self.date = date
        self.lines = self.server + date + self.extra
