"""The options of proxies: whose word counts for who the client is. By default, nobody's."""

from __future__ import annotations

import dataclasses
import sys
from ipaddress import ip_address, ip_network
from typing import Any

from aiowsgi import kinds
from aiowsgi.errors import ConfigError
from aiowsgi.options import PROXIES, option


def check_trusted(name: Any) -> str:
    """Return an address or network in its regular form; ValueError for what is neither."""
    if name in ("*", "unix"):
        return str(name)
    words = "an IP address, a network such as 10.0.0.0/8, unix, or * for whoever connects"
    if not isinstance(name, str):
        raise ValueError(words)  # noqa: TRY004 - a kind refuses by ValueError only
    try:
        network = ip_network(name, strict=False)
    except ValueError:
        raise ValueError(words) from None
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is not None and network.prefixlen >= 96:  # RFC 4291 2.5.5.2
        network = ip_network(f"{mapped}/{network.prefixlen - 96}")
    elif network.network_address != ip_address(name.partition("/")[0]):
        raise ValueError(f"{words} (did you mean {network}?)")
    return str(network if network.num_addresses > 1 else network.network_address)


def peers() -> kinds.Kind:
    """Return the kind of lists of these, each item of which may be a list again."""
    kind = kinds.several("ADDRESS", check_trusted, r"[,\s]+")

    def read(value: Any) -> Any:
        if isinstance(value, (list, tuple)) and all(isinstance(part, str) for part in value):
            value = ",".join(value)  # as with the flags of other servers: --x a,b
        return kind.read(value)

    return dataclasses.replace(kind, read=read)


@dataclasses.dataclass(frozen=True, init=False)
class ProxyOptions:
    """Whom the server believes about its clients."""

    proxy_headers: bool = option(
        True,
        kinds.switch(),
        PROXIES,
        "Believe Forwarded and X-Forwarded-For, -Proto, -Host, -Port and -Prefix of those whom "
        "--forwarded-allow-ips names.",
    )
    forwarded_allow_ips: tuple[str, ...] = option(
        (),
        peers(),
        PROXIES,
        "A proxy whose fields are believed, repeatable: an IP address, a network such as "
        "10.0.0.0/8, unix (whoever connects by a unix socket), * (whoever connects).",
        flags=("--trusted-proxy",),
        default_text="$FORWARDED_ALLOW_IPS or nobody",
        well_known="FORWARDED_ALLOW_IPS",
    )
    proxy_protocol: str = option(
        "off",
        kinds.choice("off", "v1", "v2", "auto"),
        PROXIES,
        "Connections of those whom --proxy-allow-from names begin with a PROXY header of this "
        "version (auto: of either), before TLS and HTTP.",
    )
    proxy_allow_from: tuple[str, ...] = option(
        (),
        peers(),
        PROXIES,
        "A proxy that sends PROXY headers, repeatable: an address, a network, unix, or *.",
        default_text="nobody",
    )

    def check_proxies(self, header_map: str) -> None:
        """ConfigError where a list of proxies would do nothing, or anybody could pose as one."""
        if self.proxy_protocol != "off" and not self.proxy_allow_from:
            raise ConfigError(
                f"proxy_protocol: {self.proxy_protocol} needs proxy_allow_from, since nobody's "
                "PROXY header is read by default: give the addresses of the proxy"
            )
        if self.proxy_allow_from and self.proxy_protocol == "off":
            raise ConfigError(
                "proxy_allow_from does nothing while proxy_protocol is off: say v1, v2 or auto, or "
                "leave it out; for header fields there is forwarded_allow_ips"
            )
        if self.proxy_protocol != "off" and sys.platform == "win32":
            raise ConfigError("proxy_protocol is not there on Windows: use header fields instead")
        if self.proxy_headers and self.forwarded_allow_ips and header_map == "dangerous":
            raise ConfigError(
                "header_map: dangerous does not go with forwarded_allow_ips: any client could "
                "write X_Forwarded_For where the proxy writes X-Forwarded-For; use drop or refuse"
            )
