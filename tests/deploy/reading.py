"""The files of deploy/, and the command lines in them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest
import yaml

from aiowsgi.cli import main
from aiowsgi.config import Config
from tests.examples.running import ROOT

DEPLOY = ROOT / "deploy"


def text(path: str) -> str:
    return (DEPLOY / path).read_text(encoding="utf-8")


def documents(path: str) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(text(path)) if document is not None]


def config(words: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> Config:
    """What these words, after `aiowsgi`, tell a server; the command itself has to accept them."""
    *options, app = words
    assert re.fullmatch(r"[\w.]+:\w+", app), app
    if app.startswith("shop."):  # the reader's own
        app = "examples.hello:app"
    assert main(["--check-config", *options, app]) == 0
    found: list[Config] = []
    with monkeypatch.context() as patch:
        patch.setattr(
            "aiowsgi.cli.start", lambda app, read, settings: found.append(settings.config)
        )
        assert main([*options, app]) == 0
    return found[0]
