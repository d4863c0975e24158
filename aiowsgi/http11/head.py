"""A whole head becomes a RequestHead or the answer that refuses it.

llhttp reads the head once, strictly; what it lets through and we do not is checked here (H3-H5,
H10, H11, H22). Where anything is wrong, the slow way over the same bytes finds out what to say.

llhttp need not be asked for what cannot be wrong: printable ASCII throughout, a path, field names
that it has let through before, each once, and no coding of the body. Most heads are of that kind;
for whatever else, it has the word.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from aiowsgi.errors import ProtocolError
from aiowsgi.http11.fields import FieldNames
from aiowsgi.http11.grammar import all_digits, tokens, valid_host
from aiowsgi.http11.messages import Limits, RequestHead
from aiowsgi.http11.walk import Walk, first_line, read_line

_NO_LIMIT: Final = 1 << 62
# A length of more digits is past every disk; int() of thousands of digits costs and may raise.
_MOST_DIGITS: Final = 18

# What a request means hangs on these; a second one could be taken by the next server for the first.
_SINGLE: Final = frozenset({"host", "content-length", "content-type"})


class _Nobody:
    """Whom llhttp tells what it reads: it is asked for its verdict only."""

    __slots__ = ()


_NOBODY: Final = _Nobody()


class HeadReader:
    """Reads the heads of all connections of a server; holds nothing of any of them."""

    __slots__ = ("_body", "_count", "_names", "_refuse_underscores", "_small", "limits")

    def __init__(
        self, limits: Limits, names: FieldNames | None = None, *, refuse_underscores: bool = False
    ) -> None:
        self.limits = limits
        self._names = names or FieldNames()
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
        lines = head[:-4].decode("latin-1").split("\r\n")
        first = lines.pop(0)
        line = read_line(first)
        if isinstance(line, ProtocolError):
            return self._walk(head) or line
        method, target, path, query, version, authority = line
        if len(lines) > self._count or self._refuse_underscores:
            error = self._walk(head)
            if error is not None:
                return error
        fields = None
        if target[:1] == "/" and first.isprintable() and head.isascii():
            fields = self._names.recognise(lines)
        printable = fields is not None
        if fields is None:
            if not _llhttp_takes(head):
                return self._explain(head, first, lines)
            fields = self._names.collect(lines)
            if len(fields) < len(lines) and (error := _repeated(lines, head)):
                return error
        request = RequestHead(method, target, path, query, version, fields)
        request.printable = printable
        return self._examine(request, authority, head) or request

    def walk(self) -> Walk:
        """Make what looks at a head that has not come whole yet."""
        return Walk(self.limits, refuse_underscores=self._refuse_underscores)

    def _walk(self, head: bytes) -> ProtocolError | None:
        return self.walk().look(head, whole=True)

    def _explain(self, head: bytes, first: str, lines: list[str]) -> ProtocolError:
        """Say what llhttp has refused: the first bad byte, else what the fields mean together."""
        if error := self._walk(head):
            return error
        if error := _repeated(lines, head):
            return error
        fields = FieldNames().collect(lines)  # not by those that remember what was good
        request = RequestHead("", "", "", "", first[-3:], fields)
        found = self._examine(request, "", head)
        return found or ProtocolError(400, "malformed head", first_line(head, self.limits))

    def _examine(self, request: RequestHead, authority: str, head: bytes) -> ProtocolError | None:
        """Hold line and fields together, and note what they say of body and connection."""
        fields = request.fields
        host = fields.get("HTTP_HOST")
        if host is None:
            if request.version == "1.1":
                return _refuse(400, "no Host", head)
        elif host and not valid_host(host):
            return _refuse(400, "malformed Host", head)
        if authority:
            fields["HTTP_HOST"] = authority  # RFC 9112 3.2.2: the target's word counts
        connection = fields.get("HTTP_CONNECTION", "")
        newer = request.version == "1.1"
        request.keep_alive = _stays_open(connection, newer) if connection else newer
        if (
            "HTTP_TRANSFER_ENCODING" in fields
            or "CONTENT_LENGTH" in fields
            or "HTTP_EXPECT" in fields
        ):
            return _frame(request, self._body, head)
        return None


def _llhttp_takes(head: bytes) -> bool:
    try:
        HttpRequestParser(_NOBODY).feed_data(head)
    except HttpParserUpgrade:
        pass  # H13: the head is whole all the same, and we go on in HTTP/1.1
    except HttpParserError:
        return False
    return True


def _repeated(lines: list[str], head: bytes) -> ProtocolError | None:
    """Refuse a field that may stand once and is there twice (H22)."""
    names = [name for line in lines if (name := line.partition(":")[0].lower()) in _SINGLE]
    if len(names) == len(set(names)):
        return None
    return _refuse(400, "a field that may stand once is there twice", head)


def _frame(request: RequestHead, most: int, head: bytes) -> ProtocolError | None:
    """Set how the body is framed (RFC 9112 6) and whether the client waits for a 100.

    `most` is the limit on a body that is announced, in bytes.
    """
    encoding = request.fields.get("HTTP_TRANSFER_ENCODING")
    length = request.fields.get("CONTENT_LENGTH")
    if encoding is not None:
        if length is not None:
            return _refuse(400, "Transfer-Encoding together with Content-Length", head)
        if request.version == "1.0":
            return _refuse(400, "Transfer-Encoding in HTTP/1.0", head)
        if encoding.lower() != "chunked":
            return _refuse(501, "a Transfer-Encoding that is not chunked", head)
        request.chunked = True
    elif length is not None:
        if not all_digits(length):
            return _refuse(400, "malformed Content-Length", head)
        digits = length if len(length) <= _MOST_DIGITS else length.lstrip("0")
        if len(digits) > _MOST_DIGITS or (size := int(digits or "0")) > most:
            return _refuse(413, "the body is too large", head)
        request.content_length = size
    expect = request.fields.get("HTTP_EXPECT")
    # RFC 9110 10.1.1: HTTP/1.0 knows no Expect.
    if expect is not None and request.version == "1.1":
        if expect.lower() != "100-continue":
            return _refuse(417, "unknown Expect", head)
        request.expect_continue = request.chunked or bool(request.content_length)
    return None


@lru_cache(maxsize=64)
def _stays_open(connection: str, newer: bool) -> bool:
    """RFC 9112 9.3 (H1): `close` wins, then 1.1 stays open, and 1.0 where it says keep-alive."""
    options = tokens(connection)
    return "close" not in options and (newer or "keep-alive" in options)


def _refuse(status: int, reason: str, head: bytes) -> ProtocolError:
    return ProtocolError(status, reason, head[: head.find(b"\r\n")])
