"""Results as people and programs read them: a table, Markdown, and JSON with every sample."""

from __future__ import annotations

import dataclasses
import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import figures
from benchmarks.figures import OURS, Sample, Series
from benchmarks.servers import Server
from benchmarks.workloads import LOG, Kind

LIMITED = "*"
DISTURBED = "~"
INTERRUPTED = "interrupted"
VERSION_OF = "version of "
LEGEND = (
    "Medians of the rounds. aiowsgi/it: the median of the ratios of single rounds, in brackets the "
    "lowest and the highest. Memory: resident, all processes. CPU: the "
    "server's, per request. Core: the share of its core that the server used.",
    f"{LIMITED} the load used its whole core: the server may be faster than the figure says.",
    f"{DISTURBED} other programs took a twentieth of a core or more, of the two: measure again.",
)


@dataclass
class Results:
    """One run: under which conditions, who was missing, and what was measured."""

    facts: dict[str, str]  # machine, versions, command: what must stand beside the figures
    missing: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    series: list[Series] = field(default_factory=list)

    def add_servers(self, servers: Sequence[Server]) -> None:
        """Versions and notes of those that take part."""
        for server in servers:
            self.facts[VERSION_OF + server.name] = server.version()
            if server.note:
                self.notes[server.name] = server.note


# -- one cell --


def seconds(value: float | None) -> str:
    if value is None:
        return ""
    if value < 0.001:
        return f"{value * 1e6:.0f} us"
    return f"{value * 1000:.{1 if value < 0.1 else 0}f} ms"


def memory(value: float | None) -> str:
    return "" if value is None else f"{value / 2**20:.0f} MiB"


def percent(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"


def number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.1f}"


def ratio(series: Series, name: str) -> str:
    if name == OURS or OURS not in series.samples:
        return ""
    found = figures.ratios(series.samples[OURS], series.samples[name])
    if not found:
        return "-"
    middle = f"{statistics.median(found):.2f}"
    return middle if len(found) == 1 else f"{middle} ({min(found):.2f}-{max(found):.2f})"


def errors(samples: Sequence[Sample]) -> str:
    """What wrk reported over all rounds, also where it is too little to matter."""
    bad = sum(sample.bad_answers for sample in samples)
    broken = sum(sample.socket_errors for sample in samples)
    words = [f"{bad} error answers"] * bool(bad) + [f"{broken} socket errors"] * bool(broken)
    return ", ".join(words)


# -- one workload --


Cell = Callable[[Series, str], str]


def middle(value: Callable[[Sample], float | None], show: Callable[[float | None], str]) -> Cell:
    """The median of one value over the rounds, as words."""
    return lambda series, name: show(figures.median(series.samples[name], value))


def figure(series: Series, name: str) -> str:
    samples = series.samples[name]
    marks = LIMITED * figures.limited_by_load(samples) + DISTURBED * figures.disturbed(samples)
    return number(figures.median(samples, lambda sample: sample.figure)) + marks


def share(series: Series, name: str) -> str:
    part = figures.share(series, name)
    return "" if part is None else f"{part:.3f}"


def columns(series: Series) -> list[tuple[str, Cell]]:
    """Heads and what stands below them, between the server's name and its errors."""
    kind = series.workload.kind
    less = " (less is better)" if kind.less_is_better else ""
    found: list[tuple[str, Cell]] = [(kind.value + less, figure)]
    if kind is Kind.REQUESTS:
        found.append(("p50", middle(lambda sample: sample.p50, seconds)))
        found.append(("p99", middle(lambda sample: sample.p99, seconds)))
    found.append(("memory", middle(lambda sample: sample.rss, memory)))
    if kind is Kind.REQUESTS:
        found.append(("CPU", middle(lambda sample: sample.cpu, seconds)))
        found.append(("core", middle(lambda sample: sample.core, percent)))
    if series.workload.ideal:
        found.append(("of the ideal", share))
    if series.workload.needs == LOG:
        found.append(("of that without log", share))
    return [*found, ("aiowsgi/it", ratio)]


def heads(series: Series) -> list[str]:
    return ["server", *(head for head, _ in columns(series)), "errors"]


