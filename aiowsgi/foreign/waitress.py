"""The flags of waitress-serve."""

from __future__ import annotations

from aiowsgi.foreign.flags import WAITRESS, Foreign, ignored, refused, same

_OF_THE_LOOP = "how sockets are read and written is the loop's business"

FLAGS: tuple[Foreign, ...] = (
    same("--unix-socket PATH", [WAITRESS], "uds"),
    same("--unix-socket-perms MODE", [WAITRESS], "uds_permissions"),
    same("--expose-tracebacks", [WAITRESS], "debug", "on"),
    same("--channel-timeout SECONDS", [WAITRESS], "keep_alive"),
    same("--max-request-header-size SIZE", [WAITRESS], "limit_request_head"),
    same("--outbuf-high-watermark SIZE", [WAITRESS], "response_spool"),
    ignored(
        "--recv-bytes, --send-bytes, --cleanup-interval, --asyncore-loop-timeout NUMBER",
        [WAITRESS],
        _OF_THE_LOOP,
    ),
    ignored("--asyncore-use-poll, --no-asyncore-use-poll", [WAITRESS], _OF_THE_LOOP),
    ignored(
        "--channel-request-lookahead NUMBER",
        [WAITRESS],
        "waitress.client_disconnected is always there",
    ),
    ignored(
        "--log-socket-errors, --no-log-socket-errors",
        [WAITRESS],
        "a client that leaves is no error, and everything else is logged",
    ),
    ignored("--ipv4, --ipv6", [WAITRESS], "an address says of which family it is"),
    ignored(
        "--no-expose-tracebacks",
        [WAITRESS],
        "clients are shown no traceback unless --debug says so",
    ),
    ignored(
        "--url-scheme NAME",
        [WAITRESS],
        "without TLS and without a trusted proxy it is http",
        only=["http"],
        instead="have the proxy say so, by X-Forwarded-Proto, and name it by --forwarded-allow-ips "
        "(docs/proxies.md): then it is true for each client",
    ),
    ignored(
        "--trusted-proxy-count NUMBER",
        [WAITRESS],
        "the client is the last address that no trusted proxy has",
        only=["1"],
        instead="name each of the proxies: --forwarded-allow-ips may be repeated, and takes "
        "networks",
    ),
    ignored(
        "--log-untrusted-proxy-headers, --no-log-untrusted-proxy-headers",
        [WAITRESS],
        "the first such field of a stranger is in the log",
    ),
    refused(
        "--clear-untrusted-proxy-headers, --no-clear-untrusted-proxy-headers",
        [WAITRESS],
        "the fields of strangers stay in environ and count for nothing: leave it out, and read "
        "REMOTE_ADDR, wsgi.url_scheme and HTTP_HOST instead of them",
    ),
    refused(
        "--no-ipv4, --no-ipv6",
        [WAITRESS],
        "name the addresses to listen on, such as --bind 127.0.0.1:8080 or --bind [::1]:8080",
    ),
    refused(
        "--trusted-proxy-headers NAMES",
        [WAITRESS],
        "all fields of a trusted proxy are believed: have it set or remove each of them "
        "(docs/proxies.md), and leave this out",
    ),
    refused(
        "--server-name NAME",
        [WAITRESS],
        "SERVER_NAME is the host that the client has asked for: have the proxy say which, or leave "
        "it out",
    ),
    refused(
        "--ident NAME",
        [WAITRESS],
        "--no-server-header sends none; another one is --no-server-header --header Server:NAME",
    ),
)
