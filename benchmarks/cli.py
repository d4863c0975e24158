"""The command line: what to run, what to say meanwhile, where results go.

Results go to standard output, progress to standard error. Ctrl-C ends every process, and what was
measured until then is reported.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path

from benchmarks import chart, figures, load, machine, parts, processes, report, servers, workloads
from benchmarks.figures import Sample, Series
from benchmarks.report import Results
from benchmarks.runner import Runner
from benchmarks.servers import Server
from benchmarks.workloads import LOG, Kind, Workload

ALL_IDLE = 10_000
QUICK_IDLE = 200
OVERHEAD = 1.5  # seconds of a sample beside its load: start, check, end


def names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures aiowsgi against other WSGI servers; see benchmarks/README.md.",
    )
    add = made.add_argument
    add("--list", action="store_true", help="name the servers and workloads, and end")
    add("--servers", type=names, default=[], metavar="A,B", help="only these servers")
    add(
        "--workloads", type=names, default=[], metavar="A,B", help="only these; tiny-* is a pattern"
    )
    add("--rounds", type=int, metavar="N", help="how often each is measured (5)")
    add("--seconds", type=int, metavar="N", help="whole seconds of load in a round (4)")
    add("--quick", action="store_true", help="a smoke run: one round of a second, few workloads")
    add("--json", type=Path, metavar="FILE", help="write every sample")
    add(
        "--add",
        action="store_true",
        help="keep the workloads in --json FILE that are not measured now; report all of them",
    )
    add("--markdown", type=Path, metavar="FILE", help="write the tables as Markdown")
    add("--chart", type=Path, metavar="DIR", help="write benchmark.png and benchmark.svg")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """0: measured; 1: aiowsgi failed a workload, or it was interrupted; 2: it cannot run so."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    made = parser()
    options = made.parse_args(words)
    options.rounds = options.rounds or (1 if options.quick else 5)
    options.seconds = options.seconds or (1 if options.quick else 4)
    try:
        chosen_servers = servers.chosen(options.servers)
        chosen_workloads = workloads.chosen(options.workloads, options.quick)
    except ValueError as error:
        made.error(str(error))
    if options.add and not options.json:
        made.error("--add needs --json FILE: the file that the parts are added to")
    if options.rounds < 0 or options.seconds < 0:
        made.error("--rounds and --seconds are at least 1")
    if options.list:
        print(listing())
        return 0
    if lacking := what_is_lacking(options):
        print(lacking, file=sys.stderr)
        return 2
    processes.end_as_on_interrupt()
    command = shlex.join(["python", "-m", "benchmarks", *words])
    results, present = prepare(command, options, chosen_servers)
    try:
        earlier = parts.read(options.json) if options.add else None
        parts.check(earlier or Results({}), results)
    except parts.PartsError as error:
        print(error, file=sys.stderr)
        return 2
    return run(results, earlier, options, present, chosen_workloads)


def what_is_lacking(options: argparse.Namespace) -> str:
    """How to get what the run needs and is not here; empty where nothing is."""
    if not load.available():
        return load.HOW_TO_GET_WRK
    if options.chart and importlib.util.find_spec("matplotlib") is None:
        return chart.HOW_TO_GET_MATPLOTLIB
    return ""


def run(
    results: Results,
    earlier: Results | None,
    options: argparse.Namespace,
    present: Sequence[Server],
    chosen: Sequence[Workload],
) -> int:
    """Measures and reports, joined with the earlier parts where there are some; the exit code."""

    def so_far() -> Results:
        return results if earlier is None else parts.join(earlier, results, options.rounds)

    def save() -> None:
        if options.json:
            report.write(options.json, report.as_json(so_far()))

    finished = measure(results, options, present, chosen, save)
    save()
    publish(so_far(), options)
    return 0 if finished and not any(ours_failed(series) for series in results.series) else 1


