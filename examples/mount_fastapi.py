"""A Flask application mounted in a FastAPI one: the old views and the new ones on one address.

    uvicorn examples.mount_fastapi:app

Then open http://127.0.0.1:8000/ and http://127.0.0.1:8000/legacy/.
"""

from __future__ import annotations

from fastapi import FastAPI
from flask import Flask, request

from aiowsgi.asgi import WSGIMiddleware

legacy = Flask(__name__)


@legacy.get("/")
def index() -> str:
    return f"Flask, mounted at {request.script_root}, asked by {request.remote_addr}\n"


app = FastAPI()


@app.get("/")
async def root() -> dict[str, str]:
    return {"framework": "FastAPI"}


app.mount("/legacy", WSGIMiddleware(legacy, threads=8))
