"""The table of flags of other servers, each with its fate here; docs/migrating.md is made of it.

A flag that is an option of ours under the same name has no row.
"""

from __future__ import annotations

from aiowsgi.foreign import granian, gunicorn, uvicorn, waitress
from aiowsgi.foreign.flags import Foreign

FOREIGN: tuple[Foreign, ...] = (
    *gunicorn.FLAGS,
    *uvicorn.FLAGS,
    *waitress.FLAGS,
    *granian.FLAGS,
)
