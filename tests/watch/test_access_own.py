"""What the loop answers by itself is in the access log like what the application answers (S17)."""

from __future__ import annotations

from tests.live import live
from tests.server.http_client import Peer, deaf, get
from tests.watch.lines import Kept, parts


def test_a_health_check_has_its_line(kept: Kept) -> None:
    with live(deaf, access_log=True, health_path="/up") as server, Peer(server) as peer:
        assert peer.ask(get(b"User-Agent: probe", target=b"/up?ready")).status == 200
    [line] = (parts(line) for line in kept.lines)
    assert line["client"] == "127.0.0.1"
    assert line["request"] == "GET /up?ready HTTP/1.1"
    assert (line["status"], line["sent"], line["agent"]) == ("200", "2", "probe")
