"""From a name to an application, and what an operator reads where there is none."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aiowsgi import importer
from aiowsgi.errors import ConfigError

Place = Callable[..., Path]

WEB = """
class Site:
    class Inner:
        def app(self, environ, start_response): return [b"inner"]
    inner = Inner()

site = Site()

def app(environ, start_response): return [b"app"]
def other(environ, start_response): return [b"other"]

def create_app(name="plain", *, debug=False):
    def made(environ, start_response): return [f"{name} {debug}".encode()]
    return made
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A directory of its own to stand in; files are written by path=text."""
    before = set(sys.modules)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    importer.enter(None)

    def write(**files: str) -> Path:
        for name, text in files.items():
            path = tmp_path.joinpath(*name.split("__")).with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    yield write
    for name in set(sys.modules) - before:
        del sys.modules[name]


def answer(reference: str, **options: Any) -> bytes:
    return b"".join(importer.load(reference, **options)({}, lambda *_: lambda _: None))


def failure(reference: str, **options: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        importer.load(reference, **options)
    assert caught.value.exit_code == 4
    message = str(caught.value)
    assert message.startswith((f"cannot load {reference!r}: ", f"cannot serve {reference!r}: "))
    assert "aiowsgi/importer" not in message, "a frame of ours"
    assert "importlib" not in message
    return message


@pytest.mark.parametrize(
    ("reference", "body"),
    [
        ("web:app", b"app"),
        ("web:other", b"other"),
        ("web", b"app"),
        ("web:site.inner.app", b"inner"),
        ("web:create_app()", b"plain False"),
        ('web:create_app("a:b.py:c", debug=True)', b"a:b.py:c True"),
        ("web.py:app", b"app"),
        ("./web.py", b"app"),
        ("web.py:create_app('x')", b"x False"),
        ("shop.wsgi:app", b"app"),
        ("shop/wsgi.py:app", b"app"),
        ("my-site.py:app", b"app"),
    ],
)
def test_a_reference_names_an_application(place: Place, reference: str, body: bytes) -> None:
    place(**{"web": WEB, "my-site": WEB, "shop__wsgi": "from .views import app"})
    Path("shop/__init__.py").write_text("")
    Path("shop/views.py").write_text(WEB)
    assert answer(reference) == body


def test_a_module_alone_means_application_before_app(place: Place) -> None:
    place(web=WEB + "\napplication = other\n")
    assert answer("web") == b"other"


def test_factory_calls_what_is_named(place: Place) -> None:
    place(web=WEB)
    assert answer("web:create_app", factory=True) == b"plain False"


def test_a_class_with_call_a_partial_and_a_class_of_results_are_applications(place: Place) -> None:
    place(
        web="""
import functools
class App:
    def __call__(self, environ, start_response): return [b"call"]
app = App()
def more(extra, environ, start_response): return [extra]
partial = functools.partial(more, b"partial")
class Result:  # PEP 3333: a class whose instances are iterated
    def __init__(self, environ, start_response): pass
    def __iter__(self): return iter([b"result"])
