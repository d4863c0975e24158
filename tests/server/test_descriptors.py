"""The soft limit of open files is raised to the hard one where a process serves by itself."""

from __future__ import annotations

import subprocess
import sys

import pytest

resource = pytest.importorskip("resource", reason="this system has no such limits")

CODE = """
import resource, signal, os, sys, logging
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
from aiowsgi import Config, Server
class Stop(logging.Handler):
    def emit(self, record):
        print(resource.getrlimit(resource.RLIMIT_NOFILE)[0] == hard)
        os.kill(os.getpid(), signal.SIGTERM)
log = logging.getLogger("aiowsgi.error")
log.addHandler(Stop())
log.setLevel("INFO")
Server(lambda environ, start_response: [], Config(port=0)).run()
"""


def test_a_server_that_runs_by_itself_may_open_as_many_as_the_system_allows() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == "True"
