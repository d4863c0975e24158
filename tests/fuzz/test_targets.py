"""The targets of the coverage-guided search start, begin with the corpus, and end at a fault."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from aiowsgi.version import compiled
from tests.corpus import CASES
from tests.examples.running import ROOT
from tests.fuzz import parser_target, response_target
from tests.fuzz.one_input import answers, requests
from tests.fuzz.searching import MISSING, plant

TARGETS = ["parser_target.py", "response_target.py"]

searches = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None or compiled(),
    reason="needs the extra 'fuzz', and the source: compiled code cannot be watched",
)

FAULT = """
import sys
from tests.fuzz import parser_target, request_laws

def check(raw, pieces, limits):
    if b"chunked" in raw:
        raise request_laws.LawBroken("a planted fault")

request_laws.check = check
parser_target.main(["planted", *sys.argv[1:]])
"""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, timeout=50
    )


def test_every_case_of_the_corpus_that_is_not_long_is_a_seed(tmp_path: Path) -> None:
    wanted = {case.raw for case in CASES if len(case.raw) < 2000}
    plant(tmp_path / "corpus", parser_target.seeds())
    assert {file.read_bytes() for file in (tmp_path / "corpus").iterdir()} >= wanted


def test_each_seed_keeps_the_laws() -> None:
    for seed in parser_target.seeds():
        requests(seed)
    for seed in response_target.seeds():
        answers(seed)


@pytest.mark.parametrize("target", TARGETS)
def test_without_atheris_a_target_says_what_to_install(target: str) -> None:
    code = f"import sys, runpy; sys.modules['atheris'] = None; runpy.run_path({target!r}, {{}}, '"
    done = run("-c", code.replace(target, f"tests/fuzz/{target}") + "__main__')")
    assert (done.returncode, done.stderr.strip()) == (1, MISSING)


@searches
@pytest.mark.parametrize("target", TARGETS)
def test_a_search_ends_well_and_keeps_what_it_found(target: str, tmp_path: Path) -> None:
    done = run(f"tests/fuzz/{target}", str(tmp_path), "-runs=1000")
    assert (done.returncode, "Done 1000 runs" in done.stderr) == (0, True), done.stderr
    assert len(list(tmp_path.iterdir())) > 100


@searches
def test_a_law_that_is_broken_ends_the_search_and_shows_the_bytes(tmp_path: Path) -> None:
    done = run("-c", FAULT, str(tmp_path), "-runs=1000")
    assert done.returncode != 0
    assert "a planted fault\nbytes: b'" in done.stderr
    (crash,) = tmp_path.glob("crash-*")
    assert b"chunked" in crash.read_bytes()
