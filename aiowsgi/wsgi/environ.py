"""A request as PEP 3333's environ: one builder for the HTTP/1.1 and the ASGI door.

The law: every CGI value is a native str that holds the bytes of the wire, one code point per byte
(P10), and nothing is in it that the client did not send or the server does not know. What is the
same for all requests is made once per server, what is the same for a connection once per
connection; a request costs one copy of that and its own keys.

Call flow: EnvironBuilder.connection -> Template.build, request by request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote_to_bytes

from aiowsgi.http11.messages import Endpoints, RequestHead
from aiowsgi.wsgi.errors_stream import ErrorStream
from aiowsgi.wsgi.filewrapper import FileWrapper
from aiowsgi.wsgi.types import Environ

# RFC 9110 4.2: the port where none is in the address; SERVER_PORT may not be empty (P9).
PORTS: Final = {"http": "80", "https": "443"}
_PROTOCOLS: Final = {"1.1": "HTTP/1.1", "1.0": "HTTP/1.0"}


class EnvironBuilder:
    """What the environs of one server have in common, and how the rest of each is made.

    root_path is the mount (SCRIPT_NAME), not percent-encoded; extra are further keys for all
    requests, lower-case dotted names (P17). Any thread may use it, several at once.
    """

    __slots__ = ("_base",)

    def __init__(
        self,
        *,
        root_path: str = "",
        multithread: bool = True,
        multiprocess: bool = False,
        software: str = "aiowsgi",
        errors: ErrorStream | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        self._base: Environ = {
            "SERVER_SOFTWARE": software,
            "SCRIPT_NAME": script_name(root_path),
            "wsgi.version": (1, 0),
            "wsgi.errors": errors if errors is not None else ErrorStream(),
            "wsgi.multithread": multithread,
            "wsgi.multiprocess": multiprocess,
            "wsgi.run_once": False,
            "wsgi.file_wrapper": FileWrapper,
            # True of each body that we give: sized, decoded or buffered, it ends by itself (P25).
            "wsgi.input_terminated": True,
            **(extra or {}),
        }

    def connection(self, endpoints: Endpoints, first: RequestHead | None = None) -> Template:
        """Make the template of one connection; `first` is the request that it is made for."""
        return Template(self.keys(endpoints))

    def keys(self, endpoints: Endpoints) -> Environ:
        """Make the keys that all requests between these two have in common."""
        keys = self._base.copy()
        scheme = endpoints.scheme
        host, port = endpoints.server
        keys["SERVER_NAME"] = host or "localhost"
        keys["SERVER_PORT"] = port or PORTS.get(scheme, "80")
        keys["REMOTE_ADDR"] = endpoints.client[0]
        if endpoints.client[1]:  # a unix socket has none
            keys["REMOTE_PORT"] = endpoints.client[1]
        keys["wsgi.url_scheme"] = scheme
        if scheme == "https":
            keys["HTTPS"] = "on"
            keys.update(endpoints.tls)
        return keys


class Template:
    """What the environs of one connection have in common; any thread may build from it."""

    __slots__ = ("keys",)

    def __init__(self, keys: Environ) -> None:
        self.keys = keys  # whoever makes the connection may add to them (SCRIPT_NAME)

    def client(self, head: RequestHead) -> str:
        """The address of the client that sent `head`; empty for a unix socket."""
        return str(self.keys.get("REMOTE_ADDR", ""))

    def request_id(self, head: RequestHead, field: str) -> str:
        """The id that whoever is believed gave the request in a meta-variable; empty for none."""
        return ""

    def build(self, head: RequestHead, body: object, content_length: int | None) -> Environ:
        """Make the environ of one request: a fresh dict, the application's to change (P2).

        `content_length` is the real length of a buffered body, None where it is still on its way.
        """
        environ = self.keys.copy()
        environ.update(head.fields)
        environ["REQUEST_METHOD"] = head.method
        environ["REQUEST_URI"] = environ["RAW_URI"] = head.target
        environ["QUERY_STRING"] = head.query
        version = head.version
        environ["SERVER_PROTOCOL"] = _PROTOCOLS.get(version) or "HTTP/" + version
        environ["wsgi.input"] = body
        path = head.path
        if "%" in path:
            path = unquote_to_bytes(path.encode("latin-1")).decode("latin-1")
        if script := environ["SCRIPT_NAME"]:
            path = _below(script, path)
        # RFC 9112 3.3: with asterisk-form the path of the target URI is empty.
        environ["PATH_INFO"] = path if path != "*" else ""
        length = content_length
        if length is None:
            length = head.content_length
        elif head.chunked:
            # It was decoded and counted: an application must not see two framings (P25).
            environ.pop("HTTP_TRANSFER_ENCODING", None)
        elif length == 0:
            length = head.content_length  # no body at all, or one that was announced as empty
        if length is not None:
            environ["CONTENT_LENGTH"] = str(length)
        return environ


NO_TEMPLATE: Final = Template({})  # of an exchange that is over


def script_name(root_path: str) -> str:
    """Bring a mount as text into the form of SCRIPT_NAME: "" or "/a/b", as bytes of UTF-8 (P10)."""
    path = root_path.strip("/")
    return "/" + path.encode("utf-8", "surrogateescape").decode("latin-1") if path else ""


def _below(script: str, path: str) -> str:
    """Cut the mount off `path` on a segment boundary; a path that is not below it stays (P11)."""
    if path.startswith(script) and path[len(script) : len(script) + 1] in ("", "/"):
        return path[len(script) :]
    return path
