"""Which files count as a change, and that each change is told."""

from __future__ import annotations

import os
import select
import sys
from pathlib import Path

import pytest

from aiowsgi.errors import ConfigError
from aiowsgi.server.changes import Changes, Patterns


@pytest.mark.parametrize(
    ("path", "include", "exclude", "counts"),
    [
        ("/shop/web.py", (), (), True),
        ("/shop/a/b/web.py", (), (), True),
        ("/shop/web.html", (), (), False),
        ("/shop/a/web.html", ("*.html",), (), True),
        ("/shop/templates/a/b.txt", ("templates/*",), (), True),
        ("/shop/templates/a/b.txt", ("./templates/",), (), True),
        ("/shop/templates/a/b.txt", ("templates",), (), True),
        ("/shop/x/templates/b.txt", ("templates/*",), (), False),
        ("/shop/.env", (".env",), (), True),
        ("/shop/conf/a.toml", ("/shop/conf/a.toml",), (), True),
        ("/shop/web.py", (), ("*.py",), False),
        ("/shop/tests/test_a.py", (), ("tests",), False),
        ("/shop/tests/test_a.py", (), ("tests/*",), False),
        ("/shop/tests/test_a.py", (), ("/shop/tests",), False),
        ("/shop/contests/a.py", (), ("tests",), True),
        ("/shop/web.py", (), ("shop",), True),  # what the directory itself is called says nothing
    ],
)
def test_a_file_counts_by_its_name_or_its_path(
    path: str, include: tuple[str, ...], exclude: tuple[str, ...], counts: bool
) -> None:
    assert Patterns(["/shop"], include, exclude)(path) is counts


def wait(changes: Changes, wanted: Path) -> None:
    """Wait until it is told that a file has changed; the system may tell of one change twice."""
    while True:
        readable, _, _ = select.select([changes], [], [], 30)
        assert readable
        if os.path.realpath(wanted) in changes.take():
            return


def test_a_change_right_after_the_start_is_told(tmp_path: Path) -> None:
    for number in range(200):
        tmp_path.joinpath(f"package{number}").mkdir()
    last = os.listdir(tmp_path)[-1]
    with Changes([str(tmp_path)]) as changes:
        file = tmp_path / last / "a.py"
        file.write_text("")
        wait(changes, file)


def test_what_does_not_count_is_not_told(tmp_path: Path) -> None:
    for name in (".git", "__pycache__", ".venv", "tests"):
        tmp_path.joinpath(name).mkdir()
    with Changes([str(tmp_path)], ["*.html"], ["tests"]) as changes:
        for name in (".git/a.py", "__pycache__/a.py", ".venv/a.py", "tests/a.py", "a.txt", "a.py~"):
            tmp_path.joinpath(name).write_text("")
        tmp_path.joinpath("a.html").write_text("")
        readable, _, _ = select.select([changes], [], [], 30)
        assert readable
        assert [Path(path).name for path in changes.take()] == ["a.html"]


def test_a_file_that_was_read_counts_whatever_it_is_called(tmp_path: Path) -> None:
    file = tmp_path / "shop.cfg"
    file.write_text("")
    with Changes([str(tmp_path)], files=[str(file)]) as changes:
        file.write_text("x")
        wait(changes, file)


def test_a_directory_behind_a_link_is_watched(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    tmp_path.joinpath("link").symlink_to(real)
    with Changes([str(tmp_path / "link")]) as changes:
        real.joinpath("a.py").write_text("")
        wait(changes, real / "a.py")


def test_what_cannot_be_watched_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"^reload_dir: '.*nowhere' is no directory$"):
        Changes([str(tmp_path / "nowhere")])
    with pytest.raises(ConfigError, match=r"^reload_include: '/etc/x' lies outside"):
        Changes([str(tmp_path)], ["/etc/x"])
    changes = Changes([str(tmp_path)])
    tmp_path.rmdir()
    with pytest.raises(ConfigError, match=r"^reload: the system does not tell of changes"):
        changes.__enter__()
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    with pytest.raises(ConfigError, match=r"pip install 'aiowsgi\[reload\]'"):
        Changes(["."])
