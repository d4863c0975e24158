"""A Bottle application with one route.

    aiowsgi examples/bottle_hello.py:app

Then ask for http://127.0.0.1:8000/hello/Grace.
"""

from __future__ import annotations

import bottle

app = bottle.Bottle()


@app.get("/hello/<name>")
def hello(name: str) -> str:
    return str(bottle.template("<b>Hello {{name}}</b>!", name=name))
