"""The values of RFC 7239's Forwarded and of X-Forwarded-*, each read strictly or refused.

X-Forwarded-* have no standard: the forms here are those that proxies write. Of the empty value the
callers take care; an empty member of a list is malformed, since somebody meant to say something.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote

from aiowsgi.http11 import grammar

# What X-Forwarded-For has: an address, and where its writer adds a port, IPv6 in brackets.
_ADDRESS = re.compile(
    r"([0-9.]{7,15})(?::([0-9]{1,5}))?"
    r"|\[([0-9A-Fa-f:.]{2,45})\](?::([0-9]{1,5}))?"
    r"|([0-9A-Fa-f:.]{2,45})|unknown",
    re.ASCII,
)
# RFC 7239 6: node = nodename [ ":" node-port ], nodename = IPv4address / "[" IPv6address "]" /
# "unknown" / obfnode, node-port = 1*5DIGIT / obfport; what is obfuscated begins with "_".
_NODE = re.compile(
    r"(?:([0-9.]{7,15})|\[([0-9A-Fa-f:.]{2,45})\]|unknown|_[0-9A-Za-z._-]+)"
    r"(?::(?:([0-9]{1,5})|_[0-9A-Za-z._-]+))?",
    re.ASCII,
)
# RFC 7239 4: forwarded-element = [ forwarded-pair ] *( ";" [ forwarded-pair ] ), in a list;
# forwarded-pair = token "=" ( token / quoted-string ). One pair and what ends it.
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PAIR = re.compile(
    rf"(?:({_WORD})=(?:({_WORD})"
    r'|"((?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*)"))?'
    r"(;|[ \t]*,[ \t]*|[ \t]*\Z)"
)
# Some proxies name the protocol that a WebSocket began with.
_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
# RFC 3986 3.3: path-absolute, less the comma, which is the list's.
_PATH = re.compile(r"/(?:[0-9A-Za-z._~!$&'()*+;=:@/-]|%[0-9A-Fa-f]{2})*", re.ASCII)
_DECEPTIVE = re.compile(r"//|\\|[\x00-\x1f\x7f]|/\.\.?(?:/|$)")  # search; once decoded

Node = tuple[str, str]  # address and port, each empty where it is not known
Element = dict[str, str]


class MalformedForwarded(ValueError):
    """A field of a trusted proxy that cannot be read; the words are the log's and echo nothing."""


def last(values: str) -> str:
    """The last member of a list: what the nearest proxy wrote."""
    return values.rpartition(",")[2].strip(" \t")


@lru_cache(maxsize=1024)
def address(text: str) -> Node:
    """Read a member of X-Forwarded-For."""
    match = _ADDRESS.fullmatch(text)
    if match is None:
        raise MalformedForwarded("X-Forwarded-For has no IP address in it")
    v4, port, v6, port6, bare = match.groups()
    return _node(v4 or v6 or bare, port or port6)


@lru_cache(maxsize=1024)
def node(text: str) -> Node:
    """Read the value of `for` (RFC 7239 6)."""
    match = _NODE.fullmatch(text)
    if match is None:
        raise MalformedForwarded("Forwarded has no node in `for`")
    v4, v6, port = match.groups()
    return _node(v4 or v6, port)


def _node(host: str | None, port: str | None) -> Node:
    if port and not _is_port(port):
        raise MalformedForwarded("a forwarded port is none")
    if not host:
        return "", ""
    found = grammar.address(host)
    if not found:
        raise MalformedForwarded("a forwarded address is none")
    return found, port or ""


def scheme(text: str) -> str:
    """Read what X-Forwarded-Proto or `proto` says: http or https."""
    found = _SCHEMES.get(text.lower())
    if found is None:
        raise MalformedForwarded("the forwarded protocol is neither http nor https")
    return found


def host(text: str) -> str:
    """Read what X-Forwarded-Host or `host` says, which has the form of Host (RFC 9110 7.2)."""
    if not text or not grammar.valid_host(text):
        raise MalformedForwarded("the forwarded host is none")
    return text


def port_number(text: str) -> str:
    """Read what X-Forwarded-Port says."""
    if not _is_port(text):
        raise MalformedForwarded("X-Forwarded-Port is no port")
    return text


@lru_cache(maxsize=128)
def mount(text: str) -> str:
    """Read what X-Forwarded-Prefix says, in the form of SCRIPT_NAME: decoded, without an end slash.

    An application builds links from it: what a browser would take for another host is refused.
    """
    path = unquote(text, "latin-1") if _PATH.fullmatch(text) else ""
    if not path or _DECEPTIVE.search(path):
        raise MalformedForwarded("X-Forwarded-Prefix is no path")
    return path.rstrip("/")


def elements(value: str) -> list[Element]:
    """Take a Forwarded field apart (RFC 7239 4): parameters by name, in lower case."""
    found: list[Element] = []
    element: Element = {}
    at = 0
    while True:
        match = _PAIR.match(value, at)
        if match is None:
            raise MalformedForwarded("Forwarded is not of RFC 7239's grammar")
        name, token, quoted, end = match.groups()
        if name:
            if name.lower() in element:
                raise MalformedForwarded("Forwarded has a parameter twice")
            element[name.lower()] = token or re.sub(r"\\(.)", r"\1", quoted or "")
        if end == ";":
            at = match.end()
            continue
        if not element:
            raise MalformedForwarded("Forwarded has an empty element")
        found.append(element)
        element, at = {}, match.end()
        if "," not in end:
            return found


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) <= 65535
