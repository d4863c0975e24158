"""Config -> Service: the one place where options become the plain values of the floors below."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextvars import Context
from functools import partial

from aiowsgi.bridge.application import Application, Explain, ids
from aiowsgi.bridge.budget import Budget
from aiowsgi.bridge.exchange import Exchange
from aiowsgi.bridge.pool import Dispatcher
from aiowsgi.bridge.threads import ThreadSource, own_threads
from aiowsgi.config import Config
from aiowsgi.config_watch import path_of
from aiowsgi.http11.fields import FieldNames
from aiowsgi.http11.head import HeadReader
from aiowsgi.http11.messages import Limits, ResponseDefaults
from aiowsgi.server.asked import Route
from aiowsgi.server.audience import Audience
from aiowsgi.server.gate import Gate
from aiowsgi.server.overdue import Overdue
from aiowsgi.server.phases import Timeouts
from aiowsgi.server.proxied import ProxyProtocol
from aiowsgi.server.service import RequestLog, Service, Shown, Spooling
from aiowsgi.server.waking import wake_queue
from aiowsgi.version import __version__
from aiowsgi.watch.access_log import AccessLog
from aiowsgi.watch.colours import wants_colour
from aiowsgi.watch.formats import lines_of
from aiowsgi.watch.tally import Tally
from aiowsgi.wsgi.environ import EnvironBuilder
from aiowsgi.wsgi.forwarded import ForwardedEnviron
from aiowsgi.wsgi.trust import Trust
from aiowsgi.wsgi.types import WSGIApplication

_PATIENCE = 1.0  # how long a thread of our own waits for the next exchange, in seconds
_STAND_BACK = 0.001  # how long the loop waits at most while one works off a crowd, in seconds


def assemble(
    app: WSGIApplication,
    config: Config,
    loop: asyncio.AbstractEventLoop,
    executor: Executor | None,
    context: Context,
    *,
    request_ids: Iterator[str],
    log: RequestLog | None = None,
    relay: Route | None = None,
) -> Service:
    """Make what all connections of one server share; `executor`: None for threads of our own.

    `request_ids` yields one for each request that the application gets, on its pool thread.
    `log`: where requests are noted, None for the access log of the config; closed at the end.
    `relay`: who answers what operators ask, where this process alone cannot.
    """
    defaults = response_defaults(config)
    log = log or _access_log(config)
    tally = Tally(config.queue_timeout)
    application = Application(
        _validated(app) if config.validate else app,
        _environ(config),
        context=context,
        clock=time.monotonic,
        request_ids=request_ids,
        own_ids=ids(itertools.count(1)),
        patience=config.queue_timeout,
        id_header=config.request_id_header,
        on_end=_on_end(log, tally if config.counts_requests else None),
        timed=config.counts_requests or (log is not None and log.timed),
        explain=_explain() if config.debug else None,
    )
    wakes = wake_queue(loop)
    dispatcher = Dispatcher(
        _threads(executor, config),
        config.thread_count,
        most_streams=config.max_streams,
        call_soon=loop.call_soon,
        call_later=loop.call_later,
        clock=time.monotonic,
        busy=time.process_time,
        patience=_PATIENCE if executor is None else 0.0,
        stand_back=_STAND_BACK,
    )
    overdue = Overdue(
        dispatcher,
        tally=tally,
        stream_after=config.stream_after,
        timeout=config.timeout,
        slow=config.slow_request,
    )
    dispatcher.spent = partial(wakes.put, overdue.make_room)
    return Service(
        loop,
        application,
        dispatcher,
        wakes,
        reader=_reader(config),
        timeouts=Timeouts(
            config.keep_alive,
            config.header_timeout,
            config.body_timeout,
            config.send_timeout,
            queue=config.queue_timeout,
        ),
        spooling=Spooling(
            config.request_buffering,
            config.spool_threshold,
            config.response_buffer,
            config.response_spool,
        ),
        defaults=defaults,
        overdue=overdue,
        budget=Budget(config.spool_memory, config.spool_disk),
        gate=_gate(dispatcher, tally, config),
        tally=tally,
        pages=_pages(config, loop, relay),
        shows_date=config.date_header and not defaults.date,
        log=log,
    )


def _validated(app: WSGIApplication) -> WSGIApplication:
    from wsgiref.validate import validator

    return validator(app)


def _explain() -> Explain:
    from aiowsgi.watch.traceback_page import explain

    return explain


def _access_log(config: Config) -> AccessLog | None:
    access = logging.getLogger("aiowsgi.access")
    if not (config.access_log and access.isEnabledFor(logging.INFO)):
        return None
    coloured = config.access_logfile is None and wants_colour(sys.stdout, os.environ)
    return AccessLog(access, lines_of(config.line_format, coloured=coloured))


def proxy_protocol(config: Config) -> ProxyProtocol | None:
    """Make what reads PROXY headers; None where nobody sends any."""
    if config.proxy_protocol == "off":
        return None
    trust = Trust(config.proxy_allow_from)
    return ProxyProtocol(trust, config.proxy_protocol, config.header_timeout)


def _environ(config: Config) -> EnvironBuilder:
    builder = EnvironBuilder(
        root_path=config.root_path,
        multithread=config.thread_count > 1,
        multiprocess=config.worker_count > 1,
        software=f"aiowsgi/{__version__}",
    )
    if not config.proxy_headers:
        return builder
    return ForwardedEnviron(builder, Trust(config.forwarded_allow_ips))


def _threads(executor: Executor | None, config: Config) -> ThreadSource:
    if executor is None:
        return own_threads(config.thread_count, config.max_streams)
    return ThreadSource(executor, config.thread_count)


def _on_end(log: RequestLog | None, tally: Tally | None) -> tuple[Callable[[Exchange], None], ...]:
    """What is called at the end of each exchange."""
    return tuple(each.answered for each in (tally, log) if each is not None)


def _gate(dispatcher: Dispatcher, tally: Tally, config: Config) -> Gate | None:
    limit, patience, health = config.limit_queue, config.queue_timeout, config.health_path
    if limit is None and patience is None and health is None:
        return None
    threads = config.thread_count
    return Gate(dispatcher, threads, tally, limit=limit, patience=patience, health=health)


def _pages(config: Config, loop: asyncio.AbstractEventLoop, relay: Route | None) -> Shown | None:
    if not config.shown_to_clients:
        return None
    from aiowsgi.server.pages import Pages

    proxies = Trust(config.forwarded_allow_ips if config.proxy_headers else ())
    return Pages(
        loop,
        Audience(config.watch_allow_from, proxies),
        metrics=path_of(config.metrics),
        status=path_of(config.status),
        relay=relay,
    )


def _reader(config: Config) -> HeadReader:
    return HeadReader(
        Limits(
            config.limit_request_line,
            config.limit_request_fields,
            config.limit_request_field_size,
            config.limit_request_head,
            config.limit_request_body,
        ),
        FieldNames(underscores=config.header_map == "dangerous"),
        refuse_underscores=config.header_map == "refuse",
    )


def response_defaults(config: Config) -> ResponseDefaults:
    """The fields of every answer; `--header` may say another Server or Date than ours."""
    server = "Server: aiowsgi\r\n" if config.server_header else ""
    date = extra = ""
    for name, value in config.header:
        line = f"{name}: {value}\r\n"
        if name.lower() == "server":
            server = line
        elif name.lower() == "date":
            date = line
        else:
            extra += line
    return ResponseDefaults(server, date, extra)
