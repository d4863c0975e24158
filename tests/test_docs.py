"""The pages of docs/ and the other Markdown files name what exists, and prove what they promise."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

import aiowsgi
from tests.examples.running import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
PACKAGE = Path(aiowsgi.__file__).parent  # the checkout's, or an installed one
BEHAVIOUR = (ROOT / "docs" / "behaviour.md").read_text(encoding="utf-8")
SECURITY = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NUMBER = r"\b([HPS][1-9]\d?)\b"


@cache
def text(path: str) -> str:
    file = ROOT / path
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def promises() -> dict[str, str]:
    """Number -> the sentence and its proofs."""
    parts = re.split(r"^- \*\*([HPS]\d+)\*\* ", BEHAVIOUR, flags=re.MULTILINE)[1:]
    numbers: list[str] = parts[::2]
    bodies = [re.sub(r"\n(\n|#).*", "", body, flags=re.DOTALL) for body in parts[1::2]]
    assert len(numbers) == len(set(numbers))
    return dict(zip(numbers, bodies, strict=True))


def threats() -> dict[str, list[str]]:
    """The rows of docs/security.md: threat -> its cells."""
    rows = re.findall(r"^\| ([HPS]\d.*) \|$", SECURITY, flags=re.MULTILINE)
    cells = [re.split(r" ?\| ", row) for row in rows]
    return {row[1]: row for row in cells}


def proofs(body: str) -> list[str]:
    return re.findall(r"`(tests/[^`]+)`", body)


def is_there(proof: str) -> bool:
    path, _, test = proof.partition("::")
    return f"def {test}(" in text(path) if test else bool(text(path))


def test_every_rule_of_the_pep_and_of_http_is_promised() -> None:
    """The numbers that are not there are no rules of their own."""
    pep = {*range(1, 14), *range(16, 20), *range(24, 33), *range(34, 37), *range(38, 48)}
    wanted = {f"P{number}" for number in pep} | {f"H{number}" for number in range(1, 25)}
    assert wanted - promises().keys() == set()


@pytest.mark.parametrize("number", promises())
def test_a_promise_has_a_proof_that_exists(number: str) -> None:
    body = promises()[number]
    assert proofs(body)
    assert [proof for proof in proofs(body) if not is_there(proof)] == []


@pytest.mark.parametrize("threat", threats())
def test_a_threat_has_a_default_options_that_exist_and_a_test_that_exists(threat: str) -> None:
    numbers, _, default, options, test = threats()[threat]
    assert set(numbers.split(", ")) <= promises().keys()
    assert default
    named = re.findall(r"`(--[a-z-]+)`", options)
    assert set(named) <= set(re.findall(r"`(--[a-z-]+)[ `]", text("docs/options.md")))
    assert proofs(test)
    assert all("::" in proof for proof in proofs(test))
    assert [proof for proof in proofs(test) if not is_there(proof)] == []


def test_every_number_of_what_keeps_a_server_up_is_a_threat_or_said_to_be_missing() -> None:
    held = {number for row in threats().values() for number in row[0].split(", ")}
    missing = set(re.findall(NUMBER, SECURITY.partition("## Not here yet")[2]))
    assert not held & missing
    assert {f"S{number}" for number in range(1, 22)} <= held | missing


def test_a_file_of_cases_cites_the_number_that_it_proves() -> None:
    cited = {
        (number, proof)
        for number, body in promises().items()
        for proof in proofs(body)
        if proof.endswith(".txt")
    }
    assert [pair for pair in cited if not re.search(rf"\b{pair[0]}\b", text(pair[1]))] == []


def test_every_number_that_a_test_cites_is_a_promise() -> None:
    files = [path for path in (ROOT / "tests").rglob("*") if path.suffix in {".py", ".txt"}]
    cited = {
        number: path.name
        for path in files
        if path != Path(__file__)
        for number in re.findall(NUMBER, path.read_text(encoding="utf-8"))
    }
    assert {number: name for number, name in cited.items() if number not in promises()} == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_links_to_or_names_exists(page: Path) -> None:
    content = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]+)", content)
    assert [link for link in links if not (page.parent / link).exists()] == []
    named = re.findall(r"`((?:aiowsgi|tests|docs|examples|\.ci)/[\w./-]*)(?:::\w+)?`", content)
    places = (ROOT, PACKAGE.parent)
    assert [name for name in named if not any((root / name).exists() for root in places)] == []


def test_the_checks_can_fail() -> None:
    assert not is_there("tests/test_docs.py::test_nothing")
    assert not is_there("tests/nowhere.txt")
    assert is_there("tests/test_docs.py::test_the_checks_can_fail")
