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


def test_a_client_of_a_trusted_proxy_has_its_own_address_whoever_answers(kept: Kept) -> None:
    """S12: the application or the loop; of what cannot be read, the line has the proxy's."""
    options = {"access_log": True, "health_path": "/up", "forwarded_allow_ips": "127.0.0.1"}
    with live(deaf, **options) as server, Peer(server) as peer:
        client = b"X-Forwarded-For: 6.6.6.6, 192.0.2.7"
        assert peer.ask(get(client)).status == 200
        assert peer.ask(get(client, target=b"/up")).status == 200
        assert peer.ask(get(b'X-Forwarded-For: "x')).status == 400
    found = [(line["client"], line["status"]) for line in map(parts, kept.lines)]
    assert found == [("192.0.2.7", "200"), ("192.0.2.7", "200"), ("127.0.0.1", "400")]
