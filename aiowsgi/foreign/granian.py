"""The flags of granian that only granian has."""

from __future__ import annotations

from aiowsgi.foreign.flags import GRANIAN, Foreign, ignored, refused, same

FLAGS: tuple[Foreign, ...] = (
    same("--ssl-ca FILE", [GRANIAN], "ssl_ca_certs"),
    same("--ssl-client-verify", [GRANIAN], "ssl_cert_reqs", "required"),
    same("--url-path-prefix PATH", [GRANIAN], "root_path"),
    same("--workers-lifetime DURATION", [GRANIAN], "max_worker_lifetime"),
    same("--workers-max-rss MEBIBYTES", [GRANIAN], "max_worker_rss", "{}m"),
    same("--workers-kill-timeout DURATION", [GRANIAN], "graceful_timeout"),
    same("--http1-header-read-timeout MILLISECONDS", [GRANIAN], "header_timeout", "{}ms"),
    same("--no-http1-keep-alive", [GRANIAN], "keep_alive", "0"),
    same("--working-dir DIRECTORY", [GRANIAN], "chdir"),
    same("--process-name NAME", [GRANIAN], "name"),
    same("--pid-file FILE", [GRANIAN], "pid"),
    same("--reload-paths PATH", [GRANIAN], "reload_dir"),
    same("--reload-ignore-dirs NAME", [GRANIAN], "reload_exclude"),
    same("--reload-ignore-paths PATH", [GRANIAN], "reload_exclude"),
    same("--no-log", [GRANIAN], "log_level", "critical"),
    ignored(
        "--log, --http1-keep-alive, --no-factory, --no-ws, --no-ssl-client-verify, --no-metrics",
        [GRANIAN],
        "it is so unless something else is said",
    ),
    ignored(
        "--runtime-threads, --runtime-blocking-threads, --runtime-mode, --task-impl, "
        "--blocking-threads-idle-timeout, --http1-buffer-size VALUE",
        [GRANIAN],
        "it is of granian's runtime",
    ),
    ignored(
        "--http1-pipeline-flush, --no-http1-pipeline-flush",
        [GRANIAN],
        "it is of granian's runtime",
    ),
    ignored(
        "--http2-initial-connection-window-size, --http2-initial-stream-window-size, "
        "--http2-keep-alive-interval, --http2-keep-alive-timeout, --http2-max-headers-size, "
        "--http2-max-send-buffer-size VALUE",
        [GRANIAN],
        "HTTP/2 is not spoken",
    ),
    ignored(
        "--http2-adaptive-window, --no-http2-adaptive-window", [GRANIAN], "HTTP/2 is not spoken"
    ),
    ignored(
        "--backpressure NUMBER",
        [GRANIAN],
        "no more requests run than there are --threads; the others wait",
    ),
    ignored(
        "--respawn-failed-workers, --reload-ignore-worker-failure",
        [GRANIAN],
        "it is always so",
    ),
    ignored(
        "--respawn-interval, --rss-sample-interval, --rss-samples, --reload-tick VALUE",
        [GRANIAN],
        "dead workers are replaced at once, memory and files are looked at once a second",
    ),
    refused(
        "--no-respawn-failed-workers, --no-reload-ignore-worker-failure",
        [GRANIAN],
        "workers that die are replaced: leave it out; without --workers there is one process, "
        "which ends as it ends",
    ),
    refused(
        "--metrics-address, --metrics-port, --metrics-scrape-interval VALUE",
        [GRANIAN],
        "--metrics takes the address and the port, and what it shows is never old",
    ),
    refused(
        "--ssl-protocol-min VERSION",
        [GRANIAN],
        "it is spelled --ssl-minimum-version TLSv1.2 or TLSv1.3",
    ),
    refused(
        "--ssl-crl FILE",
        [GRANIAN],
        "what was revoked is not looked up: make a context by ssl_context_factory (docs/tls.md)",
    ),
    refused(
        "--static-path-route, --static-path-mount, --static-path-expires, "
        "--static-path-dir-to-file VALUE",
        [GRANIAN],
        "files are the proxy's business, or WhiteNoise's inside the application",
    ),
    refused(
        "--reload-ignore-patterns PATTERN",
        [GRANIAN],
        "patterns are those of a shell here, not regular expressions: --reload-exclude 'tmp*'",
    ),
)
