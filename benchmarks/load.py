"""wrk: the script that makes its requests, the run, and what its output says.

One thread of wrk on one core keeps all connections busy: each sends its next request when it has
the answer to the last. Times are those that wrk prints, in seconds here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import running
from benchmarks.workloads import Workload

HOW_TO_GET_WRK = (
    "wrk is not here, and it makes the load. Debian and Ubuntu: apt-get install wrk; Fedora: dnf "
    "install wrk; macOS: brew install wrk; source: https://github.com/wg/wrk"
)
PATIENCE = "10s"  # what takes longer is an error of wrk, "timeout"
UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}

TOTAL = re.compile(r"^\s*(\d+) requests in ([\d.]+)(us|ms|s|m|h),", re.MULTILINE)
RATE = re.compile(r"^Requests/sec:\s+([\d.]+)", re.MULTILINE)
PERCENTILE = re.compile(r"^\s+(50|99)(?:\.\d+)?%\s+([\d.]+)(us|ms|s|m|h)\s*$", re.MULTILINE)
BAD_ANSWERS = re.compile(r"^\s*Non-2xx or 3xx responses: (\d+)", re.MULTILINE)
SOCKET_ERRORS = re.compile(
    r"^\s*Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", re.MULTILINE
)


class LoadError(Exception):
    """wrk did not run, or said what is not understood."""


@dataclass(frozen=True)
class Load:
    """What one run of wrk measured, in seconds; `busy` is its share of a core (1.0: all of it)."""

    requests: int
    rate: float
    p50: float
    p99: float
    bad_answers: int = 0
    socket_errors: int = 0  # connections refused or broken, and answers that came too late
    busy: float = 0.0


def parse(output: str, busy: float = 0.0) -> Load:
    """Reads what wrk 4 prints with --latency; LoadError where a part is missing."""
    total, rate = TOTAL.search(output), RATE.search(output)
    percentiles = {
        share: float(number) * UNITS[unit] for share, number, unit in PERCENTILE.findall(output)
    }
    if total is None or rate is None or percentiles.keys() != {"50", "99"}:
        raise LoadError(f"wrk said what is not understood:\n{output}")
    bad = BAD_ANSWERS.search(output)
    errors = SOCKET_ERRORS.search(output)
    return Load(
        int(total[1]),
        float(rate[1]),
        percentiles["50"],
        percentiles["99"],
        bad_answers=int(bad[1]) if bad else 0,
        socket_errors=sum(map(int, errors.groups())) if errors else 0,
        busy=busy,
    )


def script(workload: Workload, host: str) -> str:
    """Lua for wrk; empty where wrk makes the requests by itself.

    Requests that are all alike are made by wrk once, before it begins. Those that change are made
    one by one, from heads that are ready but for the number.
    """
    changes = len(workload.paths) > 1 or "{n}" in workload.paths[0]
    return changing(workload, host) if changes else alike(workload)


def alike(workload: Workload) -> str:
    lines = [
        f"wrk.headers[{json.dumps(name)}] = {json.dumps(text)}\n"
        for name, text in workload.fields.items()
    ]
    if workload.body:
        lines.append(f'wrk.method = "POST"\nwrk.body = string.rep("x", {workload.body})\n')
    return "".join(lines)


def changing(workload: Workload, host: str) -> str:
    fields = {"Host": host, **workload.fields}
    after = " HTTP/1.1\r\n" + "".join(f"{name}: {text}\r\n" for name, text in fields.items())
    rest = json.dumps(after + "\r\n")
    heads = ", ".join(json.dumps(f"GET {path.partition('{n}')[0]}") for path in workload.paths)
    number = "n" if "{n}" in workload.paths[0] else '""'
    return f"""local n = 0
local heads = {{{heads}}}
local rest = {rest}
request = function()
  n = n + 1
  return heads[n % {len(workload.paths)} + 1] .. {number} .. rest
end
"""


def available() -> bool:
    return shutil.which("wrk") is not None


def version() -> str:
    """wrk prints its version with its usage, and fails."""
    said = subprocess.run(["wrk", "--version"], capture_output=True, text=True, check=False)
    return (said.stdout + said.stderr).partition("\n")[0].partition(" Copyright")[0]


def run(workload: Workload, url: str, seconds: int, core: int | None, folder: Path) -> Load:
    """Runs wrk for `seconds` on the core; LoadError where it fails."""
    command = ["wrk", "-t", "1", "-c", str(workload.connections), "-d", f"{seconds}s", "--latency"]
    command += ["--timeout", PATIENCE]
    if made := script(workload, url.partition("//")[2]):
        path = folder / f"{workload.name}.lua"
        path.write_text(made, encoding="utf-8")
        command += ["-s", str(path)]
    command.append(url + workload.paths[0].replace("{n}", "0"))
    began, before = time.monotonic(), children_cpu()
    with running(command, core) as process:
        try:
            output, _ = process.communicate(timeout=seconds + 30)
        except subprocess.TimeoutExpired:
            raise LoadError("wrk did not end") from None
    took = time.monotonic() - began
    if process.returncode:
        raise LoadError(f"wrk failed ({process.returncode}): {output.strip()}")
    return parse(output, (children_cpu() - before) / took)


def children_cpu() -> float:
    """CPU seconds of the children that ended: between two calls around wrk, only wrk's."""
    times = os.times()
    return times.children_user + times.children_system
