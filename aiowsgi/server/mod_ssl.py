"""What TLS agreed on with a client, under the names that Apache's mod_ssl gave it in environ (P13).

Names that a client chose come to the application as text in which it cannot play another: the
subject of its certificate is escaped as RFC 4514 2.4 says, last part first.
"""

from __future__ import annotations

import re
import ssl
from typing import Any

# The short names of OpenSSL, where they differ from those that Python gives; RFC 4514 3.
_SHORT = {
    "commonName": "CN",
    "countryName": "C",
    "domainComponent": "DC",
    "givenName": "GN",
    "localityName": "L",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "stateOrProvinceName": "ST",
    "surname": "SN",
    "userId": "UID",
}
_SPECIAL = re.compile(r'[,+"\\<>;]|^[ #]| $')
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def mod_ssl(connection: ssl.SSLObject | None) -> dict[str, str]:
    """The keys for environ, as text of latin-1 (P10); none where the connection is not over TLS."""
    if connection is None:
        return {}
    cipher = connection.cipher()
    found = {
        "SSL_PROTOCOL": connection.version() or "",
        "SSL_CIPHER": cipher[0] if cipher else "",
        "SSL_CLIENT_VERIFY": "NONE",
    }
    certificate = connection.getpeercert(binary_form=True)
    if certificate:  # it was asked for, so that it has been checked
        subject: Any = (connection.getpeercert() or {}).get("subject", ())
        found["SSL_CLIENT_VERIFY"] = "SUCCESS"
        found["SSL_CLIENT_S_DN"] = distinguished_name(subject)
        found["SSL_CLIENT_CERT"] = ssl.DER_cert_to_PEM_cert(certificate)
    return found


def distinguished_name(subject: tuple[tuple[tuple[str, str], ...], ...]) -> str:
    """A subject in the form that `getpeercert` has it, as one line (RFC 4514), UTF-8 as latin-1."""
    parts = ["+".join(map(_attribute, part)) for part in reversed(subject)]
    return ",".join(parts).encode("utf-8", "backslashreplace").decode("latin-1")


def _attribute(pair: tuple[str, str]) -> str:
    name, value = pair
    value = _SPECIAL.sub(lambda found: "\\" + found[0], value)
    value = _CONTROL.sub(lambda found: f"\\{ord(found[0]):02X}", value)
    return f"{_SHORT.get(name, name)}={value}"
