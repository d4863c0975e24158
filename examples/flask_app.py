"""A Flask application: a form, an upload, a session and a stream.

    aiowsgi examples/flask_app.py:app

Then open http://127.0.0.1:8000/.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from flask import Flask, Response, request, session, stream_with_context

app = Flask(__name__)
app.secret_key = "only for this example"  # noqa: S105 - a real one comes from the environment

PAGE = """<!doctype html>
<title>aiowsgi and Flask</title>
<h1>Visit number {visits}</h1>
<form action="/upload" method="post" enctype="multipart/form-data">
  <input type="file" name="file"> <button>Send</button>
</form>
<p><a href="/count/10">Count to ten</a></p>
"""


@app.get("/")
def index() -> str:
    session["visits"] = session.get("visits", 0) + 1
    return PAGE.format(visits=session["visits"])


@app.post("/upload")
def upload() -> dict[str, object]:
    file = request.files["file"]
    content = file.read()
    return {
        "name": file.filename,
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


@app.get("/count/<int:last>")
def count(last: int) -> Response:
    def lines() -> Iterator[str]:
        for number in range(1, last + 1):
            yield f"{number} for {request.path}\n"

    return Response(stream_with_context(lines()), mimetype="text/plain")
