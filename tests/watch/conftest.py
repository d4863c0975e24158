"""What the tests of this folder need."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.watch.lines import ACCESS, Kept


@pytest.fixture
def kept() -> Iterator[Kept]:
    """The lines of the logger "aiowsgi.access" as the server writes them."""
    logger = ACCESS
    handler = Kept()
    before = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    yield handler
    handler.go.set()
    logger.removeHandler(handler)
    logger.setLevel(before[0])
    logger.propagate = before[1]
