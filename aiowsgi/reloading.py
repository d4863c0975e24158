"""`--reload`: what is watched, and what a worker is told while somebody works on its code."""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Callable
from typing import Any

from aiowsgi.config import Config
from aiowsgi.importer import parse
from aiowsgi.server.changes import Changes
from aiowsgi.server.identity import identity
from aiowsgi.server.log_setup import set_up_logging
from aiowsgi.server.opening import open_listeners
from aiowsgi.server.reloader import Reloader
from aiowsgi.settings import DEFAULT, Settings
from aiowsgi.supervised import Fresh, check_functions

logger = logging.getLogger("aiowsgi.error")

_PATIENCE = 1.0  # seconds that requests under way have when the code has changed


def serve_and_reload(
    reference: str, settings: Settings, reread: Callable[[], Settings], directory: str
) -> None:
    """Serve with one worker, and another at each change, until a signal ends it. ConfigError.

    `reread` makes the settings anew. `directory`: where we were started.
    """
    config = _for_development(settings)
    set_up_logging(config)
    if settings.config.worker_count > 1:
        logger.info("With reload one worker serves, not %d", settings.config.worker_count)
    check_functions(config)
    changes = Changes(
        config.reload_dir or _where_the_code_is(reference),
        config.reload_include,
        config.reload_exclude,
        files=[os.path.join(directory, path) for path in settings.files],
    )
    listeners, _ = open_listeners(config, identity(config.user, config.group))
    launch = Fresh(reference, directory)
    reloader = Reloader(config, listeners, launch, lambda: _for_development(reread()), changes)
    reloader.name = reference
    reloader.run()


def _for_development(settings: Settings) -> Config:
    """Return the config for one worker, whose end nobody waits for long unless they said so."""
    changed: dict[str, Any] = {"workers": 1}
    if settings.origins["graceful_timeout"] == DEFAULT:
        changed["graceful_timeout"] = _PATIENCE
    return dataclasses.replace(settings.config, **changed)


def _where_the_code_is(reference: str) -> list[str]:
    """Return the current directory, and that of a file elsewhere where one was named."""
    here, target = os.getcwd(), parse(reference)
    there = os.path.dirname(os.path.abspath(target.module)) if target.is_file else here
    return [here] if os.path.join(there, "").startswith(os.path.join(here, "")) else [here, there]
