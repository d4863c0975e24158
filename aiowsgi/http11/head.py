"""A whole head becomes a RequestHead or the answer that refuses it.

llhttp reads the head once, strictly; what it lets through and we do not is checked here (H3-H5,
H10, H11, H22). Where anything is wrong, the slow way over the same bytes finds out what to say.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from aiowsgi.errors import ProtocolError
from aiowsgi.http11.grammar import DIGITS, tokens, valid_host
from aiowsgi.http11.messages import Limits, RequestHead
from aiowsgi.http11.walk import RequestLine, Walk, first_line, read_line

Field = tuple[bytes, bytes]

_NO_LIMIT: Final = 1 << 62
# A length of more digits is past every disk; int() of thousands of digits costs and may raise.
_MOST_DIGITS: Final = 18

# What a request means and how it is framed hangs on these; all others pass unread.
_HOST, _LENGTH, _TYPE = b"host", b"content-length", b"content-type"
_ENCODING, _CONNECTION, _EXPECT = b"transfer-encoding", b"connection", b"expect"
_SINGLE: Final = frozenset({_HOST, _LENGTH, _TYPE})
_READ: Final = _SINGLE | {_ENCODING, _CONNECTION, _EXPECT}


class _Fields(list[Field]):
    """Where llhttp puts the fields; made anew for each head, so nothing of one reaches the next."""

    __slots__ = ()

    def on_header(self, name: bytes, value: bytes) -> None:
        self.append((name, value))


class HeadReader:
    """Reads the heads of one connection; holds nothing of any of them."""

    __slots__ = ("_body", "_count", "_limits", "_refuse_underscores", "_small")

    def __init__(self, limits: Limits, *, refuse_underscores: bool) -> None:
        self._limits = limits
        self._refuse_underscores = refuse_underscores
        self._body = _NO_LIMIT if limits.body is None else limits.body
        self._count = _NO_LIMIT if limits.fields is None else limits.fields
        # A head of this size can break none of the three limits on lengths.
        given = (limits.head, limits.request_line, limits.field_size)
        self._small = min(_NO_LIMIT if limit is None else limit for limit in given)

    def read(self, head: bytes) -> RequestHead | ProtocolError:
        """Read a head: all bytes from the request line to the empty line."""
        if len(head) > self._small and (error := self._walk(head)):
            return error
        line = read_line(head[: head.find(b"\r\n")])
        if isinstance(line, ProtocolError):
            return self._walk(head) or line
        fields = _Fields()
        try:
            HttpRequestParser(fields).feed_data(head)
        except HttpParserUpgrade:
            pass  # H13: the head is whole all the same, and we go on in HTTP/1.1
        except HttpParserError:
            return self._explain(head, line)
        if len(fields) > self._count or self._refuse_underscores:
            error = self._walk(head)
            if error is not None:
                return error
        # H18: a search for one byte is far cheaper than one for three; a tab is rare.
        if b"\t" in head or b" \r\n" in head:
            _strip(fields)
        return _examine(line, fields, self._body, head)

    def _walk(self, head: bytes) -> ProtocolError | None:
        walk = Walk(self._limits, refuse_underscores=self._refuse_underscores)
        return walk.look(head, whole=True)

    def _explain(self, head: bytes, line: RequestLine) -> ProtocolError:
        """Say what llhttp has refused: the first bad byte, else what the fields mean together."""
        if error := self._walk(head):
            return error
        fields = [_split(text) for text in head[:-4].split(b"\r\n")[1:]]
        found = _examine(line, fields, self._body, head)
        if isinstance(found, ProtocolError):
            return found
        return ProtocolError(400, "malformed head", first_line(head, self._limits))


def _split(text: bytes) -> Field:
    name, _, value = text.partition(b":")
    return name, value.strip(b" \t")


def _strip(fields: list[Field]) -> None:
    """Take white space off the ends of values (H18): llhttp takes it off the beginnings only."""
    fields[:] = [(name, value.strip(b" \t")) for name, value in fields]


def _examine(
    line: RequestLine, fields: list[Field], most: int, head: bytes
) -> RequestHead | ProtocolError:
    """Hold line and fields together; `most` is the limit on a body that is announced."""
    seen: dict[bytes, bytes] = {}
    for name, value in fields:
        key = name.lower()
        if key in _READ:
            if key in seen:
                if key in _SINGLE:
                    return _refuse(400, "a field that may stand once is there twice", head)
                value = seen[key] + b", " + value  # noqa: PLW2901 - a list goes on (RFC 9110 5.3)
            seen[key] = value
    method, target, path, query, version, authority = line
    host = seen.get(_HOST)
    if host is None:
        if version == "1.1":
            return _refuse(400, "no Host", head)
    elif host and not valid_host(host):
        return _refuse(400, "malformed Host", head)
    if authority:
        fields = _with_host(fields, authority)
    connection = seen.get(_CONNECTION)
    request = RequestHead(method, target, path, query, version, fields)
    request.keep_alive = (
        version == "1.1" if connection is None else _stays_open(connection, version)
    )
    if len(seen) > (host is not None) + (connection is not None):
        return _frame(request, seen, most, head) or request
    return request


def _frame(
    request: RequestHead, seen: dict[bytes, bytes], most: int, head: bytes
) -> ProtocolError | None:
    """Set how the body is framed (RFC 9112 6) and whether the client waits for a 100."""
    encoding, length = seen.get(_ENCODING), seen.get(_LENGTH)
    if encoding is not None:
        if length is not None:
            return _refuse(400, "Transfer-Encoding together with Content-Length", head)
        if request.version == "1.0":
            return _refuse(400, "Transfer-Encoding in HTTP/1.0", head)
        if encoding.lower() != b"chunked":
            return _refuse(501, "a Transfer-Encoding that is not chunked", head)
        request.chunked = True
    elif length is not None:
        if not DIGITS.fullmatch(length):
            return _refuse(400, "malformed Content-Length", head)
        digits = length.lstrip(b"0")
        if len(digits) > _MOST_DIGITS or int(digits or b"0") > most:
            return _refuse(413, "the body is too large", head)
        request.content_length = int(digits or b"0")
    expect = seen.get(_EXPECT)
    # RFC 9110 10.1.1: HTTP/1.0 knows no Expect.
    if expect is not None and request.version == "1.1":
        if expect.lower() != b"100-continue":
            return _refuse(417, "unknown Expect", head)
        request.expect_continue = request.chunked or bool(request.content_length)
    return None


@lru_cache(maxsize=64)
def _stays_open(connection: bytes, version: str) -> bool:
    """RFC 9112 9.3 (H1): `close` wins, then 1.1 stays open, and 1.0 where it says keep-alive."""
    options = tokens(connection)
    return b"close" not in options and (version == "1.1" or b"keep-alive" in options)


def _with_host(fields: list[Field], authority: bytes) -> list[Field]:
    """Put the target's authority in the place of Host (RFC 9112 3.2.2)."""
    others = [field for field in fields if field[0].lower() != _HOST]
    return [(b"Host", authority), *others]


def _refuse(status: int, reason: str, head: bytes) -> ProtocolError:
    return ProtocolError(status, reason, head[: head.find(b"\r\n")])
