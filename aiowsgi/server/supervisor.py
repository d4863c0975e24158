"""Supervisor: owns the listeners, keeps the workers, and does what signals ask for.

It serves nobody and runs no code of the application (but with `preload`, which loads it here, once,
before the first fork): so it does not fail with it. It is one thread that waits for signals and for
what its workers say.

Call flow: run -> _turn -> Workers.balance; a signal -> _acts; a word -> Workers.listen; a death ->
Workers.reap.
"""

from __future__ import annotations

import logging
import math
import os
import selectors
import signal
import time
from collections.abc import Callable

from aiowsgi.config import Config
from aiowsgi.errors import ConfigError
from aiowsgi.server.banner import greet
from aiowsgi.server.child import Child
from aiowsgi.server.farewell import take_no_new
from aiowsgi.server.launch import Launch
from aiowsgi.server.log_setup import set_up_logging
from aiowsgi.server.loops import name_of_choice
from aiowsgi.server.signals import COMMANDS, Act, SignalQueue, terminal_watch
from aiowsgi.server.sockets import Listener
from aiowsgi.server.systemd import Notifier
from aiowsgi.server.watched import CommandRefusedError
from aiowsgi.server.watching import Watching
from aiowsgi.server.workers import Workers
from aiowsgi.watch.logs import reopen_logs

logger = logging.getLogger("aiowsgi.error")

_MOST_WORKERS = 1000  # that one command may ask for


