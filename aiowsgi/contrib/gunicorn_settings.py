"""gunicorn's settings -> ours: what gunicorn says holds, its defaults included.

So gunicorn's own pages stay true, `--threads 1` for an application that needs it above all. Where
gunicorn has no setting, the `AIOWSGI_*` variables and then the defaults of aiowsgi hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiowsgi.config_sources import PREFIX
from aiowsgi.settings import Settings, resolve

# What a deployment may rely on, and would miss without a word.
_WITHOUT_EFFECT = (
    "casefold_http_method",
    "forwarder_headers",
    "http2_cleartext",
    "http_protocols",
    "permit_obsolete_folding",
    "permit_unconventional_http_method",
    "permit_unconventional_http_version",
    "post_request",
    "pre_request",
    "protocol",
    "secure_scheme_headers",
    "strip_header_spaces",
)


def settings_from(cfg: Any, environ: Mapping[str, str]) -> Settings:
    """Return what a server of ours is told by gunicorn's Config. Raises ConfigError."""
    return resolve(_given(cfg), environ)


def without_effect(cfg: Any, environ: Mapping[str, str]) -> list[str]:
    """Return what somebody has said that means nothing here: settings of gunicorn's, variables."""
    variables = [PREFIX + name.upper() for name in _given(cfg)]
    return [
        *(name for name in _WITHOUT_EFFECT if _is_changed(cfg, name)),
        *(name for name in variables if environ.get(name)),
    ]


def _given(cfg: Any) -> dict[str, Any]:
    given = {
        "workers": cfg.workers,
        "threads": cfg.threads,
        "backlog": cfg.backlog,
        "limit_connections": cfg.worker_connections,
        "keep_alive": cfg.keepalive,
        "graceful_timeout": _before_the_arbiter(cfg.graceful_timeout),
        "limit_request_line": cfg.limit_request_line or None,  # 0 is no limit there
        "limit_request_fields": cfg.limit_request_fields or None,
        "limit_request_field_size": cfg.limit_request_field_size or None,
        "header_map": cfg.header_map,
        "access_log": False,  # gunicorn's takes its place
        "metrics": None,  # these are a supervisor's, and the arbiter has none of them
        "control_socket": "off",
    }
    given |= _proxies(cfg)
    if cfg.is_ssl:
        given |= _tls(cfg)
    return given


def _is_changed(cfg: Any, name: str) -> bool:
    setting = cfg.settings.get(name)  # which an older version may not have
    if setting is None:
        return False
    default = setting.default
    checked = setting.validator(default) if callable(setting.validator) else default
    return setting.get() not in (default, checked)


def _proxies(cfg: Any) -> dict[str, Any]:
    """Whom gunicorn trusts; by its rule, whoever connects by a unix socket, too."""
    given: dict[str, Any] = {}
    # Its default goes along with `dangerous`, which ours does not: then nobody is trusted.
    if cfg.header_map != "dangerous" or _is_changed(cfg, "forwarded_allow_ips"):
        given["forwarded_allow_ips"] = [*cfg.forwarded_allow_ips, "unix"]
    protocol = {False: "off", True: "v1"}.get(cfg.proxy_protocol, cfg.proxy_protocol)
    if protocol != "off":
        given["proxy_protocol"] = protocol
        given["proxy_allow_from"] = [*cfg.proxy_allow_ips, "unix"]
    return given


def _before_the_arbiter(patience: float) -> float:
    """So many seconds, but less one: the arbiter kills after as many, before we could say whom."""
    return max(patience - 1, patience / 2)


def _tls(cfg: Any) -> dict[str, Any]:
    return {
        "ssl_certfile": cfg.certfile,
        "ssl_keyfile": cfg.keyfile,
        "ssl_ca_certs": cfg.ca_certs,
        "ssl_cert_reqs": int(cfg.cert_reqs),
        "ssl_ciphers": cfg.ciphers,
        "ssl_context_factory": lambda _, default: cfg.ssl_context(cfg, default),
    }
