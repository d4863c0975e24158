"""Before a listener closes: no new handshakes, so that nobody is accepted by the kernel in between.

Whoever has connected when a listening socket is closed, and was not accepted, is reset. On Linux a
filter of the socket drops the first packet of each new connection (socket(7), SO_ATTACH_FILTER):
its client tries again a moment later, and is refused then, as it is where nobody listens. Elsewhere
the time between the last look at the queue and the close remains.
"""

from __future__ import annotations

import socket
import struct
import sys
from array import array
from contextlib import suppress

_SO_ATTACH_FILTER = 26  # of most of Linux' architectures; where it is another, it is refused
_FLAGS_OFFSET = 13  # in the header of TCP, with which a packet begins here (RFC 9293 3.1)
_SYN = 0x02

# linux/filter.h: load the byte of flags; where SYN is among them keep nothing of it, else all.
_DROP_SYN = (
    (0x30, 0, 0, _FLAGS_OFFSET),
    (0x45, 0, 1, _SYN),
    (0x06, 0, 0, 0),
    (0x06, 0, 0, 0xFFFFFFFF),
)


def take_no_new(listening: socket.socket) -> None:
    """Have the kernel begin no new connection; those that it has are still to be accepted.

    For a socket that nobody will go on listening on: the filter is the socket's, whoever else has
    it.
    """
    if sys.platform != "linux" or listening.family not in (socket.AF_INET, socket.AF_INET6):
        return
    code = array("B", b"".join(struct.pack("HBBI", *step) for step in _DROP_SYN))
    program = struct.pack("HP", len(_DROP_SYN), code.buffer_info()[0])
    with suppress(OSError):
        listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
