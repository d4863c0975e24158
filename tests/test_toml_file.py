"""The file of options: which one is read, what it may say, and how its faults are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiowsgi.config_sources import ALL_OPTIONS
from aiowsgi.errors import ConfigError
from aiowsgi.settings import Settings, resolve


def settings(folder: Path, given: dict[str, object] | None = None, **environ: str) -> Settings:
    return resolve(given or {}, environ, by_flag=True, directory=str(folder))


def write(folder: Path, text: str, name: str = "aiowsgi.toml") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def test_a_file_stands_between_the_variables_and_the_well_known_ones(tmp_path: Path) -> None:
    write(tmp_path, 'threads = 3\nworkers = 5\nroot_path = "/file"\n')
    found = settings(
        tmp_path,
        {"threads": "1"},
        AIOWSGI_WORKERS="2",
        WEB_CONCURRENCY="7",
        SCRIPT_NAME="/well",
    )
    config, origins = found.config, found.origins
    assert (config.threads, origins["threads"]) == (1, "--threads")
    assert (config.workers, origins["workers"]) == (2, "AIOWSGI_WORKERS")
    assert (config.root_path, origins["root_path"]) == ("/file", "aiowsgi.toml:3: root_path")


def test_values_are_those_of_toml_or_the_text_of_a_flag(tmp_path: Path) -> None:
    write(
        tmp_path,
        """
        bind = ["127.0.0.1:1", "unix:/run/shop.sock"]
        uds_permissions = "660"
        keep-alive = "5m"
        header_timeout = 1.5
        limit_request_body = "none"
        access_log = false
        request_buffering = "off"
        header = { X-Shop = "a, b" }
        """,
    )
    config = settings(tmp_path).config
    assert [str(bind) for bind in config.binds] == ["127.0.0.1:1", "unix:/run/shop.sock"]
    assert config.uds_permissions == 0o660
    assert (config.keep_alive, config.header_timeout) == (300.0, 1.5)
    assert config.limit_request_body is None
    assert (config.access_log, config.request_buffering) == (False, False)
    assert config.header == (("X-Shop", "a, b"),)


def test_a_table_below_may_hold_pairs(tmp_path: Path) -> None:
    write(
        tmp_path,
        '[tool.aiowsgi]\nthreads = 2\n[tool.aiowsgi.header]\nX-A = "b"\n',
        "pyproject.toml",
    )
    found = settings(tmp_path)
    assert found.config.header == (("X-A", "b"),)
    assert found.origins["header"] == "pyproject.toml:3: tool.aiowsgi.header"


def test_an_alias_is_a_name(tmp_path: Path) -> None:
    write(tmp_path, 'listen = ":1"\n')
    found = settings(tmp_path)
    assert found.config.bind == ("*:1",)
    assert found.origins["bind"] == "aiowsgi.toml:1: listen"


def test_an_address_on_the_command_line_overrules_any_in_the_file(tmp_path: Path) -> None:
    write(tmp_path, 'bind = ":1"\n')
    assert [str(bind) for bind in settings(tmp_path, {"port": "2"}).config.binds] == ["127.0.0.1:2"]


# -- which file --


def test_the_own_file_is_read_and_pyproject_not_beside_it(tmp_path: Path) -> None:
    write(tmp_path, "[tool.aiowsgi]\nthreads = 1\nbacklog = 1\n", "pyproject.toml")
    assert settings(tmp_path).origins["threads"] == "pyproject.toml:2: tool.aiowsgi.threads"
    write(tmp_path, "threads = 2\n")
    found = settings(tmp_path)
    assert (found.config.threads, found.config.backlog) == (2, 2048)
    assert found.origins["config"] == "found in this directory"
    assert found.sources["config"] == "aiowsgi.toml"


def test_a_file_that_is_named_is_read_instead_relative_to_the_start(tmp_path: Path) -> None:
    write(tmp_path, "threads = 2\n")
    write(tmp_path, "threads = 3\n", "deploy/shop.toml")
    found = settings(tmp_path, {"config": "deploy/shop.toml"})
    assert found.origins["threads"] == "deploy/shop.toml:1: threads"
    assert found.origins["config"] == "--config"
    by_variable = settings(tmp_path, AIOWSGI_CONFIG=str(tmp_path / "deploy" / "shop.toml"))
    assert by_variable.config.threads == 3


def test_none_reads_no_file(tmp_path: Path) -> None:
    write(tmp_path, "threads = 2\n")
    assert settings(tmp_path, {"config": "none"}).config.threads is None


def test_without_a_directory_no_file_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under gunicorn, whose own file says what holds."""
    write(tmp_path, "threads = 2\n")
    monkeypatch.chdir(tmp_path)
    assert resolve({}, {}).config.threads is None
    assert resolve({"config": "aiowsgi.toml"}, {}).config.threads == 2


