"""A header section as meta-variables (RFC 3875 4.1.18), the names that PEP 3333 has for its fields.

The law: one dict of native strings, one code point per byte (P10); a repeated field is one
comma-separated list (RFC 9110 5.3), made in time that is in proportion (A18). Nothing in it can be
mistaken for a field that was not sent: names with `_` are dropped unless asked for, `Proxy` always.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

# Names and lines are the client's: neither their number nor their size may fill memory (S4).
_CACHED: Final = 1024
_CACHED_SIZE: Final = 64
_CACHED_LINE: Final = 256

# What a client says of itself it says alike in each request: such lines are remembered whole, as
# HPACK does (RFC 7541 2.3). None of these is a secret; whatever else was sent is not kept.
_ALIKE: Final = frozenset(
    "HTTP_" + name
    for name in (
        "ACCEPT ACCEPT_CHARSET ACCEPT_ENCODING ACCEPT_LANGUAGE CACHE_CONTROL CONNECTION DNT HOST"
        " PRAGMA PRIORITY SEC_CH_UA SEC_CH_UA_MOBILE SEC_CH_UA_PLATFORM SEC_FETCH_DEST"
        " SEC_FETCH_MODE SEC_FETCH_SITE SEC_FETCH_USER SEC_GPC TE UPGRADE_INSECURE_REQUESTS"
        " USER_AGENT X_FORWARDED_PROTO X_REQUESTED_WITH"
    ).split()
)

# `Proxy` would be HTTP_PROXY, an operator's setting (P12), and the other one, spelled so, would be
# taken for the framing of the body.
_NEVER: Final = frozenset({"PROXY", "TRANSFER_ENCODING"})
# How it frames a body is for llhttp to judge, each time.
_CODING: Final = "HTTP_TRANSFER_ENCODING"
# CGI has these two without HTTP_.
_BARE: Final = frozenset({"CONTENT-LENGTH", "CONTENT-TYPE"})


class FieldNames:
    """Finds the meta-variable of a field name, any case; underscores keeps names with `_`.

    One for all connections of a server, and any thread may use it: what it remembers is only what
    it would find again.
    """

    __slots__ = ("_known", "_lines", "_underscores")

    def __init__(self, *, underscores: bool = False) -> None:
        self._underscores = underscores
        self._known: dict[str, str] = {}  # as it was spelled -> its meta-variable
        self._lines: dict[str, tuple[str, str]] = {}  # a line -> its meta-variable and value

    def collect(self, lines: list[str]) -> dict[str, str]:
        """Make the meta-variables of these field lines, whose syntax was checked (RFC 9112 5)."""
        found = self._collect(lines, checked=True)
        return self.join([_split(line) for line in lines]) if found is None else found

    def recognise(self, lines: list[str]) -> dict[str, str] | None:
        """The same, for lines of ASCII that nobody has checked; None: somebody has to.

        A line is a good one where its name was in a line that had been checked, and its value is
        of printable characters (RFC 9110 5.5), or where all of it is remembered, as such ones are.
        """
        return self._collect(lines, checked=False)

    def _collect(self, lines: list[str], checked: bool) -> dict[str, str] | None:
        """The meta-variables; None where a line is new in its kind, or there twice."""
        alike, known = self._lines, self._known
        found: dict[str, str] = {}
        for line in lines:
            pair = alike.get(line)
            if pair is not None:
                variable, value = pair
                found[variable] = value
                continue
            name, value = _split(line)
            same = known.get(name)
            if same is None:
                return None
            if not checked and (same == _CODING or name == line or not line.isprintable()):
                return None  # where the line is but a name, it has no colon
            found[same] = value
            if same in _ALIKE:
                self._remember(line, same, value)
        return found if len(found) == len(lines) else None

    def _remember(self, line: str, variable: str, value: str) -> None:
        if len(line) <= _CACHED_LINE and line.isprintable():
            if len(self._lines) >= _CACHED:
                self._lines.clear()  # what is alike is soon back
            self._lines[line] = (variable, value)

    def join(self, fields: Iterable[tuple[str, str]]) -> dict[str, str]:
        """Make the meta-variables of any fields: new, dropped and repeated ones."""
        lists: dict[str, list[str]] = {}
        for name, value in fields:
            variable = self.variable(name)
            if variable:
                lists.setdefault(variable, []).append(value)
        return {
            variable: values[0]
            if len(values) == 1
            else ("; " if variable == "HTTP_COOKIE" else ", ").join(values)  # RFC 6265 5.4
            for variable, values in lists.items()
        }

    def variable(self, name: str) -> str:
        """Find the meta-variable of one name; empty where the field is dropped."""
        variable = self._known.get(name)
        if variable is not None:
            return variable
        upper = name.encode("latin-1").upper().decode("latin-1")  # ASCII's letters only
        plain = upper.replace("-", "_")
        if upper in _BARE:
            variable = plain
        elif upper in _NEVER or ("_" in upper and not self._underscores):
            return ""
        else:
            variable = "HTTP_" + plain
        if len(name) <= _CACHED_SIZE:
            if len(self._known) >= _CACHED:
                self._known.clear()  # somebody makes up names: the real ones are soon back
            self._known[name] = variable
        return variable


def _split(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name, value.strip(" \t")  # H18; strip() alone takes NBSP off too
