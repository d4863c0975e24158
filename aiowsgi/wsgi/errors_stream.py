"""wsgi.errors: where an application complains (P24).

The law: it never raises. An application that reports trouble must not get into more of it because
stderr is closed (S18), full, or cannot encode what it is told.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import suppress


class ErrorStream:
    """Text to sys.stderr as it is at the time of the call, which programs and tests replace.

    Any thread may use it. One write is one write of stderr.
    """

    __slots__ = ()

    def write(self, text: str) -> int:
        """Write any str, surrogates too; return its length, written or not."""
        if not isinstance(text, str):
            text = ascii(text)
        stream = sys.stderr
        if stream is not None:  # pythonw and a closed descriptor 2 have none
            try:
                stream.write(text)
            except UnicodeError:
                with suppress(Exception):
                    stream.write(text.encode("ascii", "backslashreplace").decode("ascii"))
            except Exception:  # noqa: BLE001, S110 - there is nowhere left to say it
                pass
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each line as it is; line ends are the caller's, as with any text file."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Flush stderr, where there is one."""
        stream = sys.stderr
        if stream is not None:
            with suppress(Exception):
                stream.flush()
