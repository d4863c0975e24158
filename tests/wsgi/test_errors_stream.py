"""wsgi/errors_stream.py: wsgi.errors takes any text and never raises (P24, S18)."""

from __future__ import annotations

import io
import logging
import os
import sys
import traceback
from pathlib import Path
from typing import Any, TextIO

import pytest

from aiowsgi.wsgi.errors_stream import ErrorStream


def test_text_goes_to_stderr_as_it_is_at_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """P24: programs and tests replace it."""
    errors = ErrorStream()
    for _ in range(2):
        stream = io.StringIO()
        monkeypatch.setattr(sys, "stderr", stream)
        assert errors.write("caf\xe9 \u20ac\n") == 7
        errors.writelines(["a\n", "b\n"])
        errors.writelines(iter(["c"]))
        assert stream.getvalue() == "caf\xe9 \u20ac\na\nb\nc"


def test_flush_flushes_stderr(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """P24."""
    path = tmp_path / "stderr"
    with path.open("w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        errors = ErrorStream()
        errors.write("waiting")
        assert path.read_text() == ""
        errors.flush()
        assert path.read_text() == "waiting"


def test_what_stderr_cannot_encode_is_escaped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """P24: any str, surrogates too."""
    path = tmp_path / "stderr"
    with path.open("w", encoding="ascii", errors="strict") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        assert ErrorStream().write("\xe9 \ud800 x") == 5
    assert path.read_text() == r"\xe9 \ud800 x"


def closed() -> TextIO:
    stream = io.StringIO()
    stream.close()
    return stream


def broken_pipe() -> TextIO:
    reader, writer = os.pipe()
    os.close(reader)
    return io.TextIOWrapper(io.FileIO(writer, "w"), write_through=True)


@pytest.mark.parametrize("make", [lambda: None, closed, broken_pipe])
def test_nothing_is_raised_where_stderr_is_gone(monkeypatch: pytest.MonkeyPatch, make: Any) -> None:
    """P24, S18."""
    stream = make()
    monkeypatch.setattr(sys, "stderr", stream)
    errors = ErrorStream()
    assert errors.write("\ud800") == 1
    errors.writelines(["a", "b"])
    errors.flush()
    if stream is not None:
        stream.close()


def test_what_is_no_text_is_shown_rather_than_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    """P24: a slip in the report of an error must not hide it."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    wrong: Any = [b"bytes", 1]
    ErrorStream().writelines(wrong)
    assert stream.getvalue() == "b'bytes'1"


def test_print_logging_and_traceback_write_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """P24: the ways in which frameworks use it."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    errors: Any = ErrorStream()
    print("printed", file=errors, flush=True)  # noqa: T201 - as applications do
    record = logging.makeLogRecord({"msg": "logged"})
    logging.StreamHandler(errors).emit(record)
    traceback.print_exception(ValueError("traced"), file=errors)
    assert stream.getvalue() == "printed\nlogged\nValueError: traced\n"
