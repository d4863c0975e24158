"""Starts cheroot: its command has no TLS, and keeps 10 idle connections where others keep all.

python -m benchmarks.cheroot_server PORT THREADS KEEP_ALIVE CONNECTIONS BACKLOG [CHAIN KEY]
"""

from __future__ import annotations

import sys

from benchmarks import apps


def main(words: list[str]) -> None:
    from cheroot import wsgi
    from cheroot.ssl.builtin import BuiltinSSLAdapter

    port, threads, keep_alive, connections, backlog = map(int, words[:5])
    server = wsgi.Server(
        ("127.0.0.1", port),
        apps.wsgi,
        numthreads=threads,
        max=threads,
        request_queue_size=backlog,
        timeout=keep_alive,
    )
    server.keep_alive_conn_limit = connections
    if words[5:]:
        server.ssl_adapter = BuiltinSSLAdapter(*words[5:])
    server.safe_start()


if __name__ == "__main__":
    main(sys.argv[1:])
