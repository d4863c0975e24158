"""Colours: who wants them, and what they are of."""

from __future__ import annotations

import io
import json
import logging
import re
from pathlib import Path

import pytest

from aiowsgi.config import Config
from aiowsgi.server.log_setup import set_up_logging
from aiowsgi.watch.colours import wants_colour
from aiowsgi.watch.error_line import COLOURED_LINE, PLAIN_LINE
from aiowsgi.watch.logs import ERROR_LOG


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colours_are_for_terminals_unless_the_environment_says_otherwise() -> None:
    """no-color.org, force-color.org."""
    assert wants_colour(Screen(), {})
    assert wants_colour(Screen(), {"NO_COLOR": "", "FORCE_COLOR": ""})
    assert not wants_colour(io.StringIO(), {})
    assert not wants_colour(None, {})
    assert not wants_colour(Screen(), {"NO_COLOR": "1", "FORCE_COLOR": "1"})
    assert wants_colour(io.StringIO(), {"FORCE_COLOR": "1"})


@pytest.mark.parametrize(
    ("level", "colour"),
    [
        (logging.DEBUG, 36),
        (logging.INFO, 32),
        (logging.WARNING, 33),
        (logging.ERROR, 31),
        (logging.CRITICAL, 31),
    ],
)
def test_the_level_of_an_error_line_has_its_colour_and_the_message_none(
    level: int, colour: int
) -> None:
    name = logging.getLevelName(level)
    record = logging.LogRecord("a", level, __file__, 1, "about [%s]", (name,), None)
    line = COLOURED_LINE.format(record)
    assert line.endswith(f"\x1b[0m \x1b[{colour}m[{name}]\x1b[0m about [{name}]")
    assert re.sub(r"\x1b\[\d+m", "", line) == PLAIN_LINE.format(record)


@pytest.mark.usefixtures("bare_logs")
def test_a_file_and_json_have_no_colours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    errors, file = logging.getLogger(ERROR_LOG), tmp_path / "log"
    set_up_logging(Config())
    errors.error("on a terminal")
    set_up_logging(Config(error_logfile=file))
    errors.error("in a file")
    set_up_logging(Config(log_format="json"))
    errors.error("as JSON")
    coloured, other = capsys.readouterr().err.splitlines()
    assert coloured.endswith("\x1b[31m[ERROR]\x1b[0m on a terminal")
    assert json.loads(other)["level"] == "ERROR"
    assert "\\u001b" not in other
    assert file.read_text().endswith("] [ERROR] in a file\n")


@pytest.mark.usefixtures("bare_logs")
def test_what_log_config_says_of_the_error_log_has_no_colours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    config = {
        "handlers": {"mine": {"class": "logging.StreamHandler"}},
        "loggers": {ERROR_LOG: {"handlers": ["mine"], "propagate": False}},
    }
    (tmp_path / "log.json").write_text(json.dumps(config))
    set_up_logging(Config(log_config=str(tmp_path / "log.json")))
    logging.getLogger(ERROR_LOG).error("as it is")
    assert capsys.readouterr().err == "as it is\n"


def test_a_level_of_the_applications_own_stays_as_it_is() -> None:
    record = logging.LogRecord("a", 25, __file__, 1, "a message", (), None)
    assert COLOURED_LINE.format(record) == PLAIN_LINE.format(record)
