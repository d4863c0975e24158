"""What a trusted proxy says of the client, RFC 7239 or X-Forwarded-*, into environ.

The law: only a peer that the operator named is believed, which is decided once per connection, and
of what it sends only what a trusted hop wrote itself (S12). So a list is read from its end: hops
that are named are passed over, and the first that is not is the client; what stands before it is
the client's own word, and nobody looks at it. `*` trusts whoever connects, but names no hop.

What cannot be read is no reason to guess: the request is refused (400). So is one that has both
families and not the same in both, since a client can always add the one that its proxy does not
set.

Call flow: ForwardedEnviron.connection -> ForwardedTemplate.build -> Told -> environ.
"""

from __future__ import annotations

import logging
import re
from typing import Final, NamedTuple

from aiowsgi.http11.messages import Endpoints, RequestHead
from aiowsgi.wsgi.environ import PORTS, EnvironBuilder, Template
from aiowsgi.wsgi.forwarded_syntax import (
    MalformedForwarded,
    Node,
    address,
    elements,
    host,
    last,
    mount,
    node,
    port_number,
    scheme,
)
from aiowsgi.wsgi.trust import UNIX, Trust
from aiowsgi.wsgi.types import Environ

logger = logging.getLogger("aiowsgi.error")

# It goes into a response, into logs, and to whatever the application calls: bounded, one word, and
# nothing that means something in a quoted string.
_is_id: Final = re.compile(r"[!#-\[\]-~]{1,200}").fullmatch

_FORWARDED: Final = "HTTP_FORWARDED"
_FOR: Final = "HTTP_X_FORWARDED_FOR"
_PROTO: Final = "HTTP_X_FORWARDED_PROTO"
_HOST: Final = "HTTP_X_FORWARDED_HOST"
_PORT: Final = "HTTP_X_FORWARDED_PORT"
_PREFIX: Final = "HTTP_X_FORWARDED_PREFIX"
_FIELDS: Final = (_FOR, _PROTO, _HOST, _PORT, _PREFIX, _FORWARDED)


class Told(NamedTuple):
    """What was said of one request; None or empty where nothing was."""

    client: Node | None = None
    scheme: str = ""
    host: str = ""
    port: str = ""
    prefix: str = ""


_NOTHING: Final = Told()


class ForwardedEnviron(EnvironBuilder):
    """Makes environs that hold what those say whom `trust` admits; for others, as `plain` does.

    Connections are the loop thread's; see Template for the rest.
    """

    __slots__ = ("_hinted", "_trust")

    def __init__(self, plain: EnvironBuilder, trust: Trust) -> None:
        self._base = plain._base
        self._trust = trust
        self._hinted = False

    def connection(self, endpoints: Endpoints, first: RequestHead | None = None) -> Template:
        """Make the template of one connection, and decide whether its peer is believed."""
        keys = self.keys(endpoints)
        if self._trust.admits(endpoints):
            return ForwardedTemplate(keys, self._trust)
        if not self._hinted and first is not None:
            self._hint(endpoints, first)
        return Template(keys)

    def _hint(self, ends: Endpoints, first: RequestHead) -> None:
        """Say once what would make a proxy's word count, where there seems to be a proxy."""
        for name in _FIELDS:
            if name in first.fields and not ends.hidden:
                self._hinted = True
                who = ends.client[0].partition("%")[0] if ends.server[1] else UNIX
                field = name.removeprefix("HTTP_").replace("_", "-").title()
                logger.warning(
                    "%s is not believed, since nobody said that %s is a proxy: if it is yours, "
                    "--forwarded-allow-ips %s says so (told once)",
                    *(field, who, who),
                )
                return


