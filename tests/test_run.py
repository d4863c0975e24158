"""`run()`, `serve()` and the public names."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import aiowsgi
from aiowsgi.errors import ConfigError
from aiowsgi.run import load
from aiowsgi.settings import resolve

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.usefixtures("bare_logs")  # run() sets them up


def app(environ: Any, start_response: Any) -> list[bytes]:
    return []


def test_every_public_name_is_there_and_is_the_one_of_its_module() -> None:
    assert set(aiowsgi.__all__) <= set(dir(aiowsgi))
    for name in aiowsgi.__all__:
        assert getattr(aiowsgi, name) is not None
    assert aiowsgi.serve is aiowsgi.run
    assert aiowsgi.ConfigError is ConfigError
    with pytest.raises(AttributeError, match="module 'aiowsgi' has no attribute 'nothing'"):
        aiowsgi.nothing  # noqa: B018


def test_importing_the_package_imports_no_server_and_no_command() -> None:
    code = "import aiowsgi, sys; sys.exit(bool({'asyncio', 'click'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_a_wrong_option_is_told_before_anything_runs() -> None:
    with pytest.raises(ConfigError, match="there is no option 'thread'; did you mean 'threads'"):
        aiowsgi.run(app, thread=3)
    with pytest.raises(ConfigError, match="threads: 0 is not valid"):
        aiowsgi.serve(app, threads=0)


def test_what_is_no_application_is_told_with_exit_code_4() -> None:
    for wrong in (5, "nowhere.xyz:app", lambda: app):
        with pytest.raises(ConfigError) as caught:
            aiowsgi.run(wrong)  # type: ignore[arg-type]
        assert caught.value.exit_code == 4


def test_an_application_comes_as_an_object_a_name_or_a_factory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(ROOT)
    assert load(app, resolve({}, {})) is app
    assert load(lambda: app, resolve({"factory": True}, {})) is app  # type: ignore[arg-type,misc]
    assert load("tests.apps.hello:app", resolve({}, {})).__name__ == "app"


def test_an_address_that_is_taken_is_told_with_exit_code_1(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Cannot listen at unix:") as caught:
        aiowsgi.run(app, uds=str(tmp_path / "nowhere" / "s"))
    assert caught.value.exit_code == 1


def test_run_serves_until_a_signal() -> None:
    """From a program: options as Python values, the environment below them."""
    code = (
        "import aiowsgi, os, signal, threading\n"
        "from tests.test_run import app\n"
        "import logging\n"
        "class Stop(logging.Handler):\n"
        "    def emit(self, record):\n"
        "        print(record.getMessage(), flush=True)\n"
        "        if 'Listening at' in record.msg:\n"
        "            os.kill(os.getpid(), signal.SIGTERM)\n"
        "logging.getLogger('aiowsgi.error').addHandler(Stop())\n"
        "aiowsgi.run(app, port=0, threads=2)\n"
        "print('over')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert "\nListening at: http://127.0.0.1:" in done.stdout
    assert done.stdout.endswith(" seconds\nover\n")
    assert done.returncode == 0


def test_run_stays_the_function_when_its_module_is_imported() -> None:
    """A submodule becomes an attribute of its package when it is first imported."""
    code = "import aiowsgi.cli, aiowsgi.run, sys; sys.exit(not callable(aiowsgi.run))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
