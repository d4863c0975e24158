"""One comparison, measured in parts: a file of results is read back, and another part joins it.

A workload that is measured again takes the place of what the file has of it: servers are compared
inside one round only, so rounds of two runs cannot be mixed. Only whole workloads join, and only
parts that were measured alike: the same machine, Python and versions.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks import workloads
from benchmarks.figures import Sample, Series
from benchmarks.report import INTERRUPTED, VERSION_OF, Results

# Facts in which parts may differ; all are kept, one after the other.
OF_A_PART = ("command", "conditions", "date", "load average before")


class PartsError(Exception):
    """The file cannot be added to; says why, and what to do."""


def read(path: Path) -> Results:
    """What `--json` wrote, nothing where there is no file; PartsError for anything else."""
    if not path.exists():
        return Results({})
    known = {workload.name: workload for workload in workloads.ALL}
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        results = Results(dict(data["facts"]), dict(data["missing"]), dict(data["notes"]))
        for found in data["workloads"]:
            results.series.append(
                Series(known[found["name"]], samples(found), dict(found["absent"]))
            )
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise PartsError(
            f"{path} is not a file of results that this version wrote ({error!r}): "
            "give --json the name of a new file"
        ) from None
    return results


def samples(found: dict[str, Any]) -> dict[str, list[Sample]]:
    return {
        name: [Sample(**sample) for sample in server["samples"]]
        for name, server in found["servers"].items()
    }


def check(earlier: Results, new: Results) -> None:
    """PartsError where the two were not measured alike."""
    different = [
        f"{name}: {earlier.facts[name]!r} there, {value!r} now"
        for name, value in new.facts.items()
        if name in earlier.facts and name not in OF_A_PART and earlier.facts[name] != value
    ]
    if different:
        raise PartsError(
            "the file was measured otherwise; give --json the name of a new file\n  "
            + "\n  ".join(different)
        )


def join(earlier: Results, new: Results, rounds: int) -> Results:
    """Both, with the whole workloads of `new` in place of their earlier selves."""
    facts = {**earlier.facts, **new.facts}
    facts.pop(INTERRUPTED, None)  # what is not whole is left out
    for name in OF_A_PART:
        both = [part.facts[name] for part in (earlier, new) if name in part.facts]
        parts = dict.fromkeys(one for several in both for one in several.split("; "))
        facts[name] = "; ".join(parts)
    joined = Results(facts, notes={**earlier.notes, **new.notes})
    joined.missing = {
        name: why
        for name, why in {**earlier.missing, **new.missing}.items()
        if VERSION_OF + name not in facts
    }
    by_name = {series.workload.name: series for series in earlier.series}
    by_name |= {series.workload.name: series for series in new.series if whole(series, rounds)}
    joined.series = [by_name[w.name] for w in workloads.ALL if w.name in by_name]
    return joined


def whole(series: Series, rounds: int) -> bool:
    """Whether each server that takes part has had all its rounds."""
    return all(len(found) == rounds for found in series.samples.values())
