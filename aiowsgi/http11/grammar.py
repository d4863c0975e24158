"""The rules of RFC 9110 and RFC 9112 that we hold ourselves, one pattern each, the rule above it.

Patterns are used with `fullmatch`, unless their comment says `search`; over bytes where they look
at what was not yet found to be a head, over latin-1 text after that. What is not here is held by
llhttp, whose strictness `tests/http11/test_llhttp.py` pins down.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Final

# RFC 9110 5.6.2: token = 1*tchar
TCHAR: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
TOKEN: Final = re.compile(TCHAR + rb"+")

# RFC 9110 5.5: a value is VCHAR, obs-text, SP and HTAB. What must not be there (search); in a line
# that was cut at its CRLF this finds bare CR, bare LF and NUL too (RFC 9112 2.2, H7).
CONTROL: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")

# RFC 9112 5: field-line = field-name ":" OWS field-value OWS. A line that begins with white space
# is obs-fold (5.2), white space before the colon is refused (5.1): neither is a token.
FIELD_LINE: Final = re.compile(TCHAR + rb"+:[\t\x20-\x7e\x80-\xff]*")

# RFC 9112 2.3: HTTP-version = "HTTP/" DIGIT "." DIGIT
VERSION: Final = re.compile(rb"HTTP/[0-9]\.[0-9]")

# RFC 9112 3.2: request-target; llhttp's reading: any visible character of US-ASCII.
TARGET: Final = re.compile(rb"[\x21-\x7e]+")

# RFC 9112 3.2.2: absolute-form, for the schemes that we can be the origin of. The scheme's case
# does not matter (RFC 3986 3.1).
ABSOLUTE: Final = re.compile(r"https?://([^/?#]*)(/[^?]*)?(?:\?(.*))?", re.IGNORECASE | re.ASCII)

# RFC 9112 7.1: chunk-size [ chunk-ext ]; sixteen digits are 2^64 (H6).
# chunk-ext = *( ";" token [ "=" ( token / quoted-string ) ] ), as strict as llhttp: the "bad white
# space" that the grammar allows there has hidden requests.
_QUOTED: Final = rb'"(?:[\t\x20!\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"'
CHUNK_LINE: Final = re.compile(
    rb"([0-9A-Fa-f]{1,16})(?:;%b+(?:=(?:%b+|%b))?)*\r\n" % (TCHAR, TCHAR, _QUOTED)
)

# What a read may have left of it: its first bytes, enough to tell what can never become a size.
CHUNK_BEGINNING: Final = re.compile(rb"[0-9A-Fa-f]{1,16}(?:\r|;[\t\x20-\x7e\x80-\xff]*\r?)?")

# RFC 9110 7.2: Host = uri-host [ ":" port ]; RFC 3986 3.2.2: IP-literal, IPv4address, reg-name
_HOST: Final = re.compile(
    r"(?:\[(?:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*|v[0-9A-Fa-f]+\.[!$&'()*+,;=:._~0-9A-Za-z\-]+)\]"
    r"|(?:[!$&'()*+,;=._~0-9A-Za-z\-]|%[0-9A-Fa-f]{2})+)"
    r"(?::([0-9]{0,5}))?"
)
_LAST_PORT: Final = 65535

# The methods that llhttp takes (the IANA registry and WebDAV's). Any other token is a 501, and so
# are CONNECT, which asks for a tunnel, and PRI, which no HTTP/1.1 client may send (RFC 9113 3.4).
METHODS: Final = frozenset(
    (
        "ACL BIND CHECKOUT COPY DELETE GET HEAD LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR"
        " MKCOL MOVE NOTIFY OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT"
        " SEARCH SOURCE SUBSCRIBE TRACE UNBIND UNLINK UNLOCK UNSUBSCRIBE"
    ).split()
)

# H11: what we speak.
VERSIONS: Final = {"HTTP/1.1": "1.1", "HTTP/1.0": "1.0"}


def all_digits(value: str) -> bool:
    """Whether `value` is 1*DIGIT, as a Content-Length is (RFC 9110 8.6)."""
    return value.isascii() and value.isdigit()


@lru_cache(maxsize=128)
def valid_host(value: str) -> bool:
    """Whether `value` is `uri-host [":" port]` (RFC 9110 7.2); the empty value is the caller's."""
    match = _HOST.fullmatch(value)
    return match is not None and int(match[1] or 0) <= _LAST_PORT


@lru_cache(maxsize=1024)
def address(text: str) -> str:
    """The IP address in its regular form, empty where it is none; a zone (RFC 4007 11) is none.

    An IPv6 address that stands for an IPv4 one (RFC 4291 2.5.5.2) is that one.
    """
    try:
        number = ip_address(text)
    except ValueError:
        return ""
    if isinstance(number, IPv6Address):
        if number.scope_id:
            return ""
        if number.ipv4_mapped is not None:
            return str(number.ipv4_mapped)
    return str(number)


def tokens(value: str) -> list[str]:
    """The members of a comma-separated list, lower-case, empty ones left out (RFC 9110 5.6.1)."""
    return [word for part in value.lower().split(",") if (word := part.strip(" \t"))]
