"""Command lines as other servers' pages and start scripts have them, first word replaced."""

from __future__ import annotations

import shlex
import sys
from urllib.request import urlopen

import pytest

from aiowsgi import cli
from tests.test_cli import shown
from tests.test_cli_process import command, get, listening

pytestmark = pytest.mark.usefixtures("plain_place")

# Each with what it has to mean here.
LINES: dict[str, dict[str, str]] = {
    "gunicorn -w 4 shop.wsgi": {"workers": "4"},
    "gunicorn -k gthread -w 4 --threads 8 -b :8000 --timeout 60 --keep-alive 75 "
    "--max-requests 1000 app:app": {
        "workers": "4",
        "threads": "8",
        "bind": "*:8000",
        "timeout": "60s",
        "keep_alive": "75s",
        "max_requests": "1000",
    },
    "gunicorn --bind :8080 --workers 1 --threads 8 --timeout 0 main:app": {
        "workers": "1",
        "timeout": "none",
    },
    "gunicorn --env DJANGO_SETTINGS_MODULE=shop.settings shop.wsgi": {
        "env": "DJANGO_SETTINGS_MODULE"
    },
    "gunicorn --bind unix:/run/gunicorn.sock --workers 3 --umask 007 shop.wsgi:application": {
        "bind": "unix:/run/gunicorn.sock",
        "umask": "007",
    },
    "gunicorn -b 0.0.0.0:8000 -b [::]:8000 --worker-class=sync --worker-tmp-dir /dev/shm "
    "--max-requests=1200 --max-requests-jitter=100 app:app": {
        "bind": "0.0.0.0:8000, [::]:8000",
        "max_requests_jitter": "100",
    },
    "gunicorn --certfile=cert.pem --keyfile=key.pem --ca-certs=ca.pem --cert-reqs=2 "
    "--ciphers=HIGH app:app": {
        "ssl_certfile": "cert.pem",
        "ssl_keyfile": "key.pem",
        "ssl_ca_certs": "ca.pem",
        "ssl_cert_reqs": "required",
        "ssl_ciphers": "HIGH",
    },
    "gunicorn -p app.pid -u www-data -g www-data --chdir /srv/shop --forwarded-allow-ips='*' "
    "-kgthread app:app": {
        "pid": "app.pid",
        "user": "www-data",
        "group": "www-data",
        "chdir": "/srv/shop",
        "forwarded_allow_ips": "*",
    },
    "gunicorn \"shop:create_app('production')\" --preload --graceful-timeout 20 -n shop "
    "--limit-request-line 0 --limit-request-field_size 8190 --limit-request-fields 100 -R": {
        "preload": "on",
        "graceful_timeout": "20s",
        "name": "shop",
        "limit_request_line": "none",
        "limit_request_field_size": "8190",
        "limit_request_fields": "100",
    },
    "gunicorn --access-logfile - --error-logfile /tmp/error.log --log-level debug "
    "--access-logformat '%(h)s %(t)s \"%(r)s\" %(s)s %(b)s %(D)s' app:app": {
        "access_logfile": "- (stdout)",
        "error_logfile": "/tmp/error.log",
        "log_level": "debug",
        "access_logformat": '%(h)s %(t)s "%(r)s" %(s)s %(b)s %(D)s',
    },
    "gunicorn --reload --reload-engine poll --reload-extra-file templates/a.html shop.wsgi": {
        "reload": "on",
        "reload_include": "templates/a.html",
    },
    "uvicorn main:app --interface wsgi --host 0.0.0.0 --port 80 --workers 4": {
        "host": "0.0.0.0",
        "port": "80",
        "workers": "4",
    },
    "uvicorn main:create_app --factory --app-dir src --interface wsgi --log-level warning "
    "--no-access-log": {
        "factory": "on",
        "chdir": "src",
        "log_level": "warning",
        "access_log": "off",
    },
    "uvicorn main:app --interface wsgi --proxy-headers --forwarded-allow-ips='10.0.0.1,10.0.0.2' "
    "--root-path /api": {
        "forwarded_allow_ips": "10.0.0.1, 10.0.0.2",
        "root_path": "/api",
    },
    "uvicorn app:app --uds /tmp/uvicorn.sock --interface wsgi --lifespan off --http h11 --ws none "
    "--loop asyncio --no-server-header --no-date-header --use-colors": {
        "uds": "/tmp/uvicorn.sock",
        "loop": "asyncio",
        "server_header": "off",
        "date_header": "off",
    },
    "uvicorn app:app --interface=wsgi --ssl-keyfile=./key.pem --ssl-certfile=./cert.pem "
    "--timeout-keep-alive 5 --timeout-graceful-shutdown 10 --limit-max-requests 1000 "
    "--limit-max-requests-jitter 50 --backlog 4096 --header X-Shop:1": {
        "ssl_keyfile": "./key.pem",
        "ssl_certfile": "./cert.pem",
        "keep_alive": "5s",
        "graceful_timeout": "10s",
        "max_requests": "1000",
        "max_requests_jitter": "50",
        "backlog": "4096",
        "header": "X-Shop: 1",
    },
    "uvicorn main:app --interface wsgi --reload --reload-dir src --reload-include '*.html' "
    "--reload-exclude 'tests/*' --reload-delay 0.5 --port 5000": {
        "reload": "on",
        "reload_dir": "src",
        "reload_include": "*.html",
        "reload_exclude": "tests/*",
    },
    "uvicorn app:app --interface wsgi --fd 3 --h11-max-incomplete-event-size 32768 "
    "--reset-contextvars": {"fd": "3", "limit_request_head": "32k"},
    "waitress-serve --port=8041 --threads=8 shop:app": {"port": "8041", "threads": "8"},
    "waitress-serve --listen=*:8080 --call shop.web:create_app": {
        "bind": "*:8080",
        "factory": "on",
    },
    "waitress-serve --host=127.0.0.1 --port=8041 --url-prefix=/shop --trusted-proxy=10.0.0.5 "
    "--trusted-proxy-count=1 --log-untrusted-proxy-headers shop:app": {
        "root_path": "/shop",
        "forwarded_allow_ips": "10.0.0.5",
    },
    "waitress-serve --unix-socket=/run/shop.sock --unix-socket-perms=660 --connection-limit=500 "
    "--channel-timeout=60 --max-request-body-size=1048576 --asyncore-use-poll --recv-bytes=65536 "
    "shop:app": {
        "uds": "/run/shop.sock",
        "uds_permissions": "660",
        "limit_connections": "500",
        "keep_alive": "60s",
        "limit_request_body": "1m",
    },
    "waitress-serve --listen=127.0.0.1:8080 --listen=[::1]:8080 --inbuf-overflow=524288 "
    "--outbuf-overflow=1048576 --outbuf-high-watermark=16777216 --max-request-header-size=262144 "
    "--no-expose-tracebacks shop": {
        "bind": "127.0.0.1:8080, [::1]:8080",
        "response_spool": "16m",
        "limit_request_head": "256k",
    },
    "granian --interface wsgi main:app": {"workers": "1"},
    "granian --interface wsgi --workers 4 --blocking-threads 8 --backpressure 128 --host 0.0.0.0 "
    "--port 8080 main:app": {"workers": "4", "threads": "8", "host": "0.0.0.0", "port": "8080"},
    "granian --interface wsgi --factory shop:create_app --working-dir /srv/shop "
    "--url-path-prefix /shop --no-ws --http 1 --log-level info --respawn-failed-workers": {
        "factory": "on",
        "chdir": "/srv/shop",
        "root_path": "/shop",
    },
    "granian --interface wsgi --ssl-certificate cert.pem --ssl-keyfile key.pem --ssl-ca ca.pem "
    "--ssl-client-verify --workers-lifetime 3600 --workers-max-rss 512 --workers-kill-timeout 30 "
    "--process-name shop --pid-file app.pid --runtime-mode mt --runtime-threads 2 app:app": {
        "ssl_certfile": "cert.pem",
        "ssl_ca_certs": "ca.pem",
        "ssl_cert_reqs": "required",
        "max_worker_lifetime": "3600s",
        "max_worker_rss": "512m",
        "name": "shop",
        "pid": "app.pid",
    },
    "granian --interface wsgi --reload --reload-paths src --reload-ignore-dirs tests "
    "--reload-tick 100 main:app": {
        "reload": "on",
        "reload_dir": "src",
        "reload_exclude": "tests",
    },
    "granian --interface wsgi --http1-header-read-timeout 5000 --no-http1-keep-alive --no-log "
    "--uds /run/shop.sock --uds-permissions 660 app:app": {
        "header_timeout": "5s",
        "keep_alive": "0s",
        "log_level": "critical",
    },
}


