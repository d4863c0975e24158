"""What the README says runs: every command and every program in it has its proof here or in CI."""

from __future__ import annotations

import re
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.examples.running import ROOT, documented_command

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks of one language, unindented."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", README, re.MULTILINE | re.DOTALL)
    return [re.sub(f"^{indent}", "", text, flags=re.MULTILINE) for indent, text in found]


def commands() -> list[str]:
    return [line for block in blocks("sh") for line in block.splitlines() if line]


# The two commands of the quick start need environments of their own: .ci/run makes them.
IN_CI = {
    "pip install . && aiowsgi examples/hello.py:app": [
        '/pip" install --quiet --disable-pip-version-check .\n',
        '/aiowsgi" examples/hello.py:app ',
    ],
    "pip install -e '.[test]' && pytest": [
        "/pip\" install --quiet --disable-pip-version-check -e '.[dev]'\n",
        "\npytest ",
    ],
}
# Started, probed and ended in tests/examples/test_commands.py.
EXAMPLES = {documented_command(path.stem) for path in (ROOT / "examples").glob("*.py")}
# These end by themselves.
ANSWERS = {
    "aiowsgi --help": "Usage: aiowsgi",
    "aiowsgi --check-config examples/hello.py:app": "configuration OK",
    "aiowsgi --print-config --threads 16": "16",
}
# These serve: run with what makes them reachable here, probed, ended.
SERVES = {
    "aiowsgi --uds app.sock --uds-permissions 660 --forwarded-allow-ips unix examples/hello.py:app",
    "aiowsgi --bind 0.0.0.0:8000 --graceful-timeout 20s examples/hello.py:app",
    "aiowsgi --workers auto --bind 0.0.0.0:8000 examples/hello.py:app",
    "aiowsgi --debug --validate --bind 127.0.0.1:8000 examples/hello.py:app",
}


def test_every_command_of_the_readme_has_its_proof() -> None:
    proven = [*IN_CI, *EXAMPLES, *ANSWERS, *SERVES]
    assert [command for command in commands() if command not in proven] == []
    assert [command for command in [*IN_CI, *ANSWERS, *SERVES] if command not in commands()] == []


@pytest.mark.parametrize(("command", "steps"), IN_CI.items())
def test_ci_runs_the_quick_start(command: str, steps: list[str]) -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert f"{command}" in script
    assert [step for step in steps if step not in script] == []


def this_python(command: str) -> list[str]:
    first, *rest = shlex.split(command)
    assert first == "aiowsgi"
    return [sys.executable, "-m", "aiowsgi", *rest]


@pytest.mark.parametrize(("command", "words"), ANSWERS.items())
def test_a_command_that_only_tells(command: str, words: str) -> None:
    done = subprocess.run(this_python(command), cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert words in done.stdout


def listening(process: subprocess.Popen[str]) -> str:
    """The first address that the process prints; the end of its output means that it failed."""
    assert process.stdout is not None
    printed = []
    for line in process.stdout:
        if found := re.search(r"(http://[\d.]+:[1-9]\d*|unix:\S+)", line):
            return found[1]
        printed.append(line)
    raise AssertionError(f"exit code {process.wait()}:\n{''.join(printed)}")


def start(arguments: list[str], folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-u", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={"PYTHONPATH": str(ROOT)},
    )


@pytest.mark.parametrize("command", sorted(SERVES))
def test_a_command_that_serves(command: str, tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    arguments = this_python(command.replace(":8000", ":0"))[1:]
    with start(arguments, tmp_path) as process:
        url = listening(process)
        if url.startswith("unix:"):
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(tmp_path / "app.sock"))
                client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                answer = b"".join(iter(lambda: client.recv(4096), b""))
        else:
            answer = httpx.get(url.replace("0.0.0.0", "127.0.0.1")).content
        assert answer.endswith(b"Hello, world!\n")
        process.terminate()
        assert process.wait(20) == 0
        assert process.stdout is not None
        process.stdout.read()


@pytest.mark.parametrize("number", range(3), ids=["run", "Server", "make_server"])
def test_a_program_of_the_readme_serves(number: int) -> None:
    programs = blocks("python")
    assert len(programs) == 3
    assert "8000" in programs[number]
    with start(["-c", programs[number].replace("8000", "0")], ROOT) as process:
        assert httpx.get(listening(process)).text == "Hello, world!\n"
        process.terminate()
        process.communicate()


def test_the_readme_makes_no_claim_of_speed_that_nobody_can_repeat() -> None:
    assert not re.search(r"requests/s|req/s|times faster", README)
