"""The real gunicorn with our worker class, as a process whose log can be waited for."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.supervised import APP, PATIENCE, Parent
from tests.test_cli_process import ROOT, kill_all

WORKER = "aiowsgi.contrib.gunicorn.Worker"
HOOKS = """
def say(name):
    return lambda worker: worker.log.info("%s in %s", name, worker.pid)

def say_with_arbiter(name):
    return lambda arbiter, worker: worker.log.info("%s in %s", name, worker.pid)

post_fork, worker_exit = say_with_arbiter("post_fork"), say_with_arbiter("worker_exit")
post_worker_init, worker_int = say("post_worker_init"), say("worker_int")
"""


class Arbiter(Parent):
    """gunicorn's arbiter and its workers."""

    @property
    def pids(self) -> list[int]:
        """The workers that were started so far."""
        return [int(found[1]) for found in self.log.find(r"Booting worker with pid: (\d+)")]

    def boots(self, workers: int) -> None:
        """Wait until so many have come up: before that, gunicorn loses a signal to one of them."""
        self.log.wait("post_worker_init in", workers)

    def answered_by_others_than(self, pids: list[int]) -> int:
        """Ask until a worker has answered that is none of these; its pid."""
        deadline = time.monotonic() + PATIENCE
        while (pid := int(self.get())) in pids:
            assert time.monotonic() < deadline, self.log.lines
        return pid


@contextmanager
def gunicorn(*args: str, app: str = APP, hooks: str = HOOKS, **environ: str) -> Iterator[Arbiter]:
    """`gunicorn -k aiowsgi.contrib.gunicorn.Worker ... APP` on a free port."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AIOWSGI_", "GUNICORN_"))}
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "gunicorn.conf.py")
        config.write_text(hooks)
        command = [sys.executable, "-m", "gunicorn", "-k", WORKER, "-c", str(config), "-b"]
        command += ["127.0.0.1:0", *_no_control_socket(), *args, app]
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env={**kept, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # so that none of its processes outlives the test
        ) as process:
            try:
                yield Arbiter(process)
            finally:
                kill_all(process)


def _no_control_socket() -> list[str]:
    """It would be in the home of whoever runs the tests; older versions have none."""
    from gunicorn.config import KNOWN_SETTINGS

    known = any(setting.name == "control_socket_disable" for setting in KNOWN_SETTINGS)
    return ["--no-control-socket"] if known else []


def workers_that_said(log: str, what: str) -> list[int]:
    """The workers that have said it by a hook, in order."""
    return [int(pid) for pid in re.findall(rf"\[INFO\] {what} in (\d+)$", log, re.MULTILINE)]
