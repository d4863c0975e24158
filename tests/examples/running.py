"""Runs an example by the one command of its docstring, on a port that the system chooses."""

from __future__ import annotations

import ast
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]


def documented_command(example: str) -> str:
    """The one indented line of the module's docstring."""
    text = (ROOT / "examples" / f"{example}.py").read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(text)) or ""
    commands = [line.strip() for line in docstring.splitlines() if line.startswith("    ")]
    assert len(commands) == 1, f"{example} gives not one command but {commands}"
    return commands[0]


def on_any_port(command: str) -> list[str]:
    """The same command with port 0 and with this interpreter, whatever PATH says."""
    first, *rest = shlex.split(command)
    if first == "aiowsgi":
        return [sys.executable, "-m", "aiowsgi", "--port", "0", *rest]
    if first == "uvicorn":
        return [sys.executable, "-m", "uvicorn", "--port", "0", *rest]
    assert first == "python"
    return [sys.executable, *rest, "0"]


@contextmanager
def running(example: str) -> Iterator[httpx.Client]:
    """A client of the running example; at the end TERM, which has to end it with exit code 0.

    uvicorn ends gracefully, and then by the signal.
    """
    command = on_any_port(documented_command(example))
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        with httpx.Client(base_url=listening_url(process), timeout=20) as client:
            yield client
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=20)
        assert process.returncode == (-signal.SIGTERM if "uvicorn" in command else 0), log
        assert "Traceback" not in log
    finally:
        process.kill()
        process.communicate()


def listening_url(process: subprocess.Popen[str]) -> str:
    """Wait for the line that says where it listens; the end of its log means that it failed."""
    assert process.stderr is not None
    log = []
    for line in process.stderr:
        if found := re.search(r"(?:Listening at:|running on) (http://\S+)", line):
            return found[1]
        log.append(line)
    raise AssertionError(f"exit code {process.wait()}:\n{''.join(log)}")