"""
    )
    assert answer("web:app") == b"call"
    assert answer("web:partial") == b"partial"
    assert answer("web:Result") == b"result"


def test_the_directory_that_was_entered_is_importable(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(sub__inside=WEB)
    importer.enter("sub")
    assert Path.cwd().name == "sub"
    assert answer("inside:app") == b"app"
    with pytest.raises(ConfigError, match="chdir: 'nowhere' cannot be entered: No such file"):
        importer.enter("nowhere")


@pytest.mark.parametrize(
    ("reference", "said", "hint"),
    [
        ("wbe:app", "there is no module 'wbe' (looked in {here}", "did you mean 'web'?"),
        ("shop.vews:app", "no module 'shop.vews' (looked in {here}/shop)", "did you mean 'views'?"),
        ("shop/views:app", "there is no module", "did you mean shop/views.py:app?"),
        ("web.app", "there is no module 'web.app'", "did you mean web:app?"),
        ("inside:app", "there is no module 'inside'", "there is sub/inside.py: use --chdir sub"),
        ("web:ap", "there is no 'ap' in the module 'web' ({here}/web.py)", "did you mean 'app'?"),
        ("web:site.iner", "there is no 'iner' in the Site", "did you mean 'inner'?"),
        ("wep.py:app", "there is no file {here}/wep.py", ""),
        ("named", "there is no 'application' or 'app' in the module", "for example named:site"),
        (":app", "it is not MODULE:NAME", "for example"),
        ("web:", "it is not MODULE:NAME", "for example"),
        ("web:app[0]", "'app[0]' is neither a name nor a call with literal", ""),
        ("web:create_app(sys)", "is neither a name nor a call with literal", "create_app("),
        ("web:create_app(**{})", "is neither a name nor a call with literal", ""),
        ("web:text", "it is of type str, which is not callable", ""),
        ("web:nothing", "it is None, which is not callable", ""),
        ("web:nothing()", "it is of type NoneType, not a function to call", ""),
        ("web:create_app", "does not take the two arguments", "add --factory"),
        ("web:Site", "does not take the two arguments", "name an instance of it"),
        ("web:three", "does not take the two arguments", ""),
        ("platform.py:app", "the name 'platform' is taken by ", "rename the file"),
    ],
)
def test_what_is_not_there_says_where_it_was_looked_for(
    place: Place, reference: str, said: str, hint: str
) -> None:
    here = place(
        web=WEB + "\ntext = 'x'\nnothing = None\ndef three(a, b, c): ...\n",
        named="def site(environ, start_response): return []\n",
        shop__views=WEB,
        sub__inside=WEB,
        platform=WEB,
    )
    (here / "shop" / "__init__.py").write_text("")
    message = failure(reference)
    assert said.format(here=here) in message
    assert hint in message


@pytest.mark.parametrize(
    "code",
    [
        "async def app(scope, receive, send): ...",
        "async def app(environ, start_response): ...",
        "class A:\n    async def __call__(self, scope, receive, send): ...\napp = A()",
        "class A:\n    async def __call__(self, *three): ...\napp = A()",
        "def app(scope, receive, send): ...",
        "import functools\nasync def f(x, scope, receive, send): ...\n"
        "app = functools.partial(f, 1)",
    ],
)
def test_an_asgi_application_is_refused_in_one_sentence(place: Place, code: str) -> None:
    place(web=code)
    message = failure("web:app")
    assert "it is an ASGI application, which aiowsgi does not serve: use uvicorn" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("code", "last"),
    [
        ("import does_not_exist_xyz", "No module named 'does_not_exist_xyz'"),
        ("from web_other import missing", "cannot import name 'missing'"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("def broken(:", "SyntaxError: invalid syntax"),
        ("import web.inner", "'web' is not a package"),
        ("raise ImportError('web')", "ImportError: web"),
    ],
)
def test_the_failure_of_the_application_is_shown_with_its_own_traceback(
    place: Place, code: str, last: str
) -> None:
    here = place(web=f"x = 1\n{code}\n", web_other="")
    message = failure("web:app")
    assert "its import failed" in message
    assert f'File "{here / "web.py"}", line 2' in message
    assert last in message.splitlines()[-1]


def test_a_package_that_misses_a_part_of_its_own_is_shown_with_its_traceback(place: Place) -> None:
    here = place(shop__views="")
    (here / "shop" / "__init__.py").write_text("import shop.wsgi")
    message = failure("shop.wsgi:app")
    assert f'File "{here}/shop/__init__.py", line 1' in message


def test_exit_while_loading_is_a_failure_to_load(place: Place) -> None:
    place(web="import sys\nsys.exit(0)\n", factory="import sys\ndef app(): sys.exit('no')\n")
    assert "it called sys.exit(0) while it was loaded" in failure("web:app")
    assert "it called sys.exit('no') while it was loaded" in failure("factory:app", factory=True)


def test_the_failure_of_a_factory_is_shown_with_its_own_traceback(place: Place) -> None:
    here = place(web="def make(): return 1 / 0\ndef none(): ...\n")
    message = failure("web:make()")
    assert "the factory failed" in message
    assert f'File "{here / "web.py"}", line 1, in make' in message
    assert "what the factory returned is None" in failure("web:none", factory=True)


def test_a_lazy_attribute_that_fails_is_shown_with_its_own_traceback(place: Place) -> None:
    here = place(web="def __getattr__(name):\n    raise KeyError(name)\n")
    message = failure("web:app")
    assert "reading 'app' failed" in message
    assert f'File "{here / "web.py"}", line 2' in message


def test_an_application_object_is_checked_too() -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        return []

    assert importer.check(app, "app") is app
    assert importer.check(lambda: app, "make", factory=True) is app
    with pytest.raises(
        ConfigError, match="cannot serve 'x': it is of type int, which is not callable"
    ):
        importer.check(5, "x")
