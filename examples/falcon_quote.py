"""A Falcon resource that answers a quotation as JSON.

    aiowsgi examples/falcon_quote.py:app

Then ask for http://127.0.0.1:8000/quote.
"""

from __future__ import annotations

import falcon


class Quote:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.cache_control = ["max-age=3600"]
        resp.media = {
            "author": "Grace Hopper",
            "quote": "I've always been more interested in the future than in the past.",
        }


app: falcon.App[falcon.Request, falcon.Response] = falcon.App()
app.add_route("/quote", Quote())
