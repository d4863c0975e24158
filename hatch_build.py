"""Compiles the hot path when a wheel is built: the same source, through mypyc, with a C compiler.

A build hook of hatchling. Where it cannot compile (no compiler, no headers, no mypy) the wheel is
pure Python, and one line says so; an editable install runs the source. In the environment,
AIOWSGI_PURE=1 leaves it out and AIOWSGI_COMPILED=1 makes a failure an error. Nothing is written
into the checkout.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# What runs for every request, by name or pattern. All else is interpreted: it runs once, or it is
# what mypyc does not know (subclasses of exceptions, protocols with defaults, continue in a with).
COMPILED = (
    "asgi/encoder.py",
    "asgi/scope.py",
    "bridge/body_spool.py",
    "bridge/budget.py",
    "bridge/disconnect.py",
    "bridge/answers.py",
    "bridge/application.py",
    "bridge/exchange.py",
    "bridge/gather.py",
    "bridge/outlet.py",
    "bridge/places.py",
    "bridge/pool.py",
    "bridge/spool.py",
    "bridge/spool_file.py",
    "bridge/stand_back.py",
    "bridge/wake.py",
    "bridge/writer.py",
    "http11/[!_]*.py",
    "server/connection.py",
    "server/gate.py",
    "server/inbound.py",
    "server/outbound.py",
    "server/phases.py",
    "server/secure.py",
    "server/service.py",
    "server/waking.py",
    "watch/access_log.py",
    "watch/combined.py",
    "watch/dev_line.py",
    "watch/entry.py",
    "watch/json_line.py",
    "watch/lines.py",
    "watch/plan.py",
    "watch/log_thread.py",
    "watch/tally.py",
    "wsgi/call.py",
    "wsgi/environ.py",
    "wsgi/forwarded.py",
    "wsgi/response.py",
    "wsgi/trust.py",
)

# The library that holds all of it, beside a small module for each of the above.
LIBRARY = "aiowsgi._hot"

REQUIREMENTS = ["mypy[mypyc]>=2.0,<3", "setuptools>=68"]

PURE, MUST = "AIOWSGI_PURE", "AIOWSGI_COMPILED"


class CompileHotPath(BuildHookInterface):  # type: ignore[type-arg]
    """Adds the compiled modules to a wheel; the sources are in it as well, for tracebacks."""

    def dependencies(self) -> list[str]:
        """What compiling takes; nothing where it will not be tried."""
        return REQUIREMENTS if reason_against() is None else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and have the wheel carry the result and the tag of this platform."""
        if version == "editable":
            return
        must = _is_set(MUST)
        reason = reason_against()
        if reason is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="aiowsgi-build-")
            reason = self._compile(Path(self._scratch.name), build_data)
        if reason is None:
            self.app.display_info("aiowsgi: the hot path is compiled")
        elif must:
            raise RuntimeError(f"{MUST} is set, and {reason}")
        else:
            self.app.display_warning(f"aiowsgi: installed as pure Python, since {reason}")

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was built outside the checkout."""
        if hasattr(self, "_scratch"):
            self._scratch.cleanup()

    def _compile(self, scratch: Path, build_data: dict[str, Any]) -> str | None:
        """Compile a copy of the package; the reason where that failed."""
        shutil.copytree(
            Path(self.root) / "aiowsgi",
            scratch / "aiowsgi",
            ignore=shutil.ignore_patterns("__pycache__", "*.so", "*.pyd"),
        )
        done = subprocess.run(
            [sys.executable, __file__],
            cwd=scratch,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode:
            if self.app.verbosity > 0 or _is_set(MUST):
                self.app.display(done.stdout)
            return f"mypyc failed: {_last_words(done.stdout)}"
        built = scratch / "built"
        for path in built.rglob("*"):
            if path.is_file():
                build_data["force_include"][str(path)] = path.relative_to(built).as_posix()
        build_data["infer_tag"] = True
        build_data["pure_python"] = False
        return None


def reason_against() -> str | None:
    """Why compiling is not even tried; None where it is."""
    if _is_set(PURE):
        return f"{PURE} is set"
    if sys.implementation.name != "cpython":
        return f"{sys.implementation.name} compiles by itself"
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return "compiled code is not proven without the GIL"
    return None


def hot(package: Path) -> list[Path]:
    """The modules of `package` that are compiled; each has to be there."""
    found = [sorted(package.glob(name)) for name in COMPILED]
    if not all(found):
        raise SystemExit(f"error: not all of {', '.join(COMPILED)} are in {package}")
    return [path for paths in found for path in paths]


def build() -> None:
    """In a directory that holds a copy of the package: compile it into `built/`."""
    from mypyc.build import mypycify
    from setuptools import setup

    # The project's own settings want its development tools; types are checked elsewhere.
    Path("mypy.ini").write_text("[mypy]\nignore_missing_imports = True\n", encoding="utf-8")
    modules = mypycify(
        ["--config-file=mypy.ini", *map(str, hot(Path("aiowsgi")))],
        group_name=LIBRARY,
        debug_level="0",
    )
    setup(
        name="aiowsgi",
        packages=[],
        ext_modules=modules,
        script_args=["build_ext", "--build-lib", "built", "--build-temp", "temporary"],
    )


def _is_set(variable: str) -> bool:
    return os.environ.get(variable, "").lower() not in {"", "0", "false", "no", "off"}


def _last_words(output: str) -> str:
    """The line of a failed build that says most."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return next((line for line in lines if "error:" in line.lower()), lines[-1] if lines else "")


if __name__ == "__main__":
    build()
