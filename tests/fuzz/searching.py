"""Runs a coverage-guided search (atheris, over libFuzzer) for bytes that break a law.

    python tests/fuzz/parser_target.py [CORPUS] [-runs=N] [-max_total_time=SECONDS] ...

CORPUS is a folder, made where it is not there: it is given the seeds, and keeps what reached new
branches, and what broke a law (`crash-*`), so that the next run begins with it. Without one, the
folder is a temporary one. Options are libFuzzer's (`-help=1`). Ends with 0 when no law was broken.

The extra `fuzz` brings atheris, which has wheels for CPython on Linux on x86-64 only. The source is
searched, not what it compiles to: only Python's own branches can be followed.
"""

from __future__ import annotations

import hashlib
import importlib
import logging
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NoReturn

MISSING = "atheris is not installed: pip install -e '.[fuzz]' (CPython on Linux, x86-64)"


def search(
    law: str, seeds: Callable[[], Iterable[bytes]], words: Iterable[bytes], argv: list[str]
) -> NoReturn:
    """Search for bytes on which `law`, a function named as "module:name", raises.

    `seeds` are the inputs to begin with, `words` what mutations may put together.
    """
    try:
        import atheris
    except ImportError:
        sys.exit(MISSING)
    # What is imported in here is watched. The tests' own laws are not: their branches say nothing
    # of the server's.
    with atheris.instrument_imports(include=["aiowsgi"]):
        module, _, name = law.partition(":")
        one_input = getattr(importlib.import_module(module), name)
        # That an application gives more than it announced is told thousands of times a second.
        logging.getLogger("aiowsgi.error").disabled = True
    from aiowsgi.version import compiled

    if compiled():
        sys.exit("the compiled package is installed: search the source (pip install -e .)")
    with tempfile.TemporaryDirectory(prefix="aiowsgi-fuzz-") as scratch:
        folders = [argument for argument in argv[1:] if not argument.startswith("-")]
        corpus = Path(folders[0] if folders else scratch, "")
        plant(corpus, seeds())
        options = ["-max_len=4096", f"-artifact_prefix={corpus}/"]
        with tempfile.NamedTemporaryFile("w", suffix=".dict", encoding="ascii") as dictionary:
            dictionary.write("".join(f'"{_quoted(word)}"\n' for word in words))
            dictionary.flush()
            ours = [*options, f"-dict={dictionary.name}"]
            given = argv[1:] if folders else [str(corpus), *argv[1:]]
            atheris.Setup([argv[0], *ours, *given], one_input, enable_python_coverage=True)
            atheris.Fuzz()
    sys.exit()


def plant(corpus: Path, seeds: Iterable[bytes]) -> None:
    """Put each seed into its own file in `corpus`, named by what it holds, as libFuzzer does."""
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        name = hashlib.sha1(seed, usedforsecurity=False).hexdigest()
        (corpus / name).write_bytes(seed)


def _quoted(word: bytes) -> str:
    """A word as libFuzzer's dictionaries spell it."""
    return "".join(f"\\x{byte:02x}" for byte in word)
