"""What the ladder found, as people and programs read it: a table, Markdown, JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.ladder_climb import REQUESTS, WITHIN, Climb, Step
from benchmarks.ladder_kinds import Kind

TITLE = "How many bad clients of one kind two threads stand"
LEGEND = (
    f"The highest step at which each of {REQUESTS} ordinary requests was answered within "
    f"{WITHIN:.0f} s, and the server's memory for each bad client there (resident, all processes).",
    "cut: so many of the bad clients had been cut by the server by then. without answer: so many "
    "never got what they had come for.",
)


@dataclass
class Ladder:
    """One run: under which conditions, which steps, and what was found."""

    facts: dict[str, str]
    steps: Sequence[int]
    missing: dict[str, str] = field(default_factory=dict)
    climbs: list[Climb] = field(default_factory=list)

    def find(self, kind: Kind, server: str) -> Climb | None:
        return next((c for c in self.climbs if (c.kind, c.server) == (kind, server)), None)

    @property
    def kinds(self) -> list[Kind]:
        return list(dict.fromkeys(climb.kind for climb in self.climbs))

    @property
    def servers(self) -> list[str]:
        return list(dict.fromkeys(climb.server for climb in self.climbs))

    def fallen(self) -> list[str]:
        """Of aiowsgi: the kinds of which it does not stand as many as it has to, in words."""
        return [
            f"{climb.kind.name}: {climb.top.clients if climb.top else 0:,}, not {aim:,}"
            for climb in self.climbs
            if climb.server == "aiowsgi"
            and (aim := max((step for step in self.steps if step <= climb.kind.aim), default=0))
            and not climb.reaches(aim)
        ]


def memory(value: float | None) -> str:
    if value is None:
        return "?"
    return f"{value / 2**20:.1f} MiB" if abs(value) >= 2**20 else f"{value / 2**10:.1f} KiB"


def remarks(step: Step) -> list[str]:
    """What keeps a step from being the plain one."""
    unsettled = step.clients - step.settled
    words = [f"{step.cut:,} cut"] * bool(step.cut)
    return words + [f"{unsettled:,} without answer"] * bool(unsettled)


def cell(climb: Climb | None) -> str:
    if climb is None:
        return ""
    if climb.top is None:
        return next((f"0 ({step.failure})" for step in climb.steps if step.failure), "0")
    return f"{climb.top.clients:,} ({', '.join([memory(climb.top.memory), *remarks(climb.top)])})"


def said(step: Step) -> str:
    """One step in a few words, for the line of progress."""
    if step.failure:
        return step.failure
    words = [f"{step.answered}/{REQUESTS} answered"]
    words += [f"slowest {step.slowest * 1000:.0f} ms"] if step.slowest is not None else []
    words += [f"{memory(step.memory)} each", *remarks(step)]
    return ("held: " if step.held else "not held: ") + ", ".join(words)


def rows(ladder: Ladder) -> list[list[str]]:
    found = [["kind", *ladder.servers]]
    for kind in ladder.kinds:
        cells = [cell(ladder.find(kind, server)) for server in ladder.servers]
        found.append([f"{kind.name}: {kind.summary}", *cells])
    return found


def facts(ladder: Ladder) -> list[str]:
    skipped = [f"{name}: {why}; skipped" for name, why in ladder.missing.items()]
    return skipped + [f"{name}: {value}" for name, value in ladder.facts.items()]


def text(ladder: Ladder) -> str:
    table = rows(ladder)
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in table
    ]
    return "\n".join([TITLE, *lines, "", *LEGEND, "", *facts(ladder)])


def markdown(ladder: Ladder) -> str:
    top, *body = rows(ladder)
    lines = [top, ["---"] * len(top), *body]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    listed = "\n".join(f"- {line}" for line in facts(ladder))
    return "\n\n".join([f"### {TITLE}", table, "\n".join(LEGEND), listed]) + "\n"


def as_data(climb: Climb) -> Mapping[str, Any]:
    return {
        "server": climb.server,
        "kind": climb.kind.name,
        "summary": climb.kind.summary,
        "held": climb.top.clients if climb.top else 0,
        "bytes_each": climb.top.memory if climb.top else None,
        "steps": [{**dataclasses.asdict(step), "held": step.held} for step in climb.steps],
    }


def as_json(ladder: Ladder) -> str:
    return json.dumps(
        {
            "facts": ladder.facts,
            "missing": ladder.missing,
            "ladder": list(ladder.steps),
            "climbs": [as_data(climb) for climb in ladder.climbs],
        },
        indent=1,
    )
