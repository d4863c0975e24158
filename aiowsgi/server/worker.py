"""Worker: one of several processes, from the inside; it serves on listeners that are not its own.

It says on its line that it is ready, and once a second that its loop turns and what it has counted;
asked what it is doing, it answers. What ends it is a
signal, the word that it should retire, or the end of the line: nobody outlives the supervisor. All
of these take the one way of draining that a server alone has, too.
"""

from __future__ import annotations

import asyncio
import faulthandler
import json
import logging
import time
from contextlib import suppress
from functools import partial

from aiowsgi.server.descriptors import raise_descriptor_limit
from aiowsgi.server.lifeline import (
    ANSWER,
    ASK,
    BEAT,
    BEAT_SECONDS,
    LAST,
    LEAVE,
    LEAVING,
    NUMBERS,
    READY,
    RETIRE,
    SHOW,
    Lifeline,
)
from aiowsgi.server.loops import new_loop, run
from aiowsgi.server.recycling import Recycling, resident_memory
from aiowsgi.server.server import Server
from aiowsgi.server.signals import Act, on_signals
from aiowsgi.server.visits import Relay
from aiowsgi.server.watched import STACKS
from aiowsgi.watch.logs import reopen_logs

logger = logging.getLogger("aiowsgi.error")


class Worker:
    """Runs a server that has adopted its listeners; main thread and loop thread of its process."""

    def __init__(self, server: Server, line: Lifeline) -> None:
        config = server.config
        self._server = server
        self._line = line
        self._recycling = Recycling(
            requests=config.max_requests,
            jitter=config.max_requests_jitter,
            lifetime=config.max_worker_lifetime,
            memory=config.max_worker_rss,
            resident=resident_memory,
        )
        self._relay = Relay(self._say)
        server.relay = self._relay.ask

    def run(self) -> None:
        """Serve until it is told to end, or nobody is left to tell."""
        raise_descriptor_limit()
        with suppress(Exception):  # no stderr, or one that is no file
            # For ABRT, by which the supervisor ends a process whose loop does not turn.
            faulthandler.enable()
        loop = new_loop(self._server.config.loop)
        run(self._serve(loop), loop)

    async def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        beating = asyncio.ensure_future(self._beat())
        self._line.socket.setblocking(False)
        loop.add_reader(self._line.socket, self._told)
        try:
            with on_signals(loop, self._acts()):
                async with self._server:
                    self._line.say(READY)
                    self._tell_numbers()
                    await self._server.stopped()
                self._tell_numbers()  # what it has counted to its very end
                done = self._server.account.done
                self._line.say(LAST, f"{done.served} {done.cut}")
        finally:
            loop.remove_reader(self._line.socket)
            loop.remove_writer(self._line.socket)
            beating.cancel()

    def _acts(self) -> dict[str, Act]:
        """INT is not counted: on a terminal it comes to every process, and to the supervisor."""
        server = self._server
        stop, kill = server.stop, partial(server.stop, now=True)
        return {"SIGTERM": stop, "SIGINT": stop, "SIGQUIT": kill, "SIGUSR1": reopen_logs}

    async def _beat(self) -> None:
        began = time.monotonic()
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            self._line.say(BEAT)
            self._tell_numbers()
            if reason := self._recycling.due(self._server.account.begun, time.monotonic() - began):
                self._line.say(LEAVE, reason)

    def _tell_numbers(self) -> None:
        if self._server.config.watched and self._server.view is not None:
            self._say(NUMBERS, self._server.view.numbers().text())

    def _answer(self, asked: str) -> None:
        number, _, question = asked.partition(" ")
        if self._server.view is not None:
            table = self._server.view.table(stacks=question == STACKS)
            self._say(ANSWER, f"{number} {json.dumps(table)}")

    def _say(self, word: str, text: str) -> None:
        self._line.say(word, text)
        self._flush()

    def _flush(self) -> None:
        """Have the rest of what was said follow when the supervisor has read."""
        loop = asyncio.get_running_loop()
        if self._line.flush():
            loop.remove_writer(self._line.socket)
        else:
            loop.add_writer(self._line.socket, self._flush)

    def _told(self) -> None:
        for word, text in self._line.hear():
            if word == RETIRE:
                self._server.retire()
            elif word == LEAVING:
                self._server.fail_readiness()
            elif word == ASK:
                self._answer(text)
            elif word == SHOW:
                self._relay.heard(text)
        if self._line.ended:
            asyncio.get_running_loop().remove_reader(self._line.socket)
            logger.warning("The supervisor is gone: this worker ends")
            self._server.stop()
