"""What is not there on Windows is asked for where it is used, and not before."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.supervised import ROOT

# As far as one system can play another: what Windows has not is taken away, once the library's own
# modules have found it, and before any of ours is imported.
WINDOWS = """
import os, pathlib, selectors, signal, socket, sys
import asyncio, click, concurrent.futures, httptools, logging.config, ssl, subprocess, tempfile
for name in ("fcntl", "grp", "pwd", "resource", "termios", "pty", "uvloop"):
    sys.modules[name] = None
for owner, names in {
    os: "fork forkpty getuid geteuid getgid getegid setuid setgid setgroups initgroups chown "
        "waitid WNOHANG P_ALL WEXITED WNOWAIT sched_getaffinity sendfile",
    signal: "SIGHUP SIGQUIT SIGKILL SIGUSR1 SIGUSR2 SIGTTIN SIGTTOU SIGWINCH SIGCHLD "
            "pthread_sigmask SIG_BLOCK SIG_UNBLOCK SIG_SETMASK",
    socket: "AF_UNIX",
}.items():
    for name in names.split():
        if hasattr(owner, name):
            delattr(owner, name)
import aiowsgi
package = pathlib.Path(aiowsgi.__file__).parent
for file in sorted(package.rglob("*.py")):
    name = ".".join(file.relative_to(package.parent).with_suffix("").parts)
    if "contrib" not in name and not name.endswith("__main__"):
        __import__(name.removesuffix(".__init__"))
try:
    aiowsgi.run("tests.apps.hello:app", workers=2)
except aiowsgi.ConfigError as error:
    print(error)
"""


def test_every_module_can_be_imported_and_workers_are_one_message() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WINDOWS], cwd=ROOT, capture_output=True, text=True, timeout=50
    )
    assert done.stderr == ""
    assert done.stdout.startswith("workers: this system cannot share sockets among processes")


def test_the_list_of_modules_is_not_empty() -> None:
    assert len(list(Path(ROOT, "aiowsgi").rglob("*.py"))) > 50
