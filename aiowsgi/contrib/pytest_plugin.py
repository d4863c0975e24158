"""The fixture `aiowsgi_server` for pytest: any application of a test, served over real sockets.

Every pytest that runs where aiowsgi is installed loads this file (the entry point `pytest11`), so
it imports the server only where a test asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from aiowsgi.testing import LiveServer


@pytest.fixture
def aiowsgi_server() -> Iterator[Callable[..., LiveServer]]:
    """Serve applications: `aiowsgi_server(app, **options)` returns a running LiveServer.

    All are stopped, gracefully, when the test is over.
    """
    from aiowsgi.testing import LiveServer

    with ExitStack() as running:

        def serve(app: Any, **options: Any) -> LiveServer:
            return running.enter_context(LiveServer(app, **options))

        yield serve
