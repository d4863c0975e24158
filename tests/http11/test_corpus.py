"""Every request of tests/corpus gets its answers, however the network cuts it."""

from __future__ import annotations

import pytest

from aiowsgi.http11.head import HeadReader
from aiowsgi.http11.messages import Limits
from aiowsgi.http11.parser import ParserState, RequestParser
from tests.corpus import CASES, Case
from tests.http11.reading import answers, bytewise, cut_at_random, plain, read, well_read

# What the parser carries of REQUIREMENTS' H numbers; the others are the connection's.
CARRIED = "H1 H2 H3 H4 H5 H6 H7 H8 H10 H11 H13 H15 H16 H17 H18 H20 H22 H23 H24".split()

every_case = pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])


@every_case
def test_a_request_gets_its_answers(case: Case) -> None:
    assert answers(read([case.raw])) == (case.statuses, case.bodies)


@every_case
def test_cuts_between_all_bytes_change_nothing(case: Case) -> None:
    assert plain(read(bytewise(case.raw))) == plain(read([case.raw]))


@pytest.mark.parametrize("seed", range(3))
@every_case
def test_cuts_at_random_change_nothing(case: Case, seed: int) -> None:
    assert plain(read(cut_at_random(case.raw, seed))) == plain(read([case.raw]))


@every_case
def test_what_was_read_before_changes_nothing(case: Case) -> None:
    assert plain(read([case.raw], reader=well_read(case.raw))) == plain(read([case.raw]))


@every_case
def test_the_connection_is_left_as_it_should_be(case: Case) -> None:
    parser = RequestParser(HeadReader(Limits()))
    parser.feed(case.raw)
    while parser.state is ParserState.COMPLETE and parser.waiting:
        parser.resume()
    unfinished = parser.state in (ParserState.HEAD, ParserState.BODY) or not case.statuses
    assert (parser.state is ParserState.CLOSED, unfinished) == (case.closes, case.waits)


def test_every_rule_that_the_parser_carries_has_its_case() -> None:
    cited = {rule for case in CASES for rule in case.rules}
    assert cited.issuperset(CARRIED)


def test_names_of_cases_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 150
