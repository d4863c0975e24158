"""As process 1 of a container, whatever lost its parent is waited for, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from tests.supervised import APP, ROOT, Supervised

NAMESPACE = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]


def test_strangers_are_let_go_and_ours_are_left() -> None:
    code = (
        "import os, sys\n"
        "from aiowsgi.server.reaping import reap_strangers\n"
        "children = [os.posix_spawn('/bin/true', ['true'], {}) for _ in range(3)]\n"
        "for child in children:\n"
        "    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)\n"
        "reap_strangers({children[0]})\n"
        "os.waitpid(children[0], 0)\n"
        "reap_strangers(set())\n"
        "try:\n"
        "    os.waitpid(-1, os.WNOHANG)\n"
        "except ChildProcessError:\n"
        "    sys.exit(0)\n"
        "sys.exit(1)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_without_children_there_is_nothing_to_do() -> None:
    code = "from aiowsgi.server.reaping import reap_strangers; reap_strangers(set())"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def has_namespaces() -> bool:
    """Whether we may be process 1 of a namespace of our own."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*NAMESPACE, "true"], capture_output=True).returncode == 0


@pytest.mark.skipif(not has_namespaces(), reason="needs unshare(1) and the right to use it")
def test_an_orphan_of_the_application_does_not_stay_as_a_zombie() -> None:
    words = [sys.executable, "-m", "aiowsgi", "--port", "0", "--no-access-log", "-w", "1", APP]
    with subprocess.Popen(
        [*NAMESPACE, *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            server = Supervised(process, pid=1)
            orphan = server.get("/orphan")
            while server.get(f"/there?{orphan}") == "True":
                pass
        finally:
            process.kill()  # with --kill-child: and all that is in the namespace
