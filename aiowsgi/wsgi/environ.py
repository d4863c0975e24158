"""A request as PEP 3333's environ: one builder for the HTTP/1.1 and the ASGI door.

The law: every CGI value is a native str that holds the bytes of the wire, one code point per byte
(P10), and nothing is in it that the client did not send or the server does not know. What is the
same for all requests is made once per server, what is the same for a connection once per
connection; a request costs one copy of that and its own keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from aiowsgi.http11.messages import Endpoints, RequestHead
from aiowsgi.wsgi.errors_stream import ErrorStream
from aiowsgi.wsgi.filewrapper import FileWrapper
from aiowsgi.wsgi.types import Environ

# RFC 9110 4.2: the port where none is in the address; SERVER_PORT may not be empty (P9).
_PORTS = {"http": "80", "https": "443"}
_PROTOCOLS = {"1.1": "HTTP/1.1", "1.0": "HTTP/1.0"}
# Field names are the client's: neither their number nor their size may fill memory (S4).
_CACHED = 1024
_CACHED_SIZE = 64
# Content-Length is what the server counted; `Proxy` would be HTTP_PROXY, an operator's setting.
_NEVER = (b"CONTENT-LENGTH", b"PROXY")
# The key that dropped fields have: one that is in each environ already, so that a single look-up
# sends them and the repeated ones out of the ordinary way.
_DROPPED = "wsgi.version"


class EnvironBuilder:
    """What the environs of one server have in common, and how the rest of each is made.

    root_path is the mount (SCRIPT_NAME), not percent-encoded; underscores keeps field names with
    `_`, which a client can use to pose as a proxy's (P12); extra are further keys for all requests,
    lower-case dotted names (P17). Any thread may use it, several at once.
    """

    __slots__ = ("_base", "_keys", "_underscores")

    def __init__(
        self,
        *,
        root_path: str = "",
        underscores: bool = False,
        multithread: bool = True,
        multiprocess: bool = False,
        software: str = "aiowsgi",
        errors: ErrorStream | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        self._underscores = underscores
        self._keys: dict[bytes, str] = {}
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

    def connection(self, endpoints: Endpoints) -> Environ:
        """Make the template of one connection; the caller may add to it (SSL_*, SCRIPT_NAME)."""
        template = self._base.copy()
        scheme = endpoints.scheme
        host, port = endpoints.server
        template["SERVER_NAME"] = host or "localhost"
        template["SERVER_PORT"] = port or _PORTS.get(scheme, "80")
        template["REMOTE_ADDR"] = endpoints.client[0]
        if endpoints.client[1]:  # a unix socket has none
            template["REMOTE_PORT"] = endpoints.client[1]
        template["wsgi.url_scheme"] = scheme
        if scheme == "https":
            template["HTTPS"] = "on"
        return template

    def build(
        self, template: Environ, head: RequestHead, body: object, content_length: int | None
    ) -> Environ:
        """Make the environ of one request: a fresh dict, the application's to change (P2).

        `content_length` is the real length of a buffered body, None where it is still on its way.
        """
        environ = template.copy()
        self._add_fields(environ, head.fields)
        environ["REQUEST_METHOD"] = head.method
        environ["REQUEST_URI"] = environ["RAW_URI"] = head.target.decode("latin-1")
        environ["QUERY_STRING"] = head.query.decode("latin-1")
        version = head.version
        environ["SERVER_PROTOCOL"] = _PROTOCOLS.get(version) or "HTTP/" + version
        environ["wsgi.input"] = body
        raw = head.path
        path = (unquote_to_bytes(raw) if b"%" in raw else raw).decode("latin-1")
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

    def _add_fields(self, environ: Environ, fields: list[tuple[bytes, bytes]]) -> None:
        """Add the header section; a repeated field is one comma-separated list (RFC 9110 5.3)."""
        keys = self._keys
        repeated: dict[str, list[str]] = {}
        for name, value in fields:
            key = keys.get(name)
            if key is None:
                key = self._key(name)
            if key not in environ:
                environ[key] = value.decode("latin-1")
            elif key in repeated:
                repeated[key].append(value.decode("latin-1"))
            elif key != _DROPPED:
                repeated[key] = [environ[key], value.decode("latin-1")]
        # Joined once at the end: 20,000 of one name cost time in proportion (A18).
        for key, values in repeated.items():
            environ[key] = ("; " if key == "HTTP_COOKIE" else ", ").join(values)

    def _key(self, name: bytes) -> str:
        """Find the environ key of a field name as it was sent, any case."""
        upper = name.upper()
        if upper == b"CONTENT-TYPE":
            key = "CONTENT_TYPE"
        elif upper in _NEVER or (b"_" in upper and not self._underscores):
            key = _DROPPED
        else:
            key = "HTTP_" + upper.replace(b"-", b"_").decode("latin-1")
        if len(name) <= _CACHED_SIZE:
            if len(self._keys) >= _CACHED:
                self._keys.clear()  # somebody makes up names: the real ones are soon back
            self._keys[name] = key
        return key


def script_name(root_path: str) -> str:
    """Bring a mount as text into the form of SCRIPT_NAME: "" or "/a/b", as bytes of UTF-8 (P10)."""
    path = root_path.strip("/")
    return "/" + path.encode("utf-8", "surrogateescape").decode("latin-1") if path else ""


def _below(script: str, path: str) -> str:
    """Cut the mount off `path` on a segment boundary; a path that is not below it stays (P11)."""
    if path.startswith(script) and path[len(script) : len(script) + 1] in ("", "/"):
        return path[len(script) :]
    return path