class ForwardedTemplate(Template):
    """What the environs have in common of a connection whose peer is believed."""

    __slots__ = ("_trust",)

    def __init__(self, keys: Environ, trust: Trust) -> None:
        self.keys = keys
        self._trust = trust

    def client(self, head: RequestHead) -> str:
        """The address of the client that sent `head`; the proxy's where it cannot be read."""
        try:
            told = read(head.fields, self._trust)
        except MalformedForwarded:
            return super().client(head)
        return super().client(head) if told.client is None else told.client[0]

    def request_id(self, head: RequestHead, field: str) -> str:
        """The id that the proxy gave the request; empty where it is none that may be echoed."""
        given = head.fields.get(field, "")
        return given if _is_id(given) else ""

    def build(self, head: RequestHead, body: object, content_length: int | None) -> Environ:
        """Make the environ of one request as the client asked for it.

        Raises MalformedForwarded where nobody can tell.
        """
        told = read(head.fields, self._trust)
        environ = super().build(head, body, content_length)
        if told.client is not None:
            environ["REMOTE_ADDR"] = told.client[0]
            environ.pop("REMOTE_PORT", None)
            if told.client[1]:
                environ["REMOTE_PORT"] = told.client[1]
        if told.scheme or told.host or told.port:
            _ask_for(environ, told)
        if told.prefix:  # which the proxy has cut off, so that the path has nothing of it
            environ["SCRIPT_NAME"] = told.prefix + environ["SCRIPT_NAME"]
        return environ


def read(fields: dict[str, str], trust: Trust) -> Told:
    """What the fields say, of one family or of both alike. Raises MalformedForwarded."""
    value = fields.get(_FORWARDED)
    found = _by_forwarded(value, trust) if value else None
    if (
        _FOR in fields
        or _PROTO in fields
        or _HOST in fields
        or _PORT in fields
        or _PREFIX in fields
    ):
        plain = _by_x_forwarded(fields, trust)
        if found is None:
            return plain
        if not _alike(plain, found):
            raise MalformedForwarded("Forwarded and X-Forwarded-* contradict each other")
    return _NOTHING if found is None else found


def _by_x_forwarded(fields: dict[str, str], trust: Trust) -> Told:
    """Read X-Forwarded-*; of each list but the client's, what the nearest proxy wrote counts."""
    chain = fields.get(_FOR)
    protocol, name = fields.get(_PROTO), fields.get(_HOST)
    port, prefix = fields.get(_PORT), fields.get(_PREFIX)
    return Told(
        _client(chain, trust) if chain else None,
        scheme(last(protocol)) if protocol else "",
        host(last(name)) if name else "",
        port_number(last(port)) if port else "",
        mount(last(prefix)) if prefix else "",
    )


def _client(chain: str, trust: Trust) -> Node:
    """The last who was not named; the first of all where all were."""
    found = address(last(chain))
    if "," in chain and trust.names(found[0]):
        for hop in reversed(chain.split(",")[:-1]):
            found = address(hop.strip(" \t"))
            if not trust.names(found[0]):
                break
    return found


def _by_forwarded(value: str, trust: Trust) -> Told:
    """Read RFC 7239: who wrote a client's address wrote down with it how it was asked."""
    client: Node | None = None
    element: dict[str, str] = {}
    for element in reversed(elements(value)):
        if "for" not in element:  # it does not want to say
            break
        client = node(element["for"])
        if not trust.names(client[0]):
            break
    protocol, name = element.get("proto"), element.get("host")
    return Told(
        client,
        "" if protocol is None else scheme(protocol),
        "" if name is None else host(name),
    )


def _alike(one: Told, other: Told) -> bool:
    """Whether both say the same; a port of the client is no matter."""
    who = None if one.client is None else one.client[0]
    whom = None if other.client is None else other.client[0]
    return who == whom and one[1:] == other[1:]


def _ask_for(environ: Environ, told: Told) -> None:
    """Put in what the client asked for: links are built of these, by Host or by SERVER_NAME."""
    kind = told.scheme or str(environ["wsgi.url_scheme"])
    environ["wsgi.url_scheme"] = kind
    environ.pop("HTTPS", None)
    if kind == "https":
        environ["HTTPS"] = "on"
    usual = PORTS[kind]
    authority = told.host or str(environ.get("HTTP_HOST", ""))
    name, port = _divide(authority)
    if not port:
        port = told.port or usual
        if name and port != usual:
            authority = f"{name}:{port}"
    environ["SERVER_PORT"] = port
    if name:
        environ["SERVER_NAME"] = name
        environ["HTTP_HOST"] = authority


def _divide(authority: str) -> tuple[str, str]:
    """The name and the port of a valid Host."""
    if authority.endswith("]"):
        return authority, ""
    name, colon, port = authority.rpartition(":")
    return (name, port) if colon else (authority, "")
