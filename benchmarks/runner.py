"""Runs servers against workloads, in turn, one server alive at a time.

Each sample starts its server anew, checks one answer, warms up, measures, reads what the server
used, and ends it. What fails is a Sample that says why; nothing but Ctrl-C stops the whole.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import apps, asgi_apps, client, figures, load, machine
from benchmarks.figures import Sample, Series
from benchmarks.ports import reserved_port
from benchmarks.processes import place, running
from benchmarks.servers import Certificate, Server, Settings
from benchmarks.workloads import FILE_SIZE, LOG, TLS, Kind, Workload

START_PATIENCE = 20.0
SETTLE = 0.5  # seconds for memory to come to rest before it is read
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV")
Progress = Callable[[Workload, str, int, Sample], None]


class StartError(Exception):
    """The server did not come up."""


@dataclass
class Runner:
    """The conditions of a whole run; seconds."""

    folder: Path
    seconds: int
    warm_up: int
    most_idle: int
    cores: machine.Cores = field(default_factory=machine.cores)

    def __post_init__(self) -> None:
        self.open_files = machine.raise_open_files()
        self.file = self.folder / "file"
        self.file.write_bytes(b"x" * FILE_SIZE)
        self.certificate = certificate(self.folder)

    def absence(self, server: Server, workload: Workload) -> str:
        """Why the server sits the workload out, empty where it takes part."""
        if workload.needs == TLS and self.certificate is None:
            return "no openssl command here to make a certificate"
        if workload.only not in ("", server.name):
            return f"it is about {workload.only}"
        return server.lacks.get(workload.needs, "")

    def begin(self, workload: Workload, servers: Sequence[Server]) -> Series:
        """The workload without a figure yet: who takes part, and who does not and why."""
        series = Series(workload)
        for server in servers:
            if reason := self.absence(server, workload):
                series.absent[server.name] = reason
            else:
                series.samples[server.name] = []
        return series

    def fill(
        self, series: Series, servers: Sequence[Server], rounds: int, progress: Progress
    ) -> None:
        """All rounds of one workload; progress is told of every sample."""
        taking_part = [server for server in servers if server.name in series.samples]
        for number in range(rounds):
            for server in figures.order(taking_part, number):
                sample = self.sample(server, series.workload, number)
                series.samples[server.name].append(sample)
                progress(series.workload, server.name, number, sample)

    def sample(self, server: Server, workload: Workload, number: int) -> Sample:
        try:
            if workload.kind is Kind.STARTUP:
                return self.start_up(server, workload)
            if workload.kind is Kind.IDLE:
                return self.idle(server, workload)
            if workload.needs == LOG:
                return self.with_and_without_log(server, workload, number)
            return self.requests(server, workload)
        except (StartError, client.WrongAnswerError, load.LoadError) as error:
            return Sample(failure=str(error))

    # -- the kinds of sample --

    def requests(self, server: Server, workload: Workload, access_log: bool = False) -> Sample:
        secure = self.certificate if workload.needs == TLS else None
        with self.started(server, workload, secure, access_log) as (process, settings, log):
            checked(workload, settings.port, log, secure)
            url = f"{'https' if secure else 'http'}://{settings.address}"
            if self.warm_up:
                load.run(workload, url, self.warm_up, self.cores.load, self.folder)
            size, before, others = lines(log), *self.clocks(process.pid)
            measured = load.run(workload, url, self.seconds, self.cores.load, self.folder)
            after, others_after = self.clocks(process.pid)
            if process.poll() is not None:
                raise StartError(f"it ended under load: {last_words(log)}")
            if access_log and lines(log) - size < 0.9 * measured.requests:
                raise client.WrongAnswerError("it did not log every request")
        sample = Sample(
            measured.rate,
            measured.p50,
            measured.p99,
            busy=measured.busy,
            requests=measured.requests,
            bad_answers=measured.bad_answers,
            socket_errors=measured.socket_errors,
        )
        if before is None or after is None:
            return sample
        used = after.cpu - before.cpu
        return dataclasses.replace(
            sample,
            rss=after.rss,
            cpu=used / measured.requests if measured.requests else None,
            core=used / self.seconds,
            others=max(0.0, others_after - others) / self.seconds,
        )

    def clocks(self, session: int) -> tuple[machine.Usage | None, float]:
        """What the server has used, and what programs that are not ours have on both cores."""
        used = machine.usage(session)
        ours = (used.cpu if used else 0.0) + load.children_cpu() + time.process_time()
        both = (machine.core_time(core) or 0.0 for core in (self.cores.server, self.cores.load))
        return used, sum(both) - ours

    def with_and_without_log(self, server: Server, workload: Workload, number: int) -> Sample:
        """Both at once, for the ratio of this round; which comes first changes with the round."""
        found = {
            on: self.requests(server, workload, access_log=on)
            for on in figures.order([False, True], number)
        }
        logged, without = found[True], found[False]
        return dataclasses.replace(
            logged,
            without=without.figure,
            bad_answers=logged.bad_answers + without.bad_answers,
            socket_errors=logged.socket_errors + without.socket_errors,
        )

    def idle(self, server: Server, workload: Workload) -> Sample:
        """KiB of memory for each; as many as the limit of open files allows at two for each."""
        number = min(workload.connections, self.most_idle, (self.open_files - 200) // 2)
        with self.started(server, workload) as (process, settings, _):
            idle = client.Idle(settings.port)
            with contextlib.closing(idle):
                idle.add(8)  # what the first requests load for good is not theirs
                time.sleep(SETTLE)
                before = machine.usage(process.pid)
                idle.add(number)
                time.sleep(SETTLE)
                after = machine.usage(process.pid)
                idle.ask_again()
        if before is None or after is None:
            raise StartError("memory is not known on this system")
        return Sample((after.rss - before.rss) / number / 1024, rss=after.rss, requests=number)

    def start_up(self, server: Server, workload: Workload) -> Sample:
        began = time.monotonic()
        with self.started(server, workload) as (process, settings, log):
            checked(workload, settings.port, log)
            took = time.monotonic() - began
            used = machine.usage(process.pid)
        return Sample(took * 1000, rss=used.rss if used else None, requests=1)

    # -- what they share --

    @contextlib.contextmanager
    def started(
        self,
        server: Server,
        workload: Workload,
        secure: Certificate | None = None,
        access_log: bool = False,
    ) -> Iterator[tuple[subprocess.Popen[str], Settings, Path]]:
        """The server while the block runs, listening, on a port of the system's choice."""
        log = self.folder / f"{server.name}.log"
        log.write_bytes(b"")
        environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        environment["PYTHONPATH"] = place()
        environment[apps.FILE_VARIABLE] = str(self.file)
        environment[asgi_apps.THREADS_VARIABLE] = str(workload.threads)
        with contextlib.ExitStack() as stack:
            port = stack.enter_context(reserved_port())
            settings = Settings(port, workload.threads, secure, access_log, workload.flags)
            command = server.command(settings)
            process = stack.enter_context(running(command, self.cores.server, environment, log))
            if not client.wait_until_it_accepts(
                settings.port, lambda: process.poll() is None, START_PATIENCE
            ):
                raise StartError(f"it did not start: {last_words(log)}")
            yield process, settings, log


def checked(workload: Workload, port: int, log: Path, secure: Certificate | None = None) -> None:
    """One right answer before anything is measured; the error has the server's last line too."""
    try:
        client.check(workload, port, secure)
    except client.WrongAnswerError as error:
        raise StartError(f"{error}; it said: {last_words(log)}") from error


def lines(log: Path) -> int:
    with log.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def last_words(log: Path) -> str:
    said = log.read_text(encoding="utf-8", errors="replace").strip()
    return said.rpartition("\n")[2] or "it said nothing"


def certificate(folder: Path) -> Certificate | None:
    """A certificate for 127.0.0.1 by the openssl command, None where there is none."""
    if shutil.which("openssl") is None:
        return None
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    command += " -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    words = [*command.split(), "-out", str(made.chain), "-keyout", str(made.key)]
    result = subprocess.run(words, capture_output=True, text=True, check=False)
    if result.returncode:
        sys.stderr.write(f"no certificate, so no TLS: {result.stderr.strip()}\n")
        return None
    return made
