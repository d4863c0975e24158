"""What an application gave to start_response, checked before a byte of it can reach the wire.

The law: a ResponseHead from here is safe to serialise. Every name is a token, no value holds a
control character, all of it is latin-1 (P31), and no field in it speaks for the connection (P32).
Whatever breaks that is an ApplicationError, raised in the application, at the line that is wrong.
"""

from __future__ import annotations

import re
from typing import Final, TypeVar

from aiowsgi.errors import ApplicationError
from aiowsgi.http11.grammar import all_digits
from aiowsgi.http11.messages import ResponseHead
from aiowsgi.wsgi.types import Given

# RFC 9110 5.6.2: token.
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# PEP 3333 forbids every control character, HTAB too; RFC 9110 5.5 allows the upper half of latin-1.
_TEXT: Final = re.compile(r"[\x20-\x7e\x80-\xff]*")
# PEP 3333: "999 Message here". An empty reason is legal in RFC 9112 4; 1xx is the server's to send.
_STATUS: Final = re.compile(r"([2-9][0-9][0-9])(?: ([\x20-\x7e\x80-\xff]*))?")
# Eighteen digits of a length fit in 64 bits, so that no reader on the way overflows.
_LONGEST: Final = 18

# RFC 9110 7.6.1, and PEP 3333's "hop-by-hop".
_HOP_BY_HOP: Final = frozenset(
    {"keep-alive", "te", "trailer", "trailers", "transfer-encoding", "upgrade"}
)
# The caches of what was found good: entries, and characters of a key.
_CACHED: Final = 1024
_CACHED_SIZE: Final = 64


# The fields that say something to the server itself.
_SPEAKING: Final = frozenset({"connection", "content-length", "date", "server"})

# What a name says, per spelling: itself in lower case if it is one of those, else "".
_names: Final[dict[str, str]] = {}
_statuses: Final[dict[str, tuple[int, str]]] = {}
_Found = TypeVar("_Found")


def response_head(status: Given, headers: Given) -> ResponseHead:
    """Check what PEP 3333's start_response was given and make the head that may be sent.

    Raises ApplicationError where a rule is broken; its message says what was given. The list is
    copied: it stays the application's own, to change or use again.
    """
    known = _statuses.get(status) if type(status) is str else None
    code, reason = _status(status) if known is None else known
    if not isinstance(headers, list):
        raise ApplicationError(f"headers must be a list of tuples, not {_shown(headers)}")
    fields: list[Given] = list(headers)
    head = ResponseHead(code, reason, fields)
    to_drop = False
    for field in fields:
        if type(field) is not tuple or len(field) != 2:
            return response_head(status, _exact(headers))
        name, value = field
        if type(name) is not str or type(value) is not str:
            return response_head(status, _exact(headers))
        says = _names.get(name)
        if says is None:
            says = _name(name)
        # The two tests in C pass what is ASCII and printable; the pattern decides on the rest.
        if not (value.isascii() and value.isprintable()) and _TEXT.fullmatch(value) is None:
            raise _bad_value(name, value)
        if says and _listen(head, says, value):
            to_drop = True
    if to_drop:
        head.fields = [field for field in head.fields if field[0].lower() != "connection"]
    return head


def announce_length(head: ResponseHead, length: int) -> None:
    """Give `head` a Content-Length of `length` bytes, as if the application had sent it."""
    head.content_length = length
    head.fields.append(("Content-Length", str(length)))


def _status(status: object) -> tuple[int, str]:
    match = _STATUS.fullmatch(status) if isinstance(status, str) else None
    if match is None:
        raise ApplicationError(
            f"status must be a str like '200 OK', 200 or more, latin-1 and without control"
            f" characters, not {_shown(status)}"
        )
    found = int(match[1]), match[2] or ""
    _cache(_statuses, match[0], found)
    return found


def _exact(headers: list[Given]) -> list[tuple[str, str]]:
    """Bring subclasses of tuple and str to the plain ones, and refuse all else (P31).

    A str subclass is checked by its characters, but formats as its `__str__` says (an enum's name):
    what was checked has to be what is sent.
    """
    exact = []
    for field in headers:
        if not isinstance(field, tuple) or len(field) != 2:
            raise ApplicationError(f"a header must be a tuple (name, value), not {_shown(field)}")
        name, value = field
        if not isinstance(name, str):
            raise _bad_name(name)
        if not isinstance(value, str):
            raise _bad_value(name, value)
        exact.append((str.__str__(name), str.__str__(value)))
    return exact


def _name(name: str) -> str:
    """Check a field name; itself in lower case where it says something to the server, else ""."""
    if _TOKEN.fullmatch(name) is None:
        raise _bad_name(name)
    lower = name.lower()
    if lower in _HOP_BY_HOP or (lower.startswith("proxy-") and lower != "proxy-status"):
        # Proxy-Status (RFC 9209) is for the client; its namesakes are for the next hop.
        raise ApplicationError(
            f"the header {_shown(name)} is hop-by-hop: it belongs to the server (PEP 3333)"
        )
    says = lower if lower in _SPEAKING else ""
    _cache(_names, name, says)
    return says


def _cache(cache: dict[str, _Found], key: str, found: _Found) -> None:
    """Keep what was found; an application that makes up names may not fill memory with them."""
    if len(key) <= _CACHED_SIZE:
        if len(cache) >= _CACHED:
            cache.clear()  # the ordinary ones are soon back
        cache[key] = found


def _bad_name(name: object) -> ApplicationError:
    return ApplicationError(f"a header name must be a str and a token, not {_shown(name)}")


def _bad_value(name: str, value: object) -> ApplicationError:
    return ApplicationError(
        f"the value of {_shown(name)} must be a str, latin-1 and without control characters,"
        f" not {_shown(value)}"
    )


def _listen(head: ResponseHead, says: str, value: str) -> bool:
    """Note in `head` what a field says to the server; True if it is not for the client."""
    if says == "content-length":
        good = all_digits(value) and len(value) <= _LONGEST
        if head.content_length is not None or not good:
            raise ApplicationError(
                f"Content-Length must be given once, in digits, not {_shown(value)}"
            )
        head.content_length = int(value)
    elif says == "date":
        head.has_date = True
    elif says == "server":
        head.has_server = True
    else:
        head.close |= _says_close(value)
        return True
    return False


def _says_close(value: str) -> bool:
    """Read a Connection field: `close` is honoured, `keep-alive` says nothing new (P32)."""
    options = {option.strip(" ").lower() for option in value.split(",")}
    if not options <= {"close", "keep-alive"}:
        raise ApplicationError(
            f"Connection may only say close; the rest is the server's, not {_shown(value)}"
        )
    return "close" in options


def _shown(value: object) -> str:
    """Show what was given, short and escaped: it goes to a log (S14)."""
    text = ascii(value)
    return text if len(text) <= 80 else text[:77] + "..."
