"""Watching: what a supervisor shows to its operator, beside its own work and on its one thread.

Call flow: a client -> SideLoop -> Sites -> Overview -> a worker is asked; it answers -> heard ->
Overview -> the client.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aiowsgi.server.child import Child
from aiowsgi.server.overview import Overview
from aiowsgi.server.side_loop import SideLoop
from aiowsgi.server.sites import Sites
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

    def open(self) -> None:
        """Listen. Raises ConfigError where an address cannot be opened (exit code 1)."""
        config = self._workers.config
        self._side.loop.run_until_complete(self._sites.open(config, supervised=True))

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
