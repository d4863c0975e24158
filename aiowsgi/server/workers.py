"""Workers: so many processes as are wanted, all of the newest generation; the supervisor's.

Whatever happens (a death, a reload, a worker that wants to be replaced) changes only what is wanted
or what is there; `balance` brings about the next step from the one to the other. A replacement
serves before anybody retires for it, one after the other, so that never fewer serve than wanted. A
generation is proven when one of its workers serves; one that fails before is given up, and those
that serve go on.
"""

from __future__ import annotations

import logging
import os
import selectors
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from aiowsgi.config import Config
from aiowsgi.errors import ConfigError
from aiowsgi.server.account import Done
from aiowsgi.server.backoff import Backoff
from aiowsgi.server.child import Child, State, how_it_ended
from aiowsgi.server.launch import Launch, Start
from aiowsgi.server.lifeline import Lifeline
from aiowsgi.server.reaping import reap_strangers
from aiowsgi.server.signals import held_back
from aiowsgi.server.sockets import Listener
from aiowsgi.watch.numbers import Numbers, total

logger = logging.getLogger("aiowsgi.error")

SILENCE = 30.0  # seconds after which a worker that said nothing counts as stuck
_LOOK = 1.0  # seconds from one look at everything to the next, at most
MARGIN = 2.0  # seconds that a worker has beyond its own deadline