def listing() -> str:
    """Servers with version or the reason why not, workloads with what they are."""
    lines = ["servers:"]
    for server in servers.ALL:
        state = server.missing() or server.version()
        lines.append(f"  {server.name:15} {state}" + (f" ({server.note})" if server.note else ""))
    lines.append("workloads:")
    lines += [f"  {workload.name:15} {workload.summary}" for workload in workloads.ALL]
    return "\n".join(lines)


def prepare(
    command: str, options: argparse.Namespace, chosen: Sequence[Server]
) -> tuple[Results, list[Server]]:
    """The results with all that is known before the first figure, and the servers that are here."""
    results = Results({"command": command})
    results.facts["conditions"] = (
        f"{options.rounds} rounds of {options.seconds} s, one process, 4 threads unless said"
    )
    results.facts["date"] = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    results.facts.update(machine.describe(machine.cores()))
    results.facts["load"] = load.version()
    present = []
    for server in chosen:
        if reason := server.missing():
            results.missing[server.name] = reason
            print(f"{server.name}: {reason}; skipped", file=sys.stderr)
        else:
            present.append(server)
    results.add_servers(present)
    return results, present


class Progress:
    """A line per sample on standard error: how far, what came, how long it will still take."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0
        self.began = time.monotonic()

    def __call__(self, workload: Workload, server: str, number: int, sample: Sample) -> None:
        self.done += 1
        left = (time.monotonic() - self.began) / self.done * (self.total - self.done)
        said = report.progress_figure(workload.kind, sample)
        print(
            f"[{self.done:>{len(str(self.total))}}/{self.total}] {workload.name}, "
            f"round {number + 1}, {server}: {said}; {left / 60:.1f} min left",
            file=sys.stderr,
            flush=True,
        )


def measure(
    results: Results,
    options: argparse.Namespace,
    present: Sequence[Server],
    chosen: Sequence[Workload],
    save: Callable[[], None],
) -> bool:
    """Fills the results, and saves them after each workload; False where it was interrupted."""
    warm_up = 0 if options.quick else 1
    with tempfile.TemporaryDirectory(prefix="aiowsgi-benchmark-") as folder:
        most_idle = QUICK_IDLE if options.quick else ALL_IDLE
        runner = Runner(Path(folder), options.seconds, warm_up, most_idle)
        if runner.cores.load is not None:
            os.sched_setaffinity(0, {runner.cores.load})  # we too stay off the server's core
        results.series += [runner.begin(workload, present) for workload in chosen]
        progress = Progress(options.rounds * sum(len(s.samples) for s in results.series))
        each = options.seconds + warm_up + OVERHEAD
        print(
            f"{progress.total} samples, about {expected(results, options.rounds, each):.0f} min",
            file=sys.stderr,
        )
        try:
            for series in results.series:
                runner.fill(series, present, options.rounds, progress)
                save()
        except KeyboardInterrupt:
            left_out = "; --add leaves out what is not whole" if options.add else ""
            print(f"interrupted: what follows is not complete{left_out}", file=sys.stderr)
            results.facts[report.INTERRUPTED] = "yes: not every round, not every workload"
            return False
    return True


def expected(results: Results, rounds: int, each: float) -> float:
    """Minutes; a rough sum, since start-up takes no load and the access log takes it twice."""
    short = {Kind.STARTUP: OVERHEAD}
    total = 0.0
    for series in results.series:
        workload = series.workload
        one = short.get(workload.kind, each) * (2 if workload.needs == LOG else 1)
        total += one * len(series.samples) * rounds
    return total / 60


def publish(results: Results, options: argparse.Namespace) -> None:
    print(report.text(results))
    if options.markdown:
        report.write(options.markdown, report.markdown(results))
    if options.chart:
        written = chart.draw(results, options.chart)
        print("written: " + ", ".join(str(path) for path in written), file=sys.stderr)


def ours_failed(series: Series) -> bool:
    return bool(figures.fault(series.samples.get(figures.OURS, [])))
