"""Files of options and of variables, as a process finds them, and what a reload makes of them."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from tests.supervised import supervised
from tests.test_cli_process import command, get, listening
from tests.test_toml_file import write

APP = """
import os
def app(environ, start_response):
    start_response("200 OK", [])
    return [os.environ.get("SHOP", "nothing").encode()]
"""


def test_the_application_has_the_variables_when_it_is_loaded(tmp_path: Path) -> None:
    write(tmp_path, "import os\nSHOP = os.environ['SHOP']\n" + APP, "shop.py")
    env_file = write(tmp_path, "SHOP=file\n", ".env")
    args = ("--port", "0", "--chdir", str(tmp_path), "--env-file", str(env_file), "shop:app")
    for more, environ, expected in (
        ([], {}, "file"),
        ([], {"SHOP": "environment"}, "environment"),
        (["-e", "SHOP=flag"], {"SHOP": "environment"}, "flag"),
    ):
        with command(*more, *args, **environ) as process:
            assert get(listening(process)) == (200, expected)


def test_a_file_names_the_address_and_all_else(tmp_path: Path) -> None:
    write(tmp_path, APP, "shop.py")
    file = write(tmp_path, f'port = 0\nchdir = "{tmp_path}"\nroot_path = "/shop"\n', "conf.toml")
    with command("-c", str(file), "shop:app") as process:
        assert get(listening(process), "/shop/") == (200, "nothing")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no workers")
def test_a_reload_reads_the_files_anew_and_keeps_what_was_where_they_are_wrong(
    tmp_path: Path,
) -> None:
    write(tmp_path, APP, "shop.py")
    env_file = write(tmp_path, "SHOP=old\n", ".env")
    text = f'chdir = "{tmp_path}"\nenv_file = "{env_file}"\nworkers = {{}}\n'
    file = write(tmp_path, text.format(1), "conf.toml")
    with supervised("-c", str(file), app="shop:app") as server:
        assert server.get() == "old"
        write(tmp_path, "SHOP=new\n", ".env")
        write(tmp_path, text.format('"many"'), "conf.toml")
        server.signal(signal.SIGHUP)
        server.log.wait("Reload failed, .*: .*conf.toml:3: workers: 'many' is not valid")
        assert server.get() == "old"
        write(tmp_path, text.format(2), "conf.toml")
        server.signal(signal.SIGHUP)
        server.log.wait("ended with exit code 0")
        assert server.get() == "new"
        server.signal(signal.SIGTTIN)
        server.log.wait("3 workers are wanted now")
        write(tmp_path, "", ".env")
        server.signal(signal.SIGHUP)
        server.log.wait("ended with exit code 0", 3)
        assert server.get() == "nothing"
