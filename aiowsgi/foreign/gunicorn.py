"""The flags of gunicorn."""

from __future__ import annotations

from aiowsgi.foreign.flags import GUNICORN, HTTP2, UVICORN, Foreign, ignored, refused, same

_STATSD = (
    "statsd is not spoken: --metrics serves Prometheus; or stay with gunicorn, and have it run "
    "-k aiowsgi.contrib.gunicorn.Worker"
)
_SYSLOG = (
    "logs go to stdout and stderr, which systemd's journal or a container takes; leave it out, or "
    "add a SysLogHandler to the loggers aiowsgi.error and aiowsgi.access"
)
_LENIENT = (
    "servers that read such requests differently can be played off against one another: they are "
    "a 400 here; leave it out, and mend the client"
)
_ASGI = "it is of ASGI"

FLAGS: tuple[Foreign, ...] = (
    ignored(
        "-k, --worker-class NAME",
        [GUNICORN],
        "clients always wait on the loop, and requests run on threads",
        only=["sync", "gthread", "aiowsgi.contrib.gunicorn.Worker"],
        instead="there is one kind of worker here, a loop with threads: leave it out, and give "
        "--threads as many requests as may run at the same time",
    ),
    same("--no-control-socket", [GUNICORN], "control_socket", "off"),
    ignored("--control-socket-mode MODE", [GUNICORN], "its owner alone can ask and tell"),
    ignored("--worker-tmp-dir DIR", [GUNICORN], "a worker is heard over a socket, not by a file"),
    ignored("--reload-engine NAME", [GUNICORN], "watchfiles takes what the system offers"),
    same("--reload-extra-file FILE", [GUNICORN], "reload_include"),
    ignored("--no-sendfile", [GUNICORN], "files are sent in whatever way works on their system"),
    ignored("--initgroups", [GUNICORN], "the user's own groups are always taken"),
    ignored("-R, --enable-stdio-inheritance", [GUNICORN], "stdout and stderr are always inherited"),
    ignored(
        "--disable-redirect-access-to-syslog", [GUNICORN], "nothing is ever redirected to syslog"
    ),
    ignored(
        "--suppress-ragged-eofs, --do-handshake-on-connect",
        [GUNICORN],
        "handshakes are the loop's, with a deadline",
    ),
    ignored(
        "--protocol NAME",
        [GUNICORN],
        "HTTP is what is spoken",
        only=["http"],
        instead="only HTTP is spoken: have the proxy do so, too (nginx: proxy_pass instead of "
        "uwsgi_pass), and leave it out",
    ),
    ignored("--http-parser NAME", [GUNICORN], "there is one parser, httptools under our checks"),
    ignored("--http-protocols LIST", [GUNICORN], "HTTP/1.1 is spoken", only=["h1"], instead=HTTP2),
    ignored(
        "--asgi-loop, --asgi-lifespan, --asgi-disconnect-grace-period, "
        "--websocket-max-message-size VALUE",
        [GUNICORN],
        _ASGI,
    ),
    same("--log-config-json FILE", [GUNICORN], "log_config"),
    same("--ca-certs FILE", [GUNICORN], "ssl_ca_certs"),
    same("--cert-reqs NUMBER", [GUNICORN], "ssl_cert_reqs"),
    same("--ciphers CIPHERS", [GUNICORN], "ssl_ciphers"),
    refused(
        "-D, --daemon",
        [GUNICORN],
        "it stays in the foreground: leave it out and let systemd or a container start it "
        "(docs/deployment.md), or a shell: nohup aiowsgi ... &",
    ),
    refused(
        "--pythonpath DIRS",
        [GUNICORN],
        "say it in the environment, PYTHONPATH=DIRS aiowsgi ..., or start in that directory, by "
        "--chdir",
    ),
    refused(
        "--paste, --paster, --paste-global CONF",
        [GUNICORN],
        "name a function that reads the file and returns the application: module:factory()",
    ),
    refused(
        "--capture-output",
        [GUNICORN],
        "what the application prints stays on stdout and stderr: leave it out, and redirect these "
        "where they should go",
    ),
    refused(
        "--logger-class NAME",
        [GUNICORN],
        "logs are the loggers aiowsgi.error and aiowsgi.access of Python's logging: leave it out, "
        "and hang handlers on them",
    ),
    refused(
        "--log-syslog-to, --log-syslog-prefix, --log-syslog-facility VALUE", [GUNICORN], _SYSLOG
    ),
    refused("--log-syslog", [GUNICORN], _SYSLOG),
    refused("--statsd-host, --statsd-prefix, --dogstatsd-tags VALUE", [GUNICORN], _STATSD),
    refused("--enable-backlog-metric", [GUNICORN], _STATSD),
    refused("--spew", [GUNICORN], "a debugger or python -X faulthandler tells more: leave it out"),
    refused(
        "--strip-header-spaces, --permit-obsolete-folding, --permit-unconventional-http-method, "
        "--permit-unconventional-http-version, --casefold-http-method",
        [GUNICORN],
        _LENIENT,
    ),
    refused(
        "--forwarder-headers NAMES",
        [GUNICORN],
        "what a trusted proxy may say is fixed (docs/proxies.md): X-Forwarded-Prefix takes the "
        "place of SCRIPT_NAME",
    ),
    refused(
        "--uwsgi-allow-from ADDRESSES", [GUNICORN], "uwsgi is not spoken: proxy by HTTP instead"
    ),
    refused(
        "--http2-cleartext, --http2-max-concurrent-streams, --http2-initial-window-size, "
        "--http2-max-frame-size, --http2-max-header-list-size VALUE",
        [GUNICORN],
        HTTP2,
    ),
    refused(
        "--dirty-app, --dirty-workers, --dirty-timeout, --dirty-threads, --dirty-graceful-timeout "
        "VALUE",
        [GUNICORN],
        "there are no workers beside those that serve: give long work to a queue such as Celery's",
    ),
    refused(
        "--ssl-version NUMBER",
        [GUNICORN, UVICORN],
        "say the oldest version that is accepted: --ssl-minimum-version TLSv1.2 or TLSv1.3",
    ),
)
