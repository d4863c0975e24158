"""The access log for programs: a JSON object per line, all strings in it ASCII (RFC 8259)."""

from __future__ import annotations

from json.encoder import encode_basestring_ascii as _quoted
from time import gmtime, strftime

from aiowsgi.watch.entry import Entry
from aiowsgi.watch.lines import Stamps, is_plain, six_digits


class JsonLine:
    """Makes the lines; any thread. Times are in seconds, null where there is none."""

    def __init__(self) -> None:
        self._stamps = Stamps(_stamp)

    def write(self, entry: Entry) -> str:
        """Make one line."""
        client, method, target = entry.client, entry.method, entry.target
        request_id, version = entry.request_id, entry.version
        referer = entry.fields.get("HTTP_REFERER", "")
        agent = entry.fields.get("HTTP_USER_AGENT", "")
        # In one look at all of them: this is done for each request, and rarely finds anything.
        texts = f"{client}{method}{target}{version}{request_id}{referer}{agent}"
        if not is_plain(texts, entry.printable):
            client, method, target = _escaped(client), _escaped(method), _escaped(target)
            request_id, version = _escaped(request_id), _escaped(version)
            referer, agent = _escaped(referer), _escaped(agent)
        aborted = "true" if entry.aborted else "false"
        return (
            f'{{"time": "{self._time(entry.when)}", "client": "{client}", "method": "{method}", '
            f'"target": "{target}", "version": "{version}", "status": {entry.status}, '
            f'"sent": {entry.sent}, "received": {entry.received}, '
            f'"seconds": {_seconds(entry.seconds)}, "queued": {_seconds(entry.queued)}, '
            f'"first_byte": {_seconds(entry.first)}, "aborted": {aborted}, '
            f'"request_id": "{request_id}", "referer": "{referer}", "agent": "{agent}"}}'
        )

    def _time(self, when: float) -> str:
        """A time of RFC 3339, with milliseconds."""
        whole = int(when)
        return f"{self._stamps.at(whole)}.{str(1000 + int((when - whole) * 1000))[1:]}Z"


def _stamp(when: int) -> str:
    return strftime("%Y-%m-%dT%H:%M:%S", gmtime(when))


def _escaped(text: str) -> str:
    return _quoted(text)[1:-1]


def _seconds(value: float) -> str:
    return six_digits(value) if value >= 0 else "null"
