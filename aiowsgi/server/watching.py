"""Watching: what a supervisor shows to its operator, beside its own work and on its one thread.

Call flow: a client -> SideLoop -> Sites -> Overview -> a worker is asked; it answers -> heard ->
Overview -> the client. Whoever asks at the addresses of clients comes through a worker: heard ->
Visits -> Overview -> the worker -> the client.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aiowsgi.server.child import Child
from aiowsgi.server.overview import Overview
from aiowsgi.server.side_loop import SideLoop
from aiowsgi.server.sites import Sites, page_routes
from aiowsgi.server.visits import Visits
from aiowsgi.server.workers import Workers


class Watching:
    """The sites of a supervisor; `fileno` becomes readable when a client wants something."""

    def __init__(
        self, workers: Workers, addresses: list[str], acts: Mapping[str, Callable[[str], None]]
    ) -> None:
        self._workers = workers
        self._overview = Overview(workers, addresses, acts)
        self._side = SideLoop()
        self._sites = Sites(self._side.loop, self._overview)
        self._visits = Visits({}, workers.say)

    def open(self) -> None:
        """Listen. Raises ConfigError where an address cannot be opened (exit code 1)."""
        config = self._workers.config
        self._side.loop.run_until_complete(self._sites.open(config, supervised=True))
        if config.shown_to_clients:
            routes = page_routes(config, self._overview, self._side.loop)
            self._visits = Visits(routes, self._workers.say)

    def fileno(self) -> int:
        """What to select on."""
        return self._side.fileno()

    @property
    def patience(self) -> float:
        """Seconds for which there is nothing to do unless somebody says something."""
        return min(self._side.patience, self._overview.patience)

    def heard(self, child: Child) -> None:
        """A worker has said something."""
        self._overview.heard(child)
        self._visits.heard(child)

    def turn(self, now: float) -> None:
        """Serve who is connected; `now` in monotonic seconds."""
        self._overview.look(now)
        self._side.turn()

    def forget(self) -> None:
        """In a copy of this process: let go of what is the supervisor's."""
        self._side.forget()

    def close(self) -> None:
        """Cut the clients off, and remove the socket's file."""
        self._sites.close()
        self._side.close()
