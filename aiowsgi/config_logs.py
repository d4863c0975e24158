"""The options of the logs: what is written, where to, and in which form."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from aiowsgi import kinds
from aiowsgi.line_format import check_format
from aiowsgi.options import LOGS, option

_TOKEN = re.compile(r"[A-Za-z0-9-]{1,64}")  # one whose variable in environ is no other's


def check_header(name: str) -> str:
    """Return the name of a field; empty for none; ValueError for what is no name."""
    if name.strip().lower() in ("", "none", "off"):
        return ""
    if _TOKEN.fullmatch(name) is None:
        raise ValueError("the name of a header field, of letters, digits and - (or none)")
    return name


def _output(stream: str) -> kinds.Kind:
    """Return the kind of places that a log is written to: `-` or a file."""
    path = kinds.file()

    def read(value: Any) -> str | None:
        return None if value in (None, "-") else path.read(value)

    return dataclasses.replace(path, read=read, absent=f"- ({stream})")


@dataclasses.dataclass(frozen=True, init=False)
class LogOptions:
    """What is told of requests and of the server itself."""

    log_level: str = option(
        "info",
        kinds.choice("debug", "info", "warning", "error", "critical"),
        LOGS,
        "What the server writes to the error log: this level and above.",
    )
    error_logfile: str | None = option(
        None,
        _output("stderr"),
        LOGS,
        "Write the error log to this file; - is stderr. USR1 opens it anew.",
        flags=("--log-file", "--error-log"),
    )
    log_format: str = option(
        "text",
        kinds.choice("text", "json"),
        LOGS,
        "json: one object per line, in both logs. The error log needs the extra json for it.",
    )
    log_config: str | None = option(
        None,
        kinds.file(),
        LOGS,
        "Set up Python's logging by this file first: .toml or .json with what "
        "logging.config.dictConfig takes, else the ini form of fileConfig. The loggers are "
        "aiowsgi.error and aiowsgi.access.",
    )
    access_log: bool = option(True, kinds.switch(), LOGS, "Write a line per request.")
    access_logfile: str | None = option(
        None,
        _output("stdout"),
        LOGS,
        "Write the access log to this file; - is stdout. USR1 opens it anew.",
    )
    access_logformat: str | None = option(
        None,
        kinds.text("FORMAT", check_format),
        LOGS,
        "common, combined, json, dev (for people), or a text with gunicorn's atoms and ours: "
        "docs/logs.md has them.",
        flags=("--access-log-format", "--access-log-fmt"),
        default_text="combined; json with --log-format json",
    )
    request_id_header: str = option(
        "X-Request-ID",
        kinds.text("NAME", check_header),
        LOGS,
        "The header field with the id of a request: taken from --forwarded-allow-ips, made "
        "otherwise, and sent with the response; none: ids are of our own, and not sent.",
    )

    @property
    def line_format(self) -> str:
        """The format of the access log's lines."""
        return self.access_logformat or ("json" if self.log_format == "json" else "combined")
