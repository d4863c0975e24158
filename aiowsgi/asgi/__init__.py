"""WSGI applications inside an ASGI stack: the bridge that serves them, behind another door.

`app.mount("/legacy", WSGIMiddleware(flask_app))`. What crosses it is an ASGI scope with its two
callables; environ, PEP 3333, spools, streams and disconnects are those of the server. Keep-alive,
limits of a request, TLS and the access log are the host's.
"""

from aiowsgi.asgi.middleware import WSGIMiddleware

__all__ = ["WSGIMiddleware"]
