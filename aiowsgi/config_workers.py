"""The options of several processes: how many workers, and how they come and go."""

from __future__ import annotations

import dataclasses

from aiowsgi import kinds
from aiowsgi.cpus import usable_cpus
from aiowsgi.options import TIMEOUTS, WORKERS, option


@dataclasses.dataclass(frozen=True, init=False)
class WorkerOptions:
    """What the supervisor is told; where none of this is given, there is none."""

    workers: int | None = option(
        1,
        kinds.count(minimum=1, auto=True),
        WORKERS,
        "Worker processes under a supervisor, which replaces those that die; auto is one per CPU "
        "that can be used. Where it is not given, one process serves by itself.",
        flags=("-w",),
        default_text="$WEB_CONCURRENCY, or one process without a supervisor",
        well_known="WEB_CONCURRENCY",
    )
    preload: bool = option(
        False,
        kinds.switch(),
        WORKERS,
        "Load the application once, in the supervisor, and fork the workers from it: they share "
        "memory, but a reload brings no new code.",
    )
    max_requests: int | None = option(
        None,
        kinds.count(none=True),
        WORKERS,
        "Replace a worker that has served so many requests (0 is none, too).",
        flags=("--limit-max-requests",),
    )
    max_requests_jitter: int = option(
        0,
        kinds.count(),
        WORKERS,
        "Let each worker serve up to so many requests more, at random.",
    )
    max_worker_lifetime: float | None = option(
        None,
        kinds.duration(minimum=1.0),
        WORKERS,
        "Replace a worker that has served for so long.",
    )
    max_worker_rss: int | None = option(
        None,
        kinds.size(minimum=1),
        WORKERS,
        "Replace a worker whose memory is larger; where there is no /proc, whose memory ever was.",
    )
    shutdown_delay: float = option(
        0.0,
        kinds.duration(none=False),
        TIMEOUTS,
        "Go on serving for so long after TERM, while readiness (--health-path with ?ready) fails: "
        "time for load balancers to look away.",
    )

    @property
    def recycles(self) -> bool:
        """Whether a worker is ever replaced for what it has done."""
        return bool(self.max_requests or self.max_worker_lifetime or self.max_worker_rss)

    @property
    def worker_count(self) -> int:
        """The number of workers, `auto` resolved."""
        return usable_cpus() if self.workers is None else self.workers
