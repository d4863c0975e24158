"""What many tests need."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from aiowsgi.config import OPTIONS
from aiowsgi.config_sources import PREFIX
from aiowsgi.watch.logs import ACCESS_LOG, ERROR_LOG

# How long an example takes says what else the machine does, and nothing about the code.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")

# What the servers of tests write is read by patterns.
os.environ.pop("FORCE_COLOR", None)


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


@pytest.fixture
def plain_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkout as the current directory, and no variable that a server would listen to."""
    well_known = {option.well_known for option in OPTIONS.values()}
    for name in list(os.environ):
        if name in well_known or name.startswith(PREFIX):
            monkeypatch.delenv(name)
    monkeypatch.chdir(Path(__file__).parent.parent)
    monkeypatch.setattr(sys, "path", list(sys.path))
