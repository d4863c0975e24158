"""A Django site in one file: views, an upload, a stream, a download and what META holds.

    aiowsgi examples/django_app.py:application

Then open http://127.0.0.1:8000/.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    JsonResponse,
    StreamingHttpResponse,
)
from django.urls import path
from django.views.decorators.http import require_POST, require_safe

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1", "localhost"],
    DEBUG=False,
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
    ],
    ROOT_URLCONF=__name__,
    SECRET_KEY="only for this example",  # noqa: S106 - a real one comes from the environment
)


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<h1>aiowsgi and Django</h1>\n")


@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """Answer what arrived: of a file the size and the digest, of a field its text."""
    files = {}
    for name, file in request.FILES.items():
        digest = hashlib.sha256()
        for chunk in file.chunks():
            digest.update(chunk)
        files[name] = {"name": file.name, "size": file.size, "sha256": digest.hexdigest()}
    return JsonResponse({"files": files, "fields": dict(request.POST.items())})


@require_safe
def stream(request: HttpRequest) -> StreamingHttpResponse:
    """Send rows as they are made; nobody knows the length, so the answer is chunked."""

    def rows() -> Iterator[str]:
        yield "number,square\r\n"
        for number in range(1000):
            yield f"{number},{number * number}\r\n"

    return StreamingHttpResponse(rows(), content_type="text/csv")


@require_safe
def download(request: HttpRequest) -> FileResponse:
    """Send this file; Django hands it to `wsgi.file_wrapper`, and the kernel copies it."""
    return FileResponse(Path(__file__).open("rb"), as_attachment=True, filename="django_app.py")


@require_safe
def meta(request: HttpRequest) -> HttpResponse:
    """Answer what META says of the client.

    A client may send `X_Forwarded_For: 10.0.0.1`. CGI's names cannot tell it from
    `X-Forwarded-For`, so a server that let it through would let any client choose its address.
    """
    names = [name for name in sorted(request.META) if name.startswith(("HTTP_", "REMOTE_"))]
    return JsonResponse({name: request.META[name] for name in names})


urlpatterns = [
    path("", index),
    path("upload", upload),
    path("stream", stream),
    path("download", download),
    path("meta", meta),
]

application = get_wsgi_application()