def rows(series: Series) -> list[list[str]]:
    """The ranked servers, best first, then those that are not ranked, with the reason."""
    found = [
        [name, *(cell(series, name) for _, cell in columns(series)), errors(series.samples[name])]
        for name in figures.ranked(series)
    ]
    empty = [""] * len(columns(series))
    for name, samples in series.samples.items():
        if why := figures.fault(samples):
            told = "not ranked: " + why
            if extra := errors(samples):
                told += f" (in all: {extra})"
            found.append([name, *empty, told])
    found += [[name, *empty, "sits out: " + why] for name, why in series.absent.items()]
    return found


def table(series: Series) -> str:
    """For a terminal: names to the left, figures to the right, reasons as they are."""
    top, body = heads(series), rows(series)
    figures_only = [line for line in body if line[1]]
    widths = [max(len(line[column]) for line in [top, *figures_only]) for column in range(len(top))]
    widths[0] = max(len(line[0]) for line in [top, *body])
    lines = [f"{series.workload.name}: {series.workload.summary}"]
    for line in [top, *body]:
        cells = [line[0].ljust(widths[0])]
        if line[1]:
            cells += [
                cell.rjust(width) for cell, width in zip(line[1:-1], widths[1:], strict=False)
            ]
        lines.append("  ".join(["", *cells, line[-1]]).rstrip())
    return "\n".join(lines)


def markdown_table(series: Series) -> str:
    top = heads(series)
    marks = ["---", *["--:"] * (len(top) - 2), "---"]
    lines = [top, marks, *rows(series)]
    body = "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )
    return f"### {series.workload.name}: {series.workload.summary}\n\n{body}"


# -- the whole --


def facts(results: Results) -> list[str]:
    return [f"{name}: {value}" for name, value in results.facts.items()]


def remarks(results: Results) -> list[str]:
    return [
        *(f"{name}: {why}; skipped" for name, why in results.missing.items()),
        *(f"{name}: {note}" for name, note in results.notes.items()),
    ]


def text(results: Results) -> str:
    tables = [table(series) for series in results.series]
    return "\n\n".join(
        [*tables, "\n".join(LEGEND), "\n".join(remarks(results)), "\n".join(facts(results))]
    )


def markdown(results: Results) -> str:
    tables = [markdown_table(series) for series in results.series]
    lists = ["\n".join(f"- {line}" for line in part) for part in (remarks(results), facts(results))]
    return "\n\n".join([*tables, "\n".join(LEGEND), *(part for part in lists if part)]) + "\n"


def as_json(results: Results) -> str:
    return json.dumps(
        {
            "facts": results.facts,
            "missing": results.missing,
            "notes": results.notes,
            "workloads": [series_as_data(series) for series in results.series],
        },
        indent=1,
    )


def series_as_data(series: Series) -> Mapping[str, Any]:
    """Medians and ratios for who only wants to read, every sample for who wants to check."""
    ranking = figures.ranked(series)
    ours = series.samples.get(OURS, [])
    return {
        "name": series.workload.name,
        "summary": series.workload.summary,
        "unit": series.workload.kind.value,
        "less_is_better": series.workload.kind.less_is_better,
        "connections": series.workload.connections,
        "threads": series.workload.threads,
        "ranking": ranking,
        "absent": series.absent,
        "servers": {
            name: {
                "median": figures.median(samples, lambda sample: sample.figure),
                "fault": figures.fault(samples),
                "ratios": figures.ratios(ours, samples),
                "limited_by_load": figures.limited_by_load(samples),
                "samples": [dataclasses.asdict(sample) for sample in samples],
            }
            for name, samples in series.samples.items()
        },
    }


def write(path: Path, content: str) -> None:
    """At once: a run that is ended while it writes loses nothing of what was there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(content, encoding="utf-8")
    part.replace(path)


def progress_figure(kind: Kind, sample: Sample) -> str:
    """One sample in a few words, for the line of progress."""
    if sample.failure:
        return sample.failure
    words = f"{number(sample.figure)} {kind.value}"
    if sample.p99 is not None:
        words += f", p99 {seconds(sample.p99)}"
    return f"{words} ({sample.fault})" if sample.fault else words
