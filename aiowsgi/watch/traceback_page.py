"""The answer of `--debug` to a request whose application failed: where, for whoever looks (S13).

A page for a browser, which needs no script and nothing from elsewhere; plain text for everybody
else. Whatever comes from the application or the request is escaped.

Call flow: explain -> failure.chain -> _page -> _exception -> _call.
"""

from __future__ import annotations

import platform
from html import escape
from pathlib import Path

from aiowsgi.bridge.answers import own_answer
from aiowsgi.http11.messages import RequestHead, ResponseHead
from aiowsgi.version import __version__
from aiowsgi.watch.failure import Call, Raised, chain, plain

_STYLE = Path(__file__).with_name("traceback_page.css")
# No script runs, nothing is fetched, and no other page may show this one in itself. Its icon is
# empty: a browser would ask the application for one, which fails again.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; "
    "form-action 'none'"
)


def explain(request: RequestHead, error: BaseException) -> tuple[ResponseHead, bytes]:
    """Head and body of the answer to `request`, whose application has raised `error`."""
    try:
        if _wants_html(request):
            return _answer("text/html", _page(request, error))
        return _answer("text/plain", plain(error))
    except Exception:  # objects that forbid even a look: the log has the error as well
        return own_answer(500, close=False)


def _wants_html(request: RequestHead) -> bool:
    """Whether HTML is asked for by name: `*/*` is what tools send that print the answer."""
    kinds = request.fields.get("HTTP_ACCEPT", "").lower()
    return "text/html" in kinds or "application/xhtml+xml" in kinds


def _answer(kind: str, text: str) -> tuple[ResponseHead, bytes]:
    fields = [
        ("Content-Type", f"{kind}; charset=utf-8"),
        ("Cache-Control", "no-store"),
        ("Content-Security-Policy", _POLICY),
        ("X-Content-Type-Options", "nosniff"),
    ]
    # Lone surrogates may be in any name and value.
    body = text.encode("utf-8", "backslashreplace")
    return ResponseHead(500, "Internal Server Error", fields), body


def _page(request: RequestHead, error: BaseException) -> str:
    exceptions = chain(error)
    asked = escape(f"{request.method} {request.target}")
    first = exceptions[0]
    title = escape(f"{first.kind}: {first.message}"[:120])
    style = _STYLE.read_text(encoding="utf-8")
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<main>
<p class="request"><span class="status">500</span> <code>{asked}</code></p>
{"".join(map(_exception, exceptions))}
<details class="plain">
<summary>Traceback as text</summary>
<p class="hint">A click selects all of it.</p>
<pre>{escape(plain(error))}</pre>
</details>
</main>
<footer>aiowsgi {__version__} on {python}. This page is shown since <code>--debug</code> is on;
without it the answer is a plain 500.</footer>
</body>
</html>
"""


def _exception(raised: Raised) -> str:
    came = f'<p class="led">{escape(raised.led_to)}:</p>' if raised.led_to else ""
    head = "h2" if raised.led_to else "h1"
    module, _, name = raised.kind.rpartition(".")
    kind = f'<span class="module">{escape(module)}.</span>' * bool(module) + escape(name)
    message = f'<p class="message">{escape(raised.message)}</p>' * bool(raised.message)
    calls = [_call(call, call is raised.calls[-1]) for call in raised.calls]
    if raised.left_out:
        left_out = f'<p class="hint">{raised.left_out} calls in between are left out.</p>'
        calls.insert(len(calls) // 3, left_out)
    if not calls:
        calls.append('<p class="hint">No line of the application was running.</p>')
    order = '<p class="hint">Most recent call last.</p>' * (len(raised.calls) > 1)
    return f"<section>{came}<{head}>{kind}</{head}>{message}{order}{''.join(calls)}</section>\n"


def _call(call: Call, innermost: bool) -> str:
    """One call; open where somebody will look first: in the application's own code."""
    is_open = " open" * (innermost or not call.is_library)
    kind = "theirs" if call.is_library else "own"
    folder, slash, name = call.file.rpartition("/")
    return f"""<details class="call {kind}"{is_open}>
<summary><b>{escape(call.function)}</b> <span class="place"><span class="folder">\
{escape(folder + slash)}</span>{escape(name)}:{call.line}</span></summary>
{_source(call)}{_variables(call)}</details>
"""


def _source(call: Call) -> str:
    if not call.source:
        return '<p class="hint">Its source is not there.</p>'
    rows = [
        f"<span{' class=now' * (number == call.line)}><i>{number}</i>{escape(text) or ' '}</span>"
        for number, text in call.source
    ]
    return f'<pre class="source">{"".join(rows)}</pre>'


def _variables(call: Call) -> str:
    if not call.variables:
        return ""
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>"
        for name, value in call.variables
    )
    count = len(call.variables)
    return f"""<details class="variables">
<summary>{count} local variable{"s" * (count != 1)}</summary>
<table>{rows}</table>
</details>
"""
