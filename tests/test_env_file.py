"""`--env-file`, `--env`: what the application finds in its environment, what we read of it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from aiowsgi.env_file import Exported
from aiowsgi.errors import ConfigError
from aiowsgi.settings import Settings, resolve
from tests.test_toml_file import write


def settings(folder: Path, given: dict[str, object], **environ: str) -> Settings:
    return resolve(given, environ, by_flag=True, directory=str(folder))


def test_variables_of_the_file_are_for_the_application_and_for_us(tmp_path: Path) -> None:
    write(
        tmp_path,
        "# shop\nexport DEBUG=1\nNAME='a b' # c\nURL=\"x\\ny\"\nPORT=81\n\nAIOWSGI_THREADS=3\n",
        ".env",
    )
    found = settings(tmp_path, {"env_file": ".env"})
    assert found.variables == {
        "DEBUG": "1",
        "NAME": "a b",
        "URL": "x\ny",
        "PORT": "81",
        "AIOWSGI_THREADS": "3",
    }
    assert (found.config.threads, found.config.port) == (3, 81)
    assert found.origins["threads"] == ".env:7: AIOWSGI_THREADS"
    assert found.origins["port"] == "PORT"


def test_the_environment_wins_over_the_file_and_the_file_over_the_options_file(
    tmp_path: Path,
) -> None:
    write(tmp_path, "AIOWSGI_THREADS=3\nAIOWSGI_BACKLOG=4\nA=file\n", ".env")
    write(tmp_path, "env_file = '.env'\nbacklog = 5\n")
    found = settings(tmp_path, {}, AIOWSGI_THREADS="2", A="here")
    assert (found.config.threads, found.config.backlog) == (2, 4)
    assert found.variables == {"AIOWSGI_BACKLOG": "4"}
    assert found.origins["env_file"] == "aiowsgi.toml:1: env_file"


def test_a_later_file_beats_an_earlier(tmp_path: Path) -> None:
    write(tmp_path, "A=1\nB=1\n", "one.env")
    write(tmp_path, "B=2\n", "two.env")
    found = settings(tmp_path, {"env_file": ["one.env", "two.env"]})
    assert found.variables == {"A": "1", "B": "2"}


def test_env_beats_the_environment_and_is_for_the_application_alone(tmp_path: Path) -> None:
    found = settings(tmp_path, {"env": ["A=b=c", "PORT=9"]}, A="here")
    assert found.variables == {"A": "b=c", "PORT": "9"}
    assert found.config.port is None


def test_a_variable_of_ours_that_is_unknown_is_told_with_its_place(tmp_path: Path) -> None:
    write(tmp_path, "AIOWSGI_THRAEDS=3\n", ".env")
    assert settings(tmp_path, {"env_file": ".env"}).strangers == (
        ".env:1: AIOWSGI_THRAEDS names no option; did you mean AIOWSGI_THREADS?",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A=1\nAIOWSGI_THREADS=x\n", r"^.env:2: AIOWSGI_THREADS: 'x' is not valid"),
        ("A=1\nno value here\n", r"^.env:2: expected NAME=VALUE"),
        ("A\n", r"^.env:1: expected NAME=VALUE"),
        ("A='x\n", r"^.env:1: expected NAME=VALUE"),
        ("AIOWSGI_CONFIG=x\n", r"^.env:1: AIOWSGI_CONFIG cannot be said here"),
    ],
)
def test_a_fault_names_the_file_and_the_line(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path, text, ".env")
    with pytest.raises(ConfigError, match=message):
        settings(tmp_path, {"env_file": ".env"})


def test_a_file_that_cannot_be_read_names_who_asked_for_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^--env-file: no.env cannot be read: No such file"):
        settings(tmp_path, {"env_file": "no.env"})
    with pytest.raises(ConfigError, match=r"^AIOWSGI_ENV_FILE: no.env cannot be read"):
        settings(tmp_path, {}, AIOWSGI_ENV_FILE="no.env")
    tmp_path.joinpath("latin.env").write_bytes(b"A=\xe4")
    with pytest.raises(ConfigError, match=r"^--env-file: latin.env is not UTF-8"):
        settings(tmp_path, {"env_file": "latin.env"})


def test_a_library_that_is_missing_is_told_with_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "A=1\n", ".env")
    monkeypatch.setitem(sys.modules, "dotenv", None)
    with pytest.raises(ConfigError, match=r"pip install 'aiowsgi\[dotenv\]'"):
        settings(tmp_path, {"env_file": ".env"})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("A", "--env: 'A' is not valid: expected NAME=VALUE"),
        ("1=2", "expected NAME=VALUE, with a name of letters"),
        ("AIOWSGI_THREADS=4", "for an option of ours there is --threads"),
    ],
)
def test_what_is_no_variable_for_the_application_is_refused(given: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        resolve({"env": [given]}, {}, by_flag=True)


def test_values_of_variables_are_not_shown() -> None:
    assert "hunter2" not in "\n".join(resolve({"env": "PASSWORD=hunter2"}, {}).lines())


def test_a_reload_takes_away_what_the_file_has_no_more() -> None:
    environ = {"A": "before", "Z": "z"}
    exported = Exported(environ)
    exported.become({"A": "1", "B": "1"})
    assert environ == {"A": "1", "B": "1", "Z": "z"}
    exported.become({"B": "2"})
    assert environ == {"A": "before", "B": "2", "Z": "z"}
    exported.become({})
    assert environ == {"A": "before", "Z": "z"}