@pytest.mark.parametrize(
    "text",
    ["", "[project]\nname = 'aiowsgi-shop'\n", "not toml, and not of us", "[tool.aiowsgi]\n"],
)
def test_a_pyproject_without_a_word_to_us_is_left_alone(tmp_path: Path, text: str) -> None:
    write(tmp_path, text, "pyproject.toml")
    assert settings(tmp_path).origins["config"] == "default"


def test_another_file_has_no_table_around_its_options(tmp_path: Path) -> None:
    write(tmp_path, "\n[tool.aiowsgi]\nthreads = 1\n")
    with pytest.raises(ConfigError, match=r"^aiowsgi.toml:2: .*options stand at the top, without"):
        settings(tmp_path)


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    write(tmp_path, "\ufeffthreads = 2\n")
    assert settings(tmp_path).config.threads == 2


# -- faults --


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "threads = 2\nthraeds = 3\n",
            "aiowsgi.toml:2: there is no option 'thraeds'; did you mean",
        ),
        ("[env_fiel]\n", "aiowsgi.toml:1: there is no option 'env_fiel'; did you mean 'env_file'"),
        (
            "# threads\nthreads = 'many'\n",
            "aiowsgi.toml:2: threads: 'many' is not valid: expected a",
        ),
        ("threads = 1.5\n", "aiowsgi.toml:1: threads: 1.5 is not valid: expected a whole number"),
        ("port = true\n", "aiowsgi.toml:1: port: True is not valid"),
        ("keep_alive = 1979-05-27\n", "aiowsgi.toml:1: keep_alive: datetime.date"),
        ("bind = [8000]\n", "aiowsgi.toml:1: bind: 8000 is not valid: expected host:port"),
        ("\nthreads\n", r"aiowsgi.toml: it is not valid TOML: .*\(at line 2, column 8\)"),
        ("threads = 1\nthreads = 2\n", "aiowsgi.toml: it is not valid TOML: .*line 2"),
        (
            "bind = ':1'\nlisten = ':2'\n",
            "aiowsgi.toml:2: listen: bind is given twice, there by bind",
        ),
        (
            "uds_permissions = 660\n",
            'aiowsgi.toml:1: uds_permissions is octal and .* quotes: "660"',
        ),
        ("umask = 0o22\n", "aiowsgi.toml:1: umask is octal"),
        ("config = 'x'\n", "aiowsgi.toml:1: config cannot be said in the file: .* by --config"),
        ("[env]\nA = 'b'\n", "aiowsgi.toml:1: env cannot be said in the file: .*env_file"),
        (
            "ssl_context_factory = 'x'\n",
            "ssl_context_factory: 'x' is not valid: expected a function",
        ),
        ("bind = ':1'\nuds = '/x'\n", "bind and uds exclude one another"),
    ],
)
def test_a_fault_names_the_file_the_line_and_the_key(
    tmp_path: Path, text: str, message: str
) -> None:
    write(tmp_path, text)
    with pytest.raises(ConfigError, match=message):
        settings(tmp_path)


def test_a_password_of_the_wrong_type_is_not_shown(tmp_path: Path) -> None:
    write(tmp_path, "ssl_keyfile_password = 123456\n")
    with pytest.raises(ConfigError, match="not shown") as caught:
        settings(tmp_path)
    assert "123456" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool]\naiowsgi = 3\n", r"^pyproject.toml: tool.aiowsgi has to be a table"),
        ("[tool.aiowsgi]\nthreads = x\n", r"^pyproject.toml: it is not valid TOML: .*line 2"),
        ("tool = 3 # aiowsgi\n", r"^pyproject.toml: there is no table \[tool.aiowsgi\]"),
    ],
)
def test_a_fault_in_a_pyproject_that_speaks_of_us_is_told(
    tmp_path: Path, text: str, message: str
) -> None:
    write(tmp_path, text, "pyproject.toml")
    with pytest.raises(ConfigError, match=message):
        settings(tmp_path, {"config": "pyproject.toml"})


def test_a_file_that_cannot_be_read_is_told_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^config: .*/no.toml cannot be read: No such file"):
        settings(tmp_path, {"config": "no.toml"})
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        settings(tmp_path, {"config": "."})
    tmp_path.joinpath("latin.toml").write_bytes(b"root_path = '/\xe4'")
    with pytest.raises(ConfigError, match=r"^latin.toml: it is not valid TOML: 'utf-8'"):
        settings(tmp_path, {"config": "latin.toml"})


def test_gunicorns_file_is_told_apart(tmp_path: Path) -> None:
    write(tmp_path, "import os\nworkers = 4\n", "gunicorn.conf.py")
    with pytest.raises(ConfigError, match=r"Hint: gunicorn's file is a program"):
        settings(tmp_path, {"config": "gunicorn.conf.py"})


def test_every_option_that_text_can_say_can_stand_in_a_file(tmp_path: Path) -> None:
    for name, option in ALL_OPTIONS.items():
        if option.has_flag and name not in ("config", "env"):
            write(tmp_path, f"{name} = {{}}\n")  # a value that most kinds refuse, by their name
            try:
                settings(tmp_path)
            except ConfigError as error:
                assert name in str(error), name  # noqa: PT017