class Supervisor:
    """Keeps `config.worker_count` workers on its listeners; for the main thread of a process.

    `launch` starts one; `reread` makes the config anew for a reload, or raises ConfigError; `keep`
    decides when one goes and another comes.
    """

    renewal = "Reloading: one worker after the other is replaced"

    def __init__(
        self,
        config: Config,
        listeners: list[Listener],
        launch: Launch,
        reread: Callable[[], Config],
        keep: type[Workers] = Workers,
    ) -> None:
        self._listeners = listeners
        self._reread = reread
        self.name = ""  # what the banner calls the application
        self._began = time.monotonic()
        self._selector = selectors.DefaultSelector()
        self._signals = SignalQueue([*COMMANDS, "SIGCHLD"])
        self._workers = keep(
            config, listeners, launch, selector=self._selector, forget=self._forget
        )
        self._notifier = Notifier(os.environ)
        self._watching = Watching(
            self._workers,
            [listener.url for listener in listeners],
            {
                "reload": lambda _: self._renew(),
                "stop": lambda _: self._leave(),
                "workers": self._want_as_told,
            },
        )
        self._told: str | None = None  # what systemd knows of us; None = not even the log does
        self._interrupted = False
        self._ends_at = math.inf  # when the shutdown delay is over, in monotonic seconds
        self._hung_up = terminal_watch()
        self._acts: dict[str, Act] = {
            "SIGTERM": self._leave,
            "SIGINT": self._interrupt,
            "SIGQUIT": self._quit,
            "SIGHUP": self._reload,
            "SIGTTIN": lambda: self._want(self._workers.wanted + 1),
            "SIGTTOU": lambda: self._want(self._workers.wanted - 1),
            "SIGUSR1": self._reopen_logs,
        }

    def run(self) -> None:
        """Serve until a signal ends it; the listeners are closed then.

        Raises ConfigError where the first workers do not come to serve: with the message and exit
        code that a worker gave, or 3 where it died without a word.
        """
        workers = self._workers
        with self._signals, self._selector:
            self._selector.register(self._signals, selectors.EVENT_READ)
            try:
                self._watching.open()
                self._selector.register(self._watching, selectors.EVENT_READ)
                while not workers.ending or len(workers):
                    self._turn()
            finally:
                workers.kill()
                self._watching.close()
                for listener in self._listeners:
                    listener.close()
        if workers.failure is not None:
            raise workers.failure
        took = time.monotonic() - self._began
        logger.info("All workers have ended: %s", workers.done.in_words(took))

    def _turn(self) -> None:
        workers, now = self._workers, time.monotonic()
        workers.balance(now)
        wait = min(workers.patience, self._notifier.patience, max(0.0, self._ends_at - now))
        wait = min(wait, self._watching.patience)
        for key, _ in self._selector.select(wait):
            if isinstance(key.data, Child):
                workers.listen(key.data)
                self._watching.heard(key.data)
        for name in self._signals.take():
            if name in self._acts:
                self._acts[name]()
        now = time.monotonic()
        if now >= self._ends_at:
            self._end(signal.SIGTERM)
        workers.reap(now)
        workers.look(now)
        self._notifier.beat(now)
        self._watching.turn(now)
        self._tell()

    def _tell(self) -> None:
        """Tell the log when all has come up, and systemd at each change."""
        workers = self._workers
        pids = ", ".join(str(child.pid) for child in workers.serving)
        now = f"{len(workers.serving)} workers serve: {pids}"
        if not workers.came_up or workers.ending or not workers.settled or now == self._told:
            return
        if self._told is None:
            config = workers.config
            urls = [listener.url for listener in self._listeners]
            greet(self.name, config, name_of_choice(config.loop), urls)
            logger.info("%s", now)
        self._told = now
        self._notifier.tell("READY=1", f"STATUS={now}")

    def _forget(self) -> None:
        self._selector.close()
        self._signals.close()
        self._watching.forget()

    # -- what it is told by signals, and by its operator --

    def _leave(self) -> None:
        delay = self._workers.config.shutdown_delay
        if not delay:
            self._end(signal.SIGTERM)
        elif self._ends_at == math.inf:
            logger.info("Serving for another %gs, with readiness failing", delay)
            self._ends_at = time.monotonic() + delay
            self._workers.leave()

    def _interrupt(self) -> None:
        if self._interrupted:
            self._quit()
        else:
            self._interrupted = True
            self._end(signal.SIGINT)

    def _end(self, number: int) -> None:
        if self._workers.ending:
            return
        self._ends_at = math.inf
        logger.info("Ending: %d workers finish what they have", len(self._workers))
        self._notifier.tell("STOPPING=1", "STATUS=Finishing requests under way")
        # Ours first: what the kernel accepts must have a worker that takes it (S8).
        for listener in self._listeners:
            if not listener.borrowed:
                take_no_new(listener.socket)
            listener.socket.close()
        self._workers.end(number, time.monotonic())

    def _quit(self) -> None:
        self._workers.end_at_once(time.monotonic())

    def _reload(self) -> None:
        if self._hung_up():
            self._leave()
            return
        try:
            self._renew()
        except ConfigError as error:
            logger.error("Reload failed, the workers go on as they were: %s", error)

    def _renew(self) -> None:
        """Replace the workers. Raises ConfigError where there is no config to replace them with."""
        reopen_logs()
        config, now = self._reread(), self._workers.config
        if config.binds != now.binds:
            logger.warning("Addresses change with a restart only, not with a reload")
        if config.opened_once != now.opened_once:
            logger.warning("Addresses of metrics and status change with a restart only")
        set_up_logging(config)
        if config.preload:
            logger.warning("With preload a reload brings no new code: restart for that")
        logger.info(self.renewal)
        self._notifier.reloading()
        self._told = self._told and ""  # None as long as it has not come up
        self._workers.renew(config)

    def _want(self, number: int) -> None:
        if number < 1:
            logger.warning("One worker is the least")
            return
        self._workers.want(number)
        logger.info("%d workers are wanted now", number)

    def _want_as_told(self, number: str) -> None:
        if not number.isdigit() or not 1 <= int(number) <= _MOST_WORKERS:
            raise CommandRefusedError(f"a number of workers from 1 to {_MOST_WORKERS}")
        self._want(int(number))

    def _reopen_logs(self) -> None:
        reopen_logs()
        self._workers.send(signal.SIGUSR1)
