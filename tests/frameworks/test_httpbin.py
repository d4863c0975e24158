"""httpbin answers the same through aiowsgi as through waitress, in every group of its endpoints.

Both get `Host: httpbin.example`, so that no port shows in what httpbin echoes. What may differ:
`Date` is the time, `Server` the server's name, `X-Request-ID` ours alone, `Via` what waitress adds
where the application has a `Server` of its own, and `Connection` and `Transfer-Encoding` belong to
the connection, not to the answer (RFC 9110 7.6.1): they are left out, and httpx has undone the
framing. waitress sorts its fields, so both are compared sorted; `Allow` is a set that Werkzeug
writes in any order. Everything else is equal, bodies after their content coding.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest
from httpbin import app

from tests.live import live

OF_THE_SERVER = frozenset(
    {"connection", "date", "server", "transfer-encoding", "via", "x-request-id"}
)


class Answer(NamedTuple):
    status: int
    reason: str
    fields: list[tuple[str, str]]
    body: bytes
    redirects: list[tuple[int, str]]


@pytest.fixture(scope="module")
def ours() -> Iterator[str]:
    with live(app) as server:
        yield server.url


@pytest.fixture(scope="module")
def theirs() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "waitress", "--listen=127.0.0.1:0", "httpbin:app"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    with process:
        for line in process.stderr:
            if found := re.search(r"Serving on (http://\S+)", line):
                yield found[1]
                break
        process.terminate()


def ask(url: str, method: str, path: str, options: dict[str, Any]) -> Answer:
    """The answer to one request; httpx follows redirects where `options` say so."""
    varies = options.pop("varies", frozenset())
    headers = {"Host": "httpbin.example", "User-Agent": "test", **options.pop("headers", {})}
    with httpx.Client(base_url=url, timeout=20) as client:
        response = client.request(method, path, headers=headers, **options)
    return Answer(
        response.status_code,
        response.reason_phrase,
        sorted(
            (name, ", ".join(sorted(value.split(", "))) if name == "allow" else value)
            for name, value in response.headers.multi_items()
            if name not in OF_THE_SERVER and name not in varies
        ),
        b"" if "body" in varies else response.content,
        [(past.status_code, past.headers.get("location", "")) for past in response.history],
    )


def case(method: str, path: str, **options: Any) -> Any:
    return pytest.param(method, path, options, id=f"{method} {path}")


JSON = {"quote": "\u201cIt\u2019s easier to ask forgiveness\u201d", "numbers": [1, 2.5, None]}
FILES: dict[str, tuple[str, bytes, str]] = {
    "file": ("notes.txt", b"line\r\n" * 30_000, "text/plain"),
    "b": ("b.bin", bytes(256), "application/octet-stream"),
}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=between-the-parts"}
BIG = bytes(range(256)) * 4096

CASES = [
    # methods and what they carry
    *(
        case(method, "/anything/a%20b/%E2%82%AC?x=1&x=2&y=")
        for method in ("GET", "DELETE", "TRACE")
    ),
    *(case(method, "/anything", json=JSON) for method in ("POST", "PUT", "PATCH")),
    *(case("HEAD", path) for path in ("/get", "/html", "/stream/3", "/bytes/10?seed=1")),
    *(case("OPTIONS", path) for path in ("/get", "/post")),
    case("GET", "/get", params={"a": ["1", "2"], "ü": "ö"}),
    case("POST", "/post", data={"a": ["1", "2"], "text": "two words & more"}),
    case("POST", "/post", data={"field": "value"}, files=FILES, headers=MULTIPART),
    case("POST", "/post", json=JSON),
    case("POST", "/post", content=b""),
    case("POST", "/post", content=BIG, headers={"Content-Type": "application/octet-stream"}),
    case("POST", "/post", content=[b"chunk ", b"by ", b"chunk"]),
    case("PUT", "/put", content="plain"),
    case("PATCH", "/patch", json={}),
    case("DELETE", "/delete"),
    case("POST", "/get"),  # 405 with Allow
    # status codes, each with its reason; 1xx are left out: they are no final answer (P31)
    *(
        case("GET", f"/status/{code}")
        for code in (200, 201, 204, 205, 206, 300, 304, 400, 401, 402, 404, 406, 418, 429, 500)
    ),
    case("DELETE", "/status/204"),
    case("HEAD", "/status/304"),
    case("GET", "/nowhere"),
    # request and response header fields
    case("GET", "/headers", headers={"X-Latin": "caf\xe9".encode("latin-1"), "X-Tab": "a\tb"}),
    case("GET", "/headers", headers={"Proxy_Authorization": "no", "X_Spoof": "no", "X-Real": "y"}),
    case("GET", "/user-agent"),
    case("GET", "/ip"),
    case("GET", "/response-headers?X-One=1&X-Two=2&X-Two=3&Server=mine"),
    case("GET", "/cache/60"),
    case("GET", "/cache", varies={"etag", "last-modified"}),  # made afresh for each request
    case("GET", "/cache", headers={"If-None-Match": "x"}),
    case("GET", "/etag/one", headers={"If-None-Match": '"one"'}),
    case("GET", "/etag/one", headers={"If-Match": '"two"'}),
    case("GET", "/basic-auth/grace/hopper", auth=("grace", "hopper")),
    case("GET", "/basic-auth/grace/hopper", auth=("grace", "wrong")),
    case("GET", "/hidden-basic-auth/grace/hopper"),
    case("GET", "/bearer", headers={"Authorization": "Bearer t"}),
    # cookies
    case("GET", "/cookies", headers={"Cookie": "a=1; b=2"}),
    case("GET", "/cookies/set?a=1&b=two"),
    case("GET", "/cookies/set/name/value", follow_redirects=True),
    case("GET", "/cookies/delete?a=1", headers={"Cookie": "a=1"}),
    # redirects
    case("GET", "/redirect/3", follow_redirects=True),
    case("GET", "/relative-redirect/2", follow_redirects=True),
    case("GET", "/absolute-redirect/2"),
    case("POST", "/redirect-to?url=/post&status_code=307", json=JSON, follow_redirects=True),
    case("GET", "/redirect-to?url=http%3A%2F%2Fexample.com%2F"),
    # content codings
    case("GET", "/gzip"),
    case("GET", "/deflate"),
    case("GET", "/brotli"),
    case("GET", "/encoding/utf8"),
    # dynamic data
    case("GET", "/stream/20"),
    case("GET", "/stream-bytes/100000?seed=7&chunk_size=1000"),
    case("GET", "/bytes/102400?seed=7"),
    case("GET", "/bytes/0"),
    case("GET", "/drip?duration=0&numbytes=20&delay=0"),
    case("GET", "/drip?duration=0&numbytes=3&code=503"),
    case("GET", "/delay/0"),
    case("GET", "/uuid", varies={"body"}),  # random
    case("GET", "/base64/aGVsbG8%3D"),
    case("GET", "/range/1024"),
    case("GET", "/range/1024", headers={"Range": "bytes=100-199"}),
    case("GET", "/range/1024", headers={"Range": "bytes=-24"}),
    case("GET", "/range/1024", headers={"Range": "bytes=2000-"}),
    case("GET", "/links/5/2"),
    # formats and images
    *(case("GET", path) for path in ("/html", "/json", "/xml", "/robots.txt", "/deny")),
    *(case("GET", f"/image/{kind}") for kind in ("png", "jpeg", "webp", "svg")),
    case("GET", "/image", headers={"Accept": "image/webp"}),
    case("GET", "/image", headers={"Accept": "text/html"}),
    case("GET", "/forms/post"),
]


@pytest.mark.parametrize(("method", "path", "options"), CASES)
def test_the_answer_is_the_one_that_waitress_gives(
    ours: str, theirs: str, method: str, path: str, options: dict[str, Any]
) -> None:
    assert ask(ours, method, path, {**options}) == ask(theirs, method, path, {**options})


def test_digest_authentication_takes_two_requests(ours: str, theirs: str) -> None:
    def answer(url: str) -> Answer:
        auth = httpx.DigestAuth("grace", "hopper")  # keeps the challenge, so one for each server
        return ask(
            url, "GET", "/digest-auth/auth/grace/hopper", {"auth": auth, "varies": {"set-cookie"}}
        )

    assert answer(ours) == answer(theirs)
    assert (answer(ours).status, answer(ours).redirects) == (200, [(401, "")])


def test_a_hop_by_hop_field_is_an_error_in_both(ours: str, theirs: str) -> None:
    """P32: httpbin's 407 carries Proxy-Authenticate, which PEP 3333 leaves to the server."""
    assert [ask(url, "GET", "/status/407", {}).status for url in (ours, theirs)] == [500, 500]


def test_the_cases_reach_the_application(ours: str) -> None:
    """The comparison means something: a body sent is the body echoed."""
    with httpx.Client(base_url=ours) as client:
        echo = client.post("/post", data={"field": "value"}, files=FILES).json()
    assert echo["form"] == {"field": "value"}
    assert echo["files"]["file"] == "line\r\n" * 30_000
