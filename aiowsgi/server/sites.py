"""Config -> what operators see and where, whoever shows it: one process, or a supervisor."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import ExitStack

from aiowsgi.binds import Bind, UnixBind, parse_bind
from aiowsgi.config import Config
from aiowsgi.config_watch import path_of
from aiowsgi.errors import ConfigError
from aiowsgi.server import control, metrics, status_page
from aiowsgi.server.admin import ListeningSite
from aiowsgi.server.asked import Route, Routes
from aiowsgi.server.service import Service
from aiowsgi.server.sockets import listen
from aiowsgi.server.watched import Watched

logger = logging.getLogger("aiowsgi.error")

_BACKLOG = 64
_NAMES = {("GET", "/metrics"): "Metrics", ("GET", "/"): "Status page"}


class Sites:
    """All of them; the loop thread's."""

    def __init__(self, loop: asyncio.AbstractEventLoop, watched: Watched) -> None:
        self._loop = loop
        self._watched = watched
        self._sites: list[ListeningSite] = []

    async def open(self, config: Config, *, supervised: bool) -> None:
        """Serve what is wanted. Raises ConfigError where an address cannot be opened."""
        for bind, routes in self._wanted(config).items():
            await self._serve(bind, routes)
        if supervised and config.worker_count > 1 and config.control_socket is None:
            # Nobody has asked for it: a system where it cannot be had is served without.
            try:
                path = control.default_path()
                await self._serve(UnixBind(path, 0o600), control.routes(self._watched))
            except (OSError, ConfigError) as error:
                logger.warning("aiowsgi ctl will not find this server: %s", error)

    async def _serve(self, bind: Bind, routes: Routes) -> None:
        for listener in listen([bind], _BACKLOG):
            site = ListeningSite(self._loop, listener, routes)
            self._sites.append(site)
            await site.open()
            for page, name in _NAMES.items():
                if page in routes:
                    logger.info("%s at: %s%s", name, listener.url, page[1])

    def _wanted(self, config: Config) -> Mapping[Bind, Routes]:
        """What is to be served where; metrics and status may have one address together."""
        wanted: dict[Bind, dict[tuple[str, str], Route]] = {}
        if config.metrics is not None and path_of(config.metrics) is None:
            routes = metrics.routes(self._watched)
            wanted.setdefault(parse_bind(config.metrics), {}).update(routes)
        if config.status is not None and path_of(config.status) is None:
            routes = status_page.routes(self._watched, config, self._loop)
            wanted.setdefault(parse_bind(config.status), {}).update(routes)
        if config.control_socket:
            wanted[UnixBind(config.control_socket, 0o600)] = control.routes(self._watched)
        return wanted

    def close(self) -> None:
        """Close them all."""
        for site in self._sites:
            site.close()


async def show(config: Config, watched: Watched, service: Service, stack: ExitStack) -> None:
    """Serve what is wanted of one process until `stack` is closed. Raises ConfigError."""
    sites = Sites(service.loop, watched)
    stack.callback(sites.close)
    await sites.open(config, supervised=False)
    if service.pages is not None:
        service.pages.open(page_routes(config, watched, service.loop))


def page_routes(config: Config, watched: Watched, loop: asyncio.AbstractEventLoop) -> Routes:
    """What is shown at the addresses of clients, and say where. Raises ConfigError."""
    routes: dict[tuple[str, str], Route] = {}
    first = watched.status()["addresses"][0]
    if (path := path_of(config.metrics)) is not None:
        routes.update(metrics.routes(watched))
        logger.info("Metrics at: %s%s", first, path)
    if (path := path_of(config.status)) is not None:
        routes.update(status_page.routes(watched, config, loop))
        logger.info("Status page at: %s%s/", first, path)
    return routes
