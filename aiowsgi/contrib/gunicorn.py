"""A worker class for gunicorn: `gunicorn -k aiowsgi.contrib.gunicorn.Worker app:app`.

For those whose operations are built on gunicorn's arbiter: processes, signals, sockets, hooks and
logs are gunicorn's, and every client is served by aiowsgi. gunicorn's settings hold where aiowsgi
knows such a thing (gunicorn_settings.py); `AIOWSGI_*` variables say what gunicorn has no setting
for.

Call flow, in the process of a worker: init_process -> load_wsgi -> run -> a Server that has adopted
the arbiter's sockets -> the way of draining that every end has.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from typing import Any, cast

from aiowsgi.contrib.gunicorn_log import AccessLog, hear_errors, is_heard
from aiowsgi.contrib.gunicorn_settings import settings_from, without_effect
from aiowsgi.errors import ConfigError
from aiowsgi.server.certificates import certificates
from aiowsgi.server.descriptors import raise_descriptor_limit
from aiowsgi.server.loops import new_loop, run
from aiowsgi.server.server import Server
from aiowsgi.server.signals import Act, on_signals
from aiowsgi.server.sockets import Listener
from aiowsgi.server.spawn import end_now
from aiowsgi.wsgi.types import WSGIApplication

try:
    from gunicorn.arbiter import Arbiter
    from gunicorn.workers.base import Worker as BaseWorker
except ImportError as error:
    raise ImportError(
        "aiowsgi.contrib.gunicorn is a worker class for gunicorn, which is not installed here: "
        "install the extra aiowsgi[gunicorn]"
    ) from error

_MOST_SILENCE = 1.0  # seconds between two signs of life, for an arbiter that waits long for them


class Worker(BaseWorker):
    """Runs a server in a process of gunicorn's; main thread and loop thread of that process."""

    _server: Server

    # -- pool thread --

    def _count(self, number: int) -> None:
        self.nr = number
        if number == self.max_requests:
            self.log.info("Autorestarting worker after current request.")
            self.alive = False  # where the loop looks once a second; it need not wait for that
            self._server.stop()

    # -- loop thread --

    def load_wsgi(self) -> None:
        """Load the application and make its server; what is wrong is told before anyone boots."""
        super().load_wsgi()
        hear_errors(self.log)
        try:
            settings = settings_from(self.cfg, os.environ)
            own = certificates(settings.config)
        except ConfigError as error:
            self.log.error("%s", error)
            sys.exit(Arbiter.WORKER_BOOT_ERROR)
        for stranger in settings.strangers:
            self.log.warning("%s", stranger)
        if useless := without_effect(self.cfg, os.environ):
            self.log.warning("These settings do nothing with this worker: %s", ", ".join(useless))
        self._server = Server(cast(WSGIApplication, self.wsgi), settings.config)
        self._server.adopt([self._adopted(each) for each in self.sockets], own)

    def run(self) -> None:
        """Serve until the arbiter, the number of requests or the arbiter's death ends it."""
        raise_descriptor_limit()
        if is_heard(self.log):
            self._server.log = AccessLog(self.log)
        if self.cfg.max_requests:
            self._server.account.counts = self._count
        loop = new_loop(self._server.config.loop)
        run(self._serve(loop), loop)
        if self._server.stuck:
            self._end_in_the_last_hook()

    async def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        # To the very end: the arbiter kills who gives no sign of life, draining or not.
        beating = asyncio.ensure_future(self._beat())
        loop.add_reader(self.PIPE[0], self._woken)
        try:
            with on_signals(loop, self._acts()):
                async with self._server:
                    await self._server.stopped()
        finally:
            loop.remove_reader(self.PIPE[0])
            beating.cancel()

    def _acts(self) -> dict[str, Act]:
        """What the arbiter sends, but for ABRT, which is for a loop that does not turn."""
        quit_now = self._quit
        return {
            "SIGTERM": self._leave,
            "SIGINT": quit_now,
            "SIGQUIT": quit_now,
            "SIGUSR1": self.log.reopen_files,
        }

    def _leave(self) -> None:
        self.alive = False
        self._server.leave()

    def _quit(self) -> None:
        if self.alive:  # on a terminal INT comes to every process, and QUIT from the arbiter
            self.alive = False
            self.cfg.worker_int(self)
        self._server.stop(now=True)

    async def _beat(self) -> None:
        pause = min(_MOST_SILENCE, self.timeout or _MOST_SILENCE)  # `timeout`: half of --timeout
        while True:
            self.notify()
            if self.ppid != os.getppid():
                self.log.info("Parent changed, shutting down: %s", self)
                self.alive = False
            self._look()
            await asyncio.sleep(pause)

    def _woken(self) -> None:
        """The reloader has seen a change of the source."""
        with suppress(BlockingIOError):
            os.read(self.PIPE[0], 4096)
        self._look()

    def _look(self) -> None:
        if not self.alive:
            self._server.stop()

    @staticmethod
    def _adopted(listening: Any) -> Listener:
        """A socket of the arbiter's as ours: its duplicate, as gunicorn has a class of its own."""
        listener = Listener(listening.dup(), str(listening))
        listening.close()
        return listener

    def _end_in_the_last_hook(self) -> None:
        """Have the process end after the last that gunicorn does in it.

        The interpreter would wait for the threads, and a stuck view never ends.
        """
        hook = self.cfg.worker_exit

        def then_end(arbiter: Arbiter, worker: BaseWorker) -> None:
            try:
                hook(arbiter, worker)
            finally:
                end_now(0)

        self.cfg.set("worker_exit", then_end)
