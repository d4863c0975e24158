"""The context that clients shake hands with, made anew when the files that it came from change.

The law: a context is made once, never changed, and exchanged as a whole. Who has begun a handshake
with one stays with it, so that no connection is lost; a session of the old one is not resumed with
the new. What cannot be read, or does not fit together, leaves the old one where it is.

The files are looked at in each sweep of the loop, by their `stat`, which follows symbolic links: so
a link that is turned to another file (certbot), or one above it in the path (Kubernetes), counts.
They are read by a thread of its own, when they were the same for two looks: certificate and key
are written one after the other. (On Windows, where the loop cannot be told to shake hands
otherwise, nothing is looked at.)
"""

from __future__ import annotations

import logging
import os
import ssl
import threading
from contextlib import suppress
from typing import TypeAlias

from aiowsgi.config import Config
from aiowsgi.errors import ConfigError
from aiowsgi.server.tls import server_context

logger = logging.getLogger("aiowsgi.error")

# Where it is, how large, since when: what differs where a file was replaced, written to, or given
# other permissions. None where it cannot be found.
Stamp: TypeAlias = "tuple[int, int, int, int, int] | None"


class Certificates:
    """The context of one server; the loop thread's, but for what `_reading` does.

    That is one thread at a time. It owns `context`, which it sets in one piece, `_good` and
    `_told`; the loop looks at the latter two only when it has ended.
    """

    def __init__(self, config: Config, context: ssl.SSLContext, stamps: list[Stamp]) -> None:
        self.context = context
        self._config = config
        self._seen = stamps  # at the last look
        self._good: list[Stamp] | None = stamps  # of what the context was made of
        self._told = ""  # what was wrong, as it was said last
        self._asked = False  # somebody wants all of it read again
        self._reading: threading.Thread | None = None

    # -- the loop thread --

    def sweep(self) -> None:
        """Look at the files; what has changed, and is still, is read."""
        if self._reading is not None and self._reading.is_alive():
            return
        stamps = _stamps(self._config)
        still, self._seen = stamps == self._seen, stamps
        if still and (self._asked or stamps != self._good):
            self._asked = False
            self._reading = threading.Thread(
                target=self._read, args=(stamps,), name="aiowsgi-tls", daemon=True
            )
            with suppress(RuntimeError):  # no thread can be started: at the next look
                self._reading.start()

    def renew(self) -> None:
        """Have all of it read again, whether a file has changed or not."""
        self._asked = True

    # -- the thread that reads --

    def _read(self, stamps: list[Stamp]) -> None:
        try:
            made = server_context(self._config)
        except Exception as error:  # a factory may raise anything
            why = str(error) if isinstance(error, ConfigError) else repr(error)
            if why != self._told:  # it is tried at each look
                logger.error("New certificates cannot be used, the old ones are kept: %s", why)
            self._good, self._told = None, why
            return
        if made is not None:
            self.context = made
        self._good, self._told = stamps, ""
        logger.info("New certificates are in use: %s", ", ".join(_files(self._config)) or "made")


def certificates(config: Config) -> Certificates | None:
    """Read what the options name; None without TLS. Raises ConfigError."""
    stamps = _stamps(config)  # before the files are read: what changes after is seen
    context = server_context(config)
    return None if context is None else Certificates(config, context, stamps)


def _files(config: Config) -> list[str]:
    named = (config.ssl_certfile, config.ssl_keyfile, config.ssl_ca_certs)
    return [path for path in named if path is not None]


def _stamps(config: Config) -> list[Stamp]:
    return [_stamp(path) for path in _files(config)]


def _stamp(path: str) -> Stamp:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
