"""A Flask application as ASGI hosts meet it: bare, and mounted under Starlette and FastAPI."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from flask import Flask, Response, request
from starlette.applications import Starlette
from starlette.routing import Mount

from aiowsgi.asgi import WSGIMiddleware

flask = Flask(__name__)
closed = threading.Semaphore(0)
BLOCK = b"x" * 65536
SOON = 10.0  # seconds: it takes milliseconds, and more on a machine that has much else to do


@flask.get("/where")
def where() -> dict[str, Any]:
    keys = ("SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "SERVER_PROTOCOL", "HTTP_COOKIE")
    return {key: request.environ.get(key) for key in keys}


@flask.post("/upload")
def upload() -> dict[str, Any]:
    """Reads as it comes: the body is never held whole."""
    digest, size = hashlib.sha256(), 0
    while data := request.stream.read(65536):
        digest.update(data)
        size += len(data)
    return {"size": size, "sha256": digest.hexdigest(), "length": request.content_length}


@flask.get("/download/<int:blocks>")
def download(blocks: int) -> Response:
    return Response((BLOCK for _ in range(blocks)), mimetype="application/octet-stream")


@flask.get("/endless")
def endless() -> Response:
    def blocks() -> Iterator[bytes]:
        try:
            while True:
                yield BLOCK
        finally:
            closed.release()

    return Response(blocks(), mimetype="application/octet-stream")


@flask.get("/closed")
def was_closed() -> dict[str, bool]:
    """Whether an endless response is closed soon."""
    return {"closed": closed.acquire(timeout=SOON)}


@flask.get("/pause")
def pause() -> str:
    time.sleep(0.001)
    return "waited"


@flask.get("/fails")
def fails() -> str:
    raise SystemExit(3)


flask.config["PROPAGATE_EXCEPTIONS"] = True

bare = WSGIMiddleware(flask, threads=8)
starlette = Starlette(routes=[Mount("/legacy", app=WSGIMiddleware(flask, threads=8))])
fastapi = FastAPI()
fastapi.mount("/legacy", WSGIMiddleware(flask, threads=8))
few = WSGIMiddleware(flask, threads=2)
streamed = WSGIMiddleware(flask, threads=2, request_buffering=False, spool_threshold=65536)


@fastapi.get("/native")
async def native() -> dict[str, str]:
    return {"native": "yes"}
