"""Reloader: a supervisor for development, whose worker is replaced when its code changes.

The old worker ends before the new one starts, so that never two of them hold a port, a lock or a
database; the listeners are the supervisor's, and clients wait in them meanwhile. Code that fails is
shown, and nothing is tried again before the next change.
"""

from __future__ import annotations

import logging
import os
import selectors
from collections.abc import Callable

from aiowsgi.config import Config
from aiowsgi.server.changes import Changes
from aiowsgi.server.child import Child, State
from aiowsgi.server.launch import Launch
from aiowsgi.server.sockets import Listener
from aiowsgi.server.supervisor import Supervisor
from aiowsgi.server.workers import Workers

logger = logging.getLogger("aiowsgi.error")

_SHOWN = 3  # files that the log names


class Successive(Workers):
    """Workers that end before their successors start; of the supervisor's one thread."""

    _waits = False  # for a change, since the code that is there has failed

    def renew(self, config: Config) -> None:
        """Have all end, and then others start, with what is there by then."""
        super().renew(config)
        self._waits = False

    def balance(self, now: float) -> None:
        """Take the next step to as many workers as are wanted, once the old ones are gone."""
        if self.ending:
            return
        for child in [child for child in self._children if self._is_superfluous(child)]:
            self._retire(child, now)
        if not self._waits and now >= self._backoff.until:
            for _ in range(self.wanted - len(self)):
                self._start(now)

    def _is_superfluous(self, child: Child) -> bool:
        return child.state is not State.ENDING and (
            self._is_stale(child) or child in self.serving[self.wanted :]
        )

    def _did_not_start(self, message: str, generation: int, now: float, code: int = 3) -> None:
        if generation == self._generation:
            self._waits = True
            logger.error("%s\nWaiting for a change", message)


class Reloader(Supervisor):
    """Serves as a supervisor does, and reloads at `changes`; for the main thread of a process."""

    renewal = "Restarting"

    def __init__(
        self,
        config: Config,
        listeners: list[Listener],
        launch: Launch,
        reread: Callable[[], Config],
        changes: Changes,
    ) -> None:
        super().__init__(config, listeners, launch, reread, keep=Successive)
        self._changes = changes

    def run(self) -> None:
        """Serve until a signal ends it. Raises ConfigError where nothing can be watched."""
        with self._changes:
            logger.info("Watching for changes in: %s", ", ".join(self._changes.watched))
            self._selector.register(self._changes, selectors.EVENT_READ)
            super().run()

    def _turn(self) -> None:
        super()._turn()
        changed = [os.path.relpath(path) for path in self._changes.take()]
        if changed and not self._workers.ending:
            more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
            logger.info("Changed: %s%s", ", ".join(changed[:_SHOWN]), more)
            self._reload()