class Workers:
    """The worker processes; of the supervisor's one thread.

    `failure` is set, and the end ordered, where the first of them do not come to serve. `forget`
    closes what is the supervisor's in a copy of its process.
    """

    def __init__(
        self,
        config: Config,
        listeners: list[Listener],
        launch: Launch,
        *,
        selector: selectors.BaseSelector,
        forget: Callable[[], None],
    ) -> None:
        self.wanted = self._proven_wanted = config.worker_count
        self.came_up = False  # there were as many as wanted
        self.ending = False
        self._leaving = False  # readiness fails
        self.failure: ConfigError | None = None
        self.restarts: Counter[str] = Counter()  # why workers were replaced
        self.done = Done()  # by those that are gone
        self.past = Numbers()  # what those that are gone have counted
        self._children: list[Child] = []
        self._listeners = listeners
        self._launch = launch
        self._selector = selector
        self._forget_others = forget
        self._config = config
        self._generation = self._newest = 0
        self._proven = -1
        self._proven_config = config
        self._backoff = Backoff(free=self.wanted)

    def __len__(self) -> int:
        return len(self._children)

    @property
    def config(self) -> Config:
        """What the workers that are wanted are told."""
        return self._config

    @property
    def children(self) -> list[Child]:
        """All, however far they are."""
        return self._children

    @property
    def serving(self) -> list[Child]:
        """Those that serve, and were not told to end."""
        return [child for child in self._children if child.state is State.SERVING]

    @property
    def settled(self) -> bool:
        """Whether there are as many as are wanted, and none that has to be replaced."""
        serving = self.serving
        return len(serving) == self.wanted and not any(map(self._is_stale, serving))

    @property
    def patience(self) -> float:
        """Seconds for which there is nothing to do unless somebody says something."""
        waits = self._backoff.until - time.monotonic()
        return min(waits, _LOOK) if waits > 0 else _LOOK

    # -- towards what is wanted --

    def want(self, number: int) -> None:
        """Have so many from now on."""
        self.wanted = self._proven_wanted = number

    def renew(self, config: Config) -> None:
        """Replace all by workers that load the application anew, with this config."""
        if config.worker_count != self._config.worker_count:
            self.wanted = config.worker_count
        self._config = config
        self._newest += 1
        self._generation = self._newest

    def balance(self, now: float) -> None:
        """Take the next step to as many workers as are wanted."""
        if self.ending:
            return
        starting = [child for child in self._children if child.state is State.STARTING]
        for child in [child for child in starting if self._is_stale(child)]:
            child.retire(now + MARGIN)
            starting.remove(child)
        serving = sorted(self.serving, key=lambda c: (not self._is_stale(c), c.started))
        while len(serving) > self.wanted:
            self._retire(serving.pop(0), now)
        missing = self.wanted - len(serving) - len(starting)
        if missing <= 0 and not starting and any(map(self._is_stale, serving)):
            missing = 1
        if now >= self._backoff.until:
            for _ in range(missing):
                self._start(now)

    def _retire(self, child: Child, now: float) -> None:
        if self._is_stale(child):
            self.restarts["recycled" if child.leaves else "reload"] += 1
        logger.info("%s retires%s", child, f": {child.leaves}" if child.leaves else "")
        child.retire(self._deadline(now))

    def _is_stale(self, child: Child) -> bool:
        return child.generation != self._generation or bool(child.leaves)

    def _deadline(self, now: float) -> float | None:
        patience = self._config.graceful_timeout
        return None if patience is None else now + patience + MARGIN

    def _start(self, now: float) -> None:
        ours, theirs = socket.socketpair()
        try:
            with held_back():
                forget = partial(self._forget, ours)
                start = Start(self._config, self._listeners, theirs, forget)
                pid, told = self._launch(start)
        except (OSError, ConfigError) as error:
            ours.close()
            self._did_not_start(f"A worker cannot be started: {error}", self._generation, now)
            return
        finally:
            theirs.close()
        with suppress(OSError):  # where it is dead already, its end tells
            ours.sendall(told)
        ours.setblocking(False)
        child = Child(pid, Lifeline(ours), self._generation, now)
        self._children.append(child)
        self._selector.register(ours, selectors.EVENT_READ, child)

    def _forget(self, other_end: socket.socket) -> None:
        self._forget_others()
        other_end.close()  # else a worker would never see the end of its own line
        for child in self._children:
            child.line.close()

    # -- what becomes of them --

    def say(self, child: Child, word: str, text: str) -> None:
        """Tell a worker something that may be long."""
        child.line.say(word, text)
        self._flush(child)

    def _flush(self, child: Child) -> None:
        """Have the rest of what was said follow when the worker has read."""
        if child.line.ended:
            return
        wanted = selectors.EVENT_READ | (0 if child.line.flush() else selectors.EVENT_WRITE)
        if self._selector.get_key(child.line.socket).events != wanted:
            self._selector.modify(child.line.socket, wanted, child)

    def listen(self, child: Child) -> None:
        """Take what a worker said."""
        child.listen(time.monotonic())
        if child.line.ended:
            self._selector.unregister(child.line.socket)
        self._flush(child)
        if child.state is not State.SERVING:
            return
        if child.generation > self._proven:
            if self.came_up:
                others = "; the others follow" if self.wanted > 1 else ""
                logger.info("%s serves with what was reloaded%s", child, others)
            self._proven, self._proven_config = child.generation, self._config
            self._proven_wanted = self.wanted
        if self._leaving:
            child.fail_readiness()
        self.came_up = self.came_up or len(self.serving) >= self.wanted

    def reap(self, now: float) -> None:
        """Find out who died; a process that is not ours is let go (its parent died, we are 1)."""
        for child in list(self._children):
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if pid:
                self._lost(child, status, now)
        if os.getpid() == 1:
            reap_strangers({child.pid for child in self._children})

    def _lost(self, child: Child, status: int, now: float) -> None:
        if not child.line.ended:
            self.listen(child)  # its last words
        if not child.line.ended:
            self._selector.unregister(child.line.socket)
        child.line.close()
        self._children.remove(child)
        self.past = total([self.past, child.numbers.lasting()])
        self.done = self.done.plus(child.done or Done(untold=child.ready is not None))
        ended = how_it_ended(status)
        if child.state is State.ENDING:
            logger.log(logging.DEBUG if self.ending else logging.INFO, "%s %s", child, ended)
        elif child.ready is None:
            code, message = child.failure or (3, f"{child} {ended} before it could serve")
            self._did_not_start(message, child.generation, now, code)
        else:
            self.restarts["died"] += 1
            wait = self._backoff.died(now - child.ready, now)
            logger.error("%s %s: another takes its place%s", child, ended, _in(wait))

    def _did_not_start(self, message: str, generation: int, now: float, code: int = 3) -> None:
        if not self.came_up:
            self.failure = self.failure or ConfigError(message, exit_code=code)
            self.end_at_once(now)
        elif generation > self._proven:
            self._generation, self._config = self._proven, self._proven_config
            self.wanted = self._proven_wanted
            logger.error("Reload failed, the workers go on as they were: %s", message)
        else:
            wait = self._backoff.died(0.0, now)
            logger.error("%s\nIt is tried again%s", message, _in(wait))

    def look(self, now: float) -> None:
        """Look for workers that are past a deadline, or whose loop does not turn any more."""
        for child in self._children:
            if child.look(now):
                logger.warning("%s did not end in time: it is killed", child)
            elif child.ready is not None and now - child.heard > SILENCE:
                child.heard = now
                self.restarts["stuck"] += 1
                logger.error("%s is stuck: nothing was heard of it for %gs", child, SILENCE)
                child.end_at_once(now, stuck=True)

    # -- their end --

    def send(self, number: int) -> None:
        """Pass a signal on to all that serve."""
        for child in self.serving:
            child.send(number)

    def leave(self) -> None:
        """Have all serve on, and say that the service ends soon."""
        self._leaving = True
        for child in self.serving:
            child.fail_readiness()

    def end(self, number: int, now: float) -> None:
        """Have all end by a signal, gracefully."""
        self.ending = True
        deadline = self._deadline(now)
        for child in self._children:
            child.stop(signal.SIGTERM if child.ready is None else number, deadline)

    def end_at_once(self, now: float) -> None:
        """Have all end without finishing anything."""
        self.ending = True
        for child in self._children:
            child.end_at_once(now)

    def kill(self) -> None:
        """Leave none behind, whatever they do."""
        for child in self._children:
            child.send(signal.SIGKILL)


def _in(wait: float) -> str:
    return f" in {wait:g}s" if wait else " at once"
