"""How many bad clients of one kind does a server with two threads stand: the command.

`python -m benchmarks.ladder`, see README.md. The table goes to standard output, progress to
standard error; Ctrl-C ends every process, and what was found until then is reported.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from benchmarks import ladder_kinds, ladder_report, machine, processes, report, servers
from benchmarks.cli import names
from benchmarks.ladder_climb import THREADS, Climb, Climber, Step
from benchmarks.ladder_kinds import STEPS, Kind
from benchmarks.ladder_report import Ladder
from benchmarks.servers import Server

SERVERS = ("aiowsgi", "gunicorn", "waitress", "granian")


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.ladder",
        description="How many bad clients two threads stand; see benchmarks/README.md.",
    )
    add = made.add_argument
    add("--list", action="store_true", help="name the servers and kinds of client, and end")
    add("--servers", type=names, default=list(SERVERS), metavar="A,B", help="only these servers")
    add("--kinds", type=names, default=[], metavar="A,B", help="only these kinds of client")
    add("--quick", action="store_true", help="a smoke run: only the lowest steps")
    add("--most", type=int, default=STEPS[-1], metavar="N", help="no step above this one")
    add("--json", type=Path, metavar="FILE", help="write every step")
    add("--markdown", type=Path, metavar="FILE", help="write the table as Markdown")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """0: measured; 1: aiowsgi stood fewer than it has to, or interrupted; 2: it cannot run so."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    made = parser()
    options = made.parse_args(words)
    try:
        chosen = servers.chosen(options.servers)
        kinds = ladder_kinds.chosen(options.kinds)
    except ValueError as error:
        made.error(str(error))
    if others := [server.name for server in chosen if server.name not in SERVERS]:
        made.error(f"not on the ladder: {', '.join(others)}; there are {', '.join(SERVERS)}")
    if options.most < STEPS[0]:
        made.error(f"--most is at least {STEPS[0]}")
    if options.list:
        print(listing())
        return 0
    processes.end_as_on_interrupt()
    all_steps = ladder_kinds.QUICK_STEPS if options.quick else STEPS
    steps = [step for step in all_steps if step <= options.most]
    ladder = Ladder(facts(shlex.join(["python", "-m", "benchmarks.ladder", *words])), steps)
    finished = climb_all(ladder, present(ladder, chosen), kinds, options)
    print(ladder_report.text(ladder))
    if options.markdown:
        report.write(options.markdown, ladder_report.markdown(ladder))
    for line in ladder.fallen():
        print(f"aiowsgi stands fewer than it has to: {line}", file=sys.stderr)
    return 0 if finished and not ladder.fallen() else 1


def listing() -> str:
    """Servers with version or the reason why not, kinds with what they are."""
    known = [f"  {s.name:10} {s.missing() or s.version()}" for s in servers.chosen(SERVERS)]
    kinds = [f"  {kind.name:10} {kind.summary}" for kind in ladder_kinds.ALL]
    return "\n".join(["servers:", *known, "kinds:", *kinds])


def facts(command: str) -> dict[str, str]:
    """What must stand beside the figures."""
    return {
        "command": command,
        "conditions": f"one process, {THREADS} threads, 20,000 open files and connections allowed",
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        **machine.describe(machine.cores()),
    }


def present(ladder: Ladder, chosen: Sequence[Server]) -> list[Server]:
    """The servers that are here; the others are named."""
    found = []
    for server in chosen:
        if reason := server.missing():
            ladder.missing[server.name] = reason
            print(f"{server.name}: {reason}; skipped", file=sys.stderr)
        else:
            ladder.facts[report.VERSION_OF + server.name] = server.version()
            found.append(server)
    return found


def climb_all(
    ladder: Ladder, chosen: Sequence[Server], kinds: Sequence[Kind], options: argparse.Namespace
) -> bool:
    """Fills the ladder, saves it after each climb; False where it was interrupted."""
    total, began = len(chosen) * len(kinds), time.monotonic()

    def told(climb: Climb, step: Step) -> None:
        print(
            f"[{len(ladder.climbs)}/{total}] {climb.kind.name}, {climb.server}, {step.clients:,}: "
            f"{ladder_report.said(step)}; {time.monotonic() - began:.0f} s so far",
            file=sys.stderr,
            flush=True,
        )

    with tempfile.TemporaryDirectory(prefix="aiowsgi-ladder-") as folder:
        climber = Climber(Path(folder))
        machine.raise_open_files()
        if climber.cores.load is not None:
            os.sched_setaffinity(0, {climber.cores.load})  # we too stay off the server's core
        try:
            for kind in kinds:
                for server in chosen:
                    ladder.climbs.append(climb := Climb(server.name, kind))
                    climber.climb(climb, server, ladder.steps, told)
                    if options.json:
                        report.write(options.json, ladder_report.as_json(ladder))
        except KeyboardInterrupt:
            print("interrupted: what follows is not complete", file=sys.stderr)
            ladder.facts[report.INTERRUPTED] = "yes: not every kind, not every step"
            return False
    return True


if __name__ == "__main__":
    sys.exit(main())
