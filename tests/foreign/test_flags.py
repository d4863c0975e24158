"""The table of flags of other servers: each has one fate, a reason, and an option that exists."""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import version

import click
import pytest

from aiowsgi import cli
from aiowsgi.config_sources import ALL_OPTIONS
from aiowsgi.errors import ConfigError
from aiowsgi.foreign.flags import GRANIAN, Foreign, flags_in, ignored, refused, same, translated
from aiowsgi.foreign.table import FOREIGN

FLAGS = [(flag, row) for row in FOREIGN for flag in row.flags]


def our_flags() -> set[str]:
    """All that the command takes by itself."""
    return {
        name
        for parameter in cli.command([]).params
        if isinstance(parameter, click.Option)
        for name in (*parameter.opts, *parameter.secondary_opts)
    }


def test_a_flag_of_ours_is_in_no_row_and_no_flag_is_in_two() -> None:
    names = [flag for flag, _ in FLAGS]
    assert our_flags().intersection(names) == set()
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("row", FOREIGN, ids=lambda row: row.flags[-1])
def test_a_row_has_one_fate_and_says_why(row: Foreign) -> None:
    assert [bool(row.option), bool(row.why), bool(row.instead and not row.only)].count(True) == 1
    assert bool(row.only) == bool(row.why and row.instead)
    assert not row.option or row.option in ALL_OPTIONS
    assert bool(row.metavar) or "{}" not in row.told or row.told == "{}"
    assert row.servers


# What is meant beside the value itself, for options that refuse most texts.
SAMPLES = {
    "ADDRESS": "::1",
    "MODE": "660",
    "PATH": "/x",
    "NUMBER": "7",
    "[none|optional|required]": "2",
}


@pytest.mark.parametrize(("flag", "row"), [(f, r) for f, r in FLAGS if r.option])
def test_a_flag_of_another_name_tells_an_option_of_ours(flag: str, row: Foreign) -> None:
    option = ALL_OPTIONS[row.option]
    text = SAMPLES.get(option.kind.metavar, "7")
    told = translated(flag, row, [text] if row.metavar else [])
    assert told == {row.option: row.told.replace("{}", text)}
    option.read(told[row.option], flag)


def test_what_means_nothing_tells_nothing_and_the_rest_is_refused() -> None:
    row = ignored("-k, --kind NAME", [GRANIAN], "all are one", only=["a", "b"], instead="say a")
    assert row.flags == ("-k", "--kind")
    assert translated("-k", row, ["a", "b"]) == {}
    with pytest.raises(ConfigError, match=r"^--kind c, of granian: say a$"):
        translated("--kind", row, ["a", "c"])
    with pytest.raises(ConfigError, match=r"^--no, of granian: never$"):
        translated("--no", refused("--no", [GRANIAN], "never"), [])


def test_a_repeated_flag_is_a_list() -> None:
    row = same("--files FILE", [GRANIAN], "env_file")
    assert translated("--files", row, ["a", "b"]) == {"env_file": ["a", "b"]}


def test_flags_are_found_however_they_are_written() -> None:
    table = [same("-k, --kind-of NAME", [GRANIAN], "name"), refused("-D", [GRANIAN], "no")]
    for line in (["-k", "x"], ["-kx"], ["--kind-of=x"], ["--kind_of", "x"], ["-Dk", "x"]):
        assert table[0] in [row for _, row in flags_in(line, table)], line
    assert list(flags_in(["kind-of", "--kind"], table)) == []


# -- nothing is forgotten --


def known() -> set[str]:
    return our_flags() | {flag for flag, _ in FLAGS} | {"-h", "--help", "-v"}


def newer(package: str, than: int) -> bool:
    """Whether what is installed may have flags that nobody here has seen."""
    return int(version(package).partition(".")[0]) > than


@pytest.mark.skipif(
    sys.platform == "win32" or newer("gunicorn", 27), reason="the table is gunicorn 27's"
)
def test_each_flag_of_gunicorn_has_its_fate() -> None:
    from gunicorn.config import Config

    parser: argparse.ArgumentParser = Config().parser()
    flags = {flag for action in parser._actions for flag in action.option_strings}
    assert {flag.replace("_", "-") for flag in flags} - known() == set()


@pytest.mark.skipif(newer("waitress", 3), reason="the table is waitress 3's")
def test_each_flag_of_waitress_has_its_fate() -> None:
    from waitress.adjustments import Adjustments

    flags = set()
    for name, cast in Adjustments._params:  # type: ignore[attr-defined]
        flag = "--" + name.replace("_", "-")
        flags.add(flag)
        if cast.__name__ == "asbool":
            flags.add(f"--no-{flag[2:]}")
    only_python = {f"--{no}{name}" for no in ("", "no-") for name in ("map", "sockets")}
    assert flags - known() - only_python == set()
