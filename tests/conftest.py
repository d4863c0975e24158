"""What many tests need."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from aiowsgi.watch.logs import ACCESS_LOG, ERROR_LOG


@pytest.fixture
def bare_logs() -> Iterator[None]:
    """The loggers as a process finds them that has set up nothing; afterwards as they were."""
    loggers = (logging.getLogger(ERROR_LOG), logging.getLogger(ACCESS_LOG))
    before = [(log, log.handlers[:], log.level, log.propagate) for log in loggers]
    for log in loggers:
        log.handlers[:], log.propagate = [], True
    yield
    for log, handlers, level, propagate in before:
        log.handlers[:], log.propagate, log.disabled = handlers, propagate, False
        log.setLevel(level)
