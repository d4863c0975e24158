"""Every example runs by its one command, answers over a real socket, and TERM ends it with 0."""

from __future__ import annotations

import hashlib
import shlex
import subprocess
import sys

import pytest

from tests.examples.running import ROOT, documented_command, running

TRIED = {
    "bottle_hello",
    "django_app",
    "falcon_quote",
    "flask_app",
    "flask_test",
    "hello",
    "mount_fastapi",
    "pyramid_app",
    "wsgiref_server",
}
UPLOAD = bytes(range(256)) * 8192  # 2 MiB: past the memory of a request's spool


def test_every_example_is_run_here() -> None:
    assert {path.stem for path in (ROOT / "examples").glob("*.py")} == TRIED


@pytest.mark.parametrize("example", sorted(TRIED))
def test_an_example_says_its_own_name_in_its_command(example: str) -> None:
    command = documented_command(example)
    assert f"examples/{example}.py" in command or f"examples.{example}:" in command


def test_hello() -> None:
    with running("hello") as client:
        assert client.get("/").text == "Hello, world!\n"
        assert client.get("/", params={"name": "Zoë"}).text == "Hello, Zoë!\n"
        answer = client.head("/")
        assert (answer.content, answer.headers["content-length"]) == (b"", "14")  # P41


def test_wsgiref_server() -> None:
    with running("wsgiref_server") as client:
        assert client.get("/a%20b").text == "GET /a b\na body of 0 bytes\n"
        assert client.post("/", content=UPLOAD).text == f"POST /\na body of {len(UPLOAD)} bytes\n"
        chunked = client.put("/", content=iter([b"chunk ", b"by ", b"chunk"]))
        assert chunked.text == "PUT /\na body of 14 bytes\n"  # P25: CONTENT_LENGTH was set


def test_flask() -> None:
    with running("flask_app") as client:
        assert "Visit number 1" in client.get("/").text
        assert "Visit number 2" in client.get("/").text  # the session's cookie came back
        answer = client.post("/upload", files={"file": ("all.bin", UPLOAD)})
        assert answer.json() == {
            "name": "all.bin",
            "size": len(UPLOAD),
            "sha256": hashlib.sha256(UPLOAD).hexdigest(),
        }
        counted = client.get("/count/3")
        assert counted.headers["transfer-encoding"] == "chunked"
        assert counted.text == "1 for /count/3\n2 for /count/3\n3 for /count/3\n"
        assert client.get("/nowhere").status_code == 404


def test_a_test_of_a_flask_application() -> None:
    command = shlex.split(documented_command("flask_test"))
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_django() -> None:
    with running("django_app") as client:
        assert client.get("/").text == "<h1>aiowsgi and Django</h1>\n"
        assert client.get("/upload").status_code == 405
        answer = client.post("/upload", data={"title": "Größe"}, files={"f": ("f.bin", UPLOAD)})
        assert answer.json() == {
            "fields": {"title": "Größe"},
            "files": {
                "f": {
                    "name": "f.bin",
                    "size": len(UPLOAD),
                    "sha256": hashlib.sha256(UPLOAD).hexdigest(),
                }
            },
        }
        rows = client.get("/stream")
        assert rows.headers["transfer-encoding"] == "chunked"
        assert rows.text.splitlines()[-1] == "999,998001"
        head = client.head("/stream")
        assert (head.status_code, head.content) == (200, b"")


def test_django_sends_a_file_whole() -> None:
    """P45: FileResponse goes through wsgi.file_wrapper."""
    source = (ROOT / "examples" / "django_app.py").read_bytes()
    with running("django_app") as client:
        answer = client.get("/download")
        assert answer.content == source
        assert answer.headers["content-length"] == str(len(source))
        assert "django_app.py" in answer.headers["content-disposition"]
        assert client.get("/").status_code == 200  # the connection goes on


def test_django_does_not_see_a_field_that_poses_as_another() -> None:
    """P12: a name with `_` is dropped, so `X_Forwarded_For` cannot become HTTP_X_FORWARDED_FOR."""
    with running("django_app") as client:
        spoof = {"X_Forwarded_For": "10.0.0.1", "Remote_Addr": "10.0.0.1", "Proxy": "http://evil/"}
        seen = client.get("/meta", headers={**spoof, "X-Real": "yes"}).json()
    assert seen["REMOTE_ADDR"] == "127.0.0.1"
    assert seen["HTTP_X_REAL"] == "yes"
    assert not {"HTTP_X_FORWARDED_FOR", "HTTP_REMOTE_ADDR", "HTTP_PROXY"} & set(seen)


def test_falcon() -> None:
    with running("falcon_quote") as client:
        answer = client.get("/quote")
        assert answer.headers["content-type"] == "application/json"
        assert answer.json() == {
            "author": "Grace Hopper",
            "quote": "I've always been more interested in the future than in the past.",
        }
        assert client.post("/quote").status_code == 405


def test_bottle() -> None:
    with running("bottle_hello") as client:
        assert client.get("/hello/Grace").text == "<b>Hello Grace</b>!"
        assert client.get("/hello/<i>").text == "<b>Hello &lt;i&gt;</b>!"
        assert client.get("/").status_code == 404


def test_pyramid() -> None:
    with running("pyramid_app") as client:
        assert client.get("/").text == f"Ask for {client.base_url}/add/2/3\n"
        assert client.get("/add/2/3").json() == {"a": 2, "b": 3, "sum": 5}
        assert client.get("/add/2/x").status_code == 404


def test_mount_fastapi() -> None:
    """Served by uvicorn: the old views and the new ones on one address."""
    with running("mount_fastapi") as client:
        assert client.get("/").json() == {"framework": "FastAPI"}
        assert client.get("/legacy/").text == "Flask, mounted at /legacy, asked by 127.0.0.1\n"
