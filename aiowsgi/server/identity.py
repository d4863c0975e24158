"""The user and group that application code runs as, when the server was started by root."""

from __future__ import annotations

import os
from typing import NamedTuple

from aiowsgi.errors import ConfigError


class Identity(NamedTuple):
    """A user and a group by their numbers; `name` is the user's, where the system knows one."""

    uid: int
    gid: int
    name: str | None

    def assume(self) -> None:
        """Become it for good, with the user's other groups and no more of root's."""
        if (os.geteuid(), os.getegid()) == (self.uid, self.gid):
            return
        if self.name is None:
            os.setgroups([self.gid])
        else:
            os.initgroups(self.name, self.gid)
        os.setgid(self.gid)
        os.setuid(self.uid)

    def own(self, path: str) -> None:
        """Give it a file, such as the socket that its group may connect to."""
        os.chown(path, self.uid, self.gid)


def identity(user: str | None, group: str | None) -> Identity | None:
    """Who is asked for, by name or number; None where nobody is.

    A user alone has its own group. Raises ConfigError where there is no such user or group, or this
    process may not become it.
    """
    if user is None and group is None:
        return None
    try:
        import grp
        import pwd
    except ImportError:
        raise ConfigError(
            "user, group: this system has none to change to: leave them out"
        ) from None
    uid, gid, name = os.geteuid(), os.getegid(), None
    if user is not None:
        try:
            entry = pwd.getpwuid(int(user)) if user.isdigit() else pwd.getpwnam(user)
            uid, gid, name = entry.pw_uid, entry.pw_gid, entry.pw_name
        except KeyError:
            if not user.isdigit():
                raise ConfigError(f"user: this system knows no user {user!r}") from None
            uid = int(user)  # containers run as numbers that nobody has named
    if group is not None:
        try:
            gid = int(group) if group.isdigit() else grp.getgrnam(group).gr_gid
        except KeyError:
            raise ConfigError(f"group: this system knows no group {group!r}") from None
    if os.geteuid() != 0 and (uid, gid) != (os.geteuid(), os.getegid()):
        raise ConfigError("user, group: only root can become another: start it as root, or as that")
    return Identity(uid, gid, name)
