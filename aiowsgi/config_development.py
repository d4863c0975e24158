"""The options of development: what a programmer wants to see, and nobody else may."""

from __future__ import annotations

import dataclasses

from aiowsgi import kinds
from aiowsgi.options import DEVELOPMENT, option


@dataclasses.dataclass(frozen=True, init=False)
class DevelopmentOptions:
    """What helps while an application is written; all of it is off where it is served."""

    debug: bool = option(
        False,
        kinds.switch("flag"),
        DEVELOPMENT,
        "Where the application fails before its answer has begun, answer with the traceback: a "
        "page with source and local variables for browsers, text for others. Whoever can connect "
        "sees them.",
    )
    validate: bool = option(
        False,
        kinds.switch("flag"),
        DEVELOPMENT,
        "Wrap the application in wsgiref.validate: what breaks PEP 3333 is an error, in the log "
        "and as a 500.",
    )
