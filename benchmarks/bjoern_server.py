"""Starts bjoern, which has no command of its own: `python -m benchmarks.bjoern_server PORT`."""

from __future__ import annotations

import sys

from benchmarks import apps

if __name__ == "__main__":
    import bjoern

    bjoern.run(apps.wsgi, "127.0.0.1", int(sys.argv[1]))
