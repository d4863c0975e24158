"""The name or text of a format -> what makes its lines; once, when the server starts."""

from __future__ import annotations

from aiowsgi.line_format import COMMON, parse
from aiowsgi.watch.combined import CombinedLines
from aiowsgi.watch.lines import Lines


def lines_of(text: str, *, coloured: bool = False) -> Lines:
    """Make what makes the lines of a format that `check_format` has returned."""
    if text == "combined":
        return CombinedLines()
    # Here, where they are asked for: a plain start does without, and is shorter for it.
    from aiowsgi.watch.plan import Plan, PlannedLines

    if text == "json":
        from aiowsgi.watch.json_line import JsonLine

        return PlannedLines(JsonLine().write)
    if text == "dev":
        from aiowsgi.watch.dev_line import DevLine

        return PlannedLines(DevLine(coloured=coloured).write)
    plan = Plan(parse(COMMON if text == "common" else text))
    return PlannedLines(plan.write, timed=plan.timed)
