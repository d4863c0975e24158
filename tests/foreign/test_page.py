"""docs/migrating.md is current, and names options that exist."""

from __future__ import annotations

import re

from aiowsgi.foreign.table import FOREIGN
from docs.generate_migrating import BEGIN, PAGE, render
from tests.foreign.test_flags import our_flags

TEXT = PAGE.read_text(encoding="utf-8")


def test_the_table_of_all_flags_is_current() -> None:
    assert TEXT == render(TEXT, FOREIGN), "run: python -m docs.generate_migrating"
    assert TEXT.count(BEGIN) == 1


def test_what_a_flag_becomes_is_an_option_of_ours() -> None:
    rows = re.findall(r"^\| (.*) \| (.*) \| .*\|$", TEXT.partition(BEGIN)[0], re.MULTILINE)
    named = {flag for _, ours in rows for flag in re.findall(r"`(--[a-z-]+)", ours)}
    assert len(named) > 30
    assert named - our_flags() == set()


def test_what_is_called_the_same_is_known_under_that_name() -> None:
    known = our_flags() | {flag for row in FOREIGN for flag in row.flags}
    rows = re.findall(r"^\| (.*) \| the same \| .*\|$", TEXT, re.MULTILINE)
    named = {flag for theirs in rows for flag in re.findall(r"`(--?[a-z-]+)`", theirs)}
    assert named - known - {"-fields", "-field_size", "--ssl-"} == set()