def words(line: str) -> list[str]:
    return shlex.split(line)[1:]


@pytest.mark.parametrize("line", LINES)
def test_a_line_of_another_server_means_the_same(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = shown(capsys, *words(line))
    meant = {name: found[name].rpartition(" (")[0] for name in LINES[line]}
    assert meant == LINES[line]


REFUSED = {
    "gunicorn -k gevent app:app": "give --threads as many requests as may run at the same time",
    "gunicorn -k uvicorn.workers.UvicornWorker app:app": "there is one kind of worker here",
    "gunicorn -D app:app": "nohup aiowsgi ... &",
    "gunicorn --paste production.ini": "name a function that reads the file",
    "gunicorn --statsd-host=localhost:8125 app:app": "statsd is not spoken",
    "gunicorn --protocol uwsgi app:app": "proxy_pass instead of uwsgi_pass",
    "gunicorn --pythonpath src app:app": "PYTHONPATH=DIRS aiowsgi ...",
    "gunicorn --ca-certs a --ssl-ca-certs b app:app": "--ca-certs is --ssl-ca-certs here",
    "uvicorn main:app --interface asgi3": "stay with uvicorn or granian",
    "uvicorn main:app --limit-concurrency 100": "--limit-queue is how many may wait",
    "uvicorn main:app --ssl-version 17": "--ssl-minimum-version TLSv1.2",
    "waitress-serve --url-scheme=https shop:app": "by X-Forwarded-Proto",
    "waitress-serve --trusted-proxy=10.0.0.5 --trusted-proxy-count=2 shop:app": "name each",
    "waitress-serve --ident=shop app:app": "--no-server-header --header Server:NAME",
    "granian --interface asgi main:app": "--interface asgi, of uvicorn and granian: aiowsgi serves",
    "granian --interface wsgi --http 2 app:app": "HTTP/2 is not spoken",
    "granian --interface wsgi --static-path-mount static app:app": "WhiteNoise",
}


@pytest.mark.parametrize("line", REFUSED)
def test_what_cannot_be_had_is_an_error_with_what_to_do_instead(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*words(line), "--print-config"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Error: -")
    assert REFUSED[line] in err


# One of each, served: with a free port instead of the usual ones.
SERVED = [
    "gunicorn --bind 127.0.0.1:0 -k gthread --workers 1 --threads 8 --timeout 0 {app}",
    "uvicorn {app} --interface wsgi --port 0 --lifespan off --no-access-log",
    "waitress-serve --listen=127.0.0.1:0 --threads=2 --channel-timeout=30 {app}",
    "granian --interface wsgi --port 0 --blocking-threads 2 --backpressure 128 --no-ws {app}",
]


@pytest.mark.skipif(sys.platform == "win32", reason="one of them has workers")
@pytest.mark.parametrize("line", SERVED)
def test_a_line_of_another_server_serves(line: str) -> None:
    with command(*words(line.format(app="tests.apps.hello:app"))) as process:
        assert get(listening(process)) == (200, "hello at /")


def test_a_header_takes_the_place_of_waitress_ident() -> None:
    app = "tests.apps.hello:app"
    with command("--port", "0", "--no-server-header", "--header", "Server:shop", app) as process:
        url = listening(process)
        with urlopen(url) as answer:  # noqa: S310 - our own address
            assert answer.headers.get_all("Server") == ["shop"]
