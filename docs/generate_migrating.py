"""Writes the last part of docs/migrating.md from the table of flags of other servers.

`python -m docs.generate_migrating`
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from aiowsgi.config_sources import ALL_OPTIONS
from aiowsgi.foreign.flags import GRANIAN, GUNICORN, UVICORN, WAITRESS, Foreign

PAGE = Path(__file__).with_name("migrating.md")
BEGIN = "<!-- from here on: python -m docs.generate_migrating -->\n"


def render(page: str, table: Iterable[Foreign]) -> str:
    """Return the page with its last part made anew."""
    written = page.partition(BEGIN)[0]
    rows = list(table)
    return "".join([written, BEGIN, *_parts(rows)])


def _parts(rows: list[Foreign]) -> Iterator[str]:
    for server in (GUNICORN, UVICORN, WAITRESS, GRANIAN):
        yield f"\n### {server}\n\n| flag | here |\n|---|---|\n"
        for row in rows:
            if server in row.servers:
                flags = ", ".join(f"`{flag}`" for flag in row.flags)
                yield f"| {flags} | {_fate(row)} |\n"


def _fate(row: Foreign) -> str:
    if row.option:
        flag = ALL_OPTIONS[row.option].flag
        return f"`{flag}`" if row.told == "{}" else f"`{flag} {row.told.replace('{}', 'N')}`"
    values = f" ({', '.join(f'`{value}`' for value in row.only)})" if row.only else ""
    why = f"ignored{values}: {row.why}" if row.why else ""
    instead = f"an error: {row.instead}" if row.instead else ""
    return "; else ".join(filter(None, (why, instead)))


if __name__ == "__main__":
    from aiowsgi.foreign.table import FOREIGN

    PAGE.write_text(render(PAGE.read_text(encoding="utf-8"), FOREIGN), encoding="utf-8")
