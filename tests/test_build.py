"""A wheel carries the compiled hot path or is plainly pure Python; hatch_build.py decides which."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from importlib.machinery import ExtensionFileLoader
from importlib.util import find_spec
from pathlib import Path

import pytest

import aiowsgi
from aiowsgi.version import compiled, described

ROOT = Path(__file__).parent.parent

of_a_checkout = pytest.mark.skipif(
    not (ROOT / "aiowsgi").is_dir(), reason="what is built is a checkout, and this is none"
)


def build(
    folder: Path, *, to_fail: bool = False, kind: str = "build_wheel", **environ: str
) -> tuple[int, str, str, set[str]]:
    """Build the checkout as pip does: exit code, output, name of the wheel, the names in it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIOWSGI_")}
    if to_fail:  # as where there is no compiler, but soon
        (folder / "mypyc").mkdir()
        (folder / "mypyc" / "__init__.py").write_text("raise SystemExit('error: no compiler')\n")
        environ["PYTHONPATH"] = str(folder)
    done = subprocess.run(
        [sys.executable, "-c", f"from hatchling.build import *; {kind}({str(folder)!r})"],
        cwd=ROOT,
        env={**kept, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    wheels = list(folder.glob("*.whl"))
    if not wheels:
        return done.returncode, done.stdout, "", set()
    with zipfile.ZipFile(wheels[0]) as wheel:
        return done.returncode, done.stdout, wheels[0].name, set(wheel.namelist())


def extensions(names: set[str]) -> set[str]:
    return {name for name in names if name.endswith((".so", ".pyd"))}


def test_the_version_says_how_it_was_built_and_what_it_runs_on() -> None:
    build = "compiled" if compiled() else "pure Python"
    python = re.escape(f"{platform.python_implementation()} {platform.python_version()}")
    assert re.fullmatch(
        rf"{re.escape(aiowsgi.__version__)} \({build}; {python}, (uvloop \S+|no uvloop)\)",
        described(),
    )


def test_the_hot_path_is_compiled_as_a_whole_or_not_at_all() -> None:
    from hatch_build import hot

    package = Path(aiowsgi.__file__).parent
    paths = hot(package)  # the sources, which are there for tracebacks too
    parts = [path.relative_to(package.parent).with_suffix("").parts for path in paths]
    names = [".".join(part) for part in parts]
    assert "aiowsgi.http11.parser" in names
    specs = {name: find_spec(name) for name in names}
    loaders = {
        name: spec and type(spec.loader) is ExtensionFileLoader for name, spec in specs.items()
    }
    assert loaders == dict.fromkeys(names, compiled())


@of_a_checkout
def test_a_checkout_runs_its_source() -> None:
    assert not compiled()


@of_a_checkout
def test_a_wheel_is_pure_where_that_is_asked_for(tmp_path: Path) -> None:
    code, said, name, names = build(tmp_path, AIOWSGI_PURE="1")
    assert code == 0
    assert said.count("aiowsgi: installed as pure Python, since AIOWSGI_PURE is set") == 1
    assert name == f"aiowsgi-{aiowsgi.__version__}-py3-none-any.whl"
    assert not extensions(names)
    assert {"aiowsgi/py.typed", "aiowsgi/http11/parser.py"} <= names


@of_a_checkout
def test_a_wheel_is_pure_where_compiling_fails_and_one_line_says_why(tmp_path: Path) -> None:
    code, said, name, names = build(tmp_path, to_fail=True)
    assert code == 0
    line = "aiowsgi: installed as pure Python, since mypyc failed: error: no compiler"
    assert [text for text in said.splitlines() if text] == [line]
    assert name.endswith("-py3-none-any.whl")
    assert not extensions(names)


@of_a_checkout
@pytest.mark.parametrize("pure", ["", "1"])
def test_a_failure_is_an_error_where_compiled_code_is_asked_for(tmp_path: Path, pure: str) -> None:
    code, said, name, _ = build(tmp_path, to_fail=True, AIOWSGI_COMPILED="1", AIOWSGI_PURE=pure)
    reason = "AIOWSGI_PURE is set" if pure else "mypyc failed: error: no compiler"
    assert f"AIOWSGI_COMPILED is set, and {reason}" in said
    assert (code, name) == (1, "")


@of_a_checkout
def test_an_editable_install_is_never_compiled(tmp_path: Path) -> None:
    code, said, name, names = build(
        tmp_path, kind="build_editable", to_fail=True, AIOWSGI_COMPILED="1"
    )
    assert (code, said) == (0, "")
    assert name.endswith("-py3-none-any.whl")
    assert not extensions(names)


@of_a_checkout
def test_compiling_requires_a_compiler_of_python_and_pure_does_not() -> None:
    def required(**environ: str) -> str:
        code = "from hatchling.build import *; print(get_requires_for_build_wheel())"
        return subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, **environ},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout

    assert required(AIOWSGI_PURE="1") == "[]\n"
    can = sys.implementation.name == "cpython" and not sysconfig.get_config_var("Py_GIL_DISABLED")
    assert ("mypy[mypyc]" in required(AIOWSGI_PURE="")) is can


@of_a_checkout
def test_the_source_distribution_can_compile(tmp_path: Path) -> None:
    code, said, _, _ = build(tmp_path, kind="build_sdist", to_fail=True)
    assert (code, said) == (0, "")
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as files:
        assert f"aiowsgi-{aiowsgi.__version__}/hatch_build.py" in files.getnames()
