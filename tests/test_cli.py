"""The command inside one process: its flags, its help, its messages and its exit codes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from aiowsgi import cli
from aiowsgi.config_sources import ALL_OPTIONS
from aiowsgi.version import described

HELLO = "tests.apps.hello:app"

pytestmark = pytest.mark.usefixtures("plain_place")


def shown(capsys: pytest.CaptureFixture[str], *args: str) -> dict[str, str]:
    """`--print-config` as {name: "value (origin)"}."""
    assert cli.main([*args, "--print-config"]) == 0
    lines = capsys.readouterr().out.splitlines()
    return {
        name.strip(): " ".join(rest.split())
        for name, equals, rest in (line.partition(" = ") for line in lines)
        if equals
    }


SAMPLES = {
    "reload_dir": ("src", "src"),
    "reload_include": ("a/*.html", "a/*.html"),
    "reload_exclude": ("tests", "tests"),
    "config": ("none", "none"),
    "env_file": ("/dev/null", "/dev/null"),
    "env": ("A=secret", "A"),
    "bind": ("127.0.0.1:1", "127.0.0.1:1"),
    "host": ("::1", "::1"),
    "port": ("0", "0"),
    "uds": ("/run/x", "/run/x"),
    "uds_permissions": ("660", "660"),
    "fd": ("3", "3"),
    "chdir": ("/tmp", "/tmp"),
    "pid": ("x.pid", "x.pid"),
    "user": ("www", "www"),
    "group": ("www", "www"),
    "umask": ("027", "027"),
    "name": ("shop", "shop"),
    "loop": ("asyncio", "asyncio"),
    "log_level": ("DEBUG", "debug"),
    "control_socket": ("/run/c", "/run/c"),
    "metrics": (":9090", "*:9090"),
    "error_logfile": ("e.log", "e.log"),
    "log_format": ("JSON", "json"),
    "log_config": ("log.toml", "log.toml"),
    "access_logfile": ("a.log", "a.log"),
    "access_logformat": ("%(h)s %(D)s", "%(h)s %(D)s"),
    "request_id_header": ("X-Trace", "X-Trace"),
    "status": ("[::1]:9091", "[::1]:9091"),
    "header_map": ("refuse", "refuse"),
    "request_buffering": ("off", "off"),
    "root_path": ("/app", "/app"),
    "health_path": ("/up", "/up"),
    "header": ("X-A: b", "X-A: b"),
    "forwarded_allow_ips": ("10.0.0.0/8,unix", "10.0.0.0/8, unix"),
    "proxy_protocol": ("V2", "v2"),
    "proxy_allow_from": ("10.0.0.1", "10.0.0.1"),
    "watch_allow_from": ("10.0.0.1", "10.0.0.1"),
    "ssl_certfile": ("c.pem", "c.pem"),
    "ssl_keyfile": ("k.pem", "k.pem"),
    "ssl_keyfile_password": ("secret", "(not shown)"),
    "ssl_ca_certs": ("ca.pem", "ca.pem"),
    "ssl_cert_reqs": ("OPTIONAL", "optional"),
    "ssl_ciphers": ("HIGH", "HIGH"),
    "ssl_minimum_version": ("TLSv1.3", "TLSv1.3"),
}
CERTIFICATE = ("--ssl-certfile", "c.pem")
NEEDS = {  # what an option is refused without
    "ssl_keyfile": CERTIFICATE,
    "ssl_keyfile_password": CERTIFICATE,
    "ssl_ca_certs": (*CERTIFICATE, "--ssl-cert-reqs", "required"),
    "ssl_cert_reqs": (*CERTIFICATE, "--ssl-ca-certs", "ca.pem"),
    "ssl_ciphers": CERTIFICATE,
    "proxy_protocol": ("--proxy-allow-from", "10.0.0.1"),
    "proxy_allow_from": ("--proxy-protocol", "v1"),
    "watch_allow_from": ("--metrics", "/metrics"),
}
FORMS = {"DURATION": ("1500ms", "1.5s"), "SIZE": ("3k", "3k"), "NUMBER": ("7", "7")}
EVERY_FLAG = [
    (flag, name) for name, o in ALL_OPTIONS.items() if o.has_flag for flag in (o.flag, *o.flags)
]


@pytest.mark.parametrize(("flag", "name"), EVERY_FLAG, ids=lambda value: str(value))
def test_every_flag_and_its_variable_reach_the_config(
    flag: str, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    option, needs = ALL_OPTIONS[name], NEEDS.get(name, ())
    if option.kind.form == "value":
        text, value = SAMPLES.get(name) or FORMS[option.kind.metavar]
        assert shown(capsys, *needs, flag, text)[name] == f"{value} ({option.flag})"
        monkeypatch.setenv(f"AIOWSGI_{name.upper()}", text)
    else:
        value = "on"
        assert shown(capsys, flag)[name] == f"on ({option.flag})"
        monkeypatch.setenv(f"AIOWSGI_{name.upper()}", "on")
    assert shown(capsys, *needs)[name] == f"{value} (AIOWSGI_{name.upper()})"


def test_a_switch_is_turned_off_by_no(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("access_log", "server_header", "date_header"):
        flag = f"--no-{name.replace('_', '-')}"
        assert shown(capsys, flag)[name] == f"off (--{name.replace('_', '-')})"


def test_a_list_is_made_by_repeating_its_flag(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, "-b", ":1", "--listen", ":2", "--header", "A: b,c", "--header", "D:e")
    assert lines["bind"] == "*:1, *:2 (--bind)"
    assert lines["header"] == "A: b,c, D: e (--header)"


def test_flags_may_be_written_with_underscores(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "--limit-request-field_size", "9")["limit_request_field_size"].startswith(
        "9 "
    )


def test_help_is_complete_and_grouped(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    for flag, name in EVERY_FLAG:
        assert flag in text, name
    for option in (option for option in ALL_OPTIONS.values() if option.has_flag):
        assert option.help in text
        assert f"{option.group}:" in text
        if option.kind.form != "flag":
            assert f"[default: {option.default_shown}]" in text
    for other in (
        "--no-access-log --check-config --print-config --version --help MODULE:NAME "
        "Examples: AIOWSGI_KEEP_ALIVE".split()
    ):
        assert other in text


def test_version_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr() == (f"aiowsgi {described()}\n", "")


def test_check_config_loads_the_application_and_says_ok(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main([HELLO, "--check-config"]) == 0
    assert capsys.readouterr() == ("configuration OK\n", "")


def test_without_app_there_is_a_short_usage_with_an_example(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for args in ([], ["--check-config"]):
        assert cli.main(args) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("Usage: aiowsgi [OPTIONS] APP\n")
        assert "For example: aiowsgi myproject.wsgi:application" in err


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["--thread", "4"], 2, "Error: No such option"),
        (["--thread", "4"], 2, "--threads"),
        (["--threads"], 2, "Error: Option '--threads' requires an argument."),
        (["--threads", "many"], 2, "Error: --threads: 'many' is not valid: expected a whole"),
        (["--keep-alive", "5x"], 2, "Error: --keep-alive: '5x' is not valid: expected a duration"),
        (["-b", ":1", "-b", "x"], 2, "Error: --bind: 'x' is not valid: expected host:port"),
        (["--uds", "/x", "--port", "1"], 2, "Error: host/port and uds exclude one another"),
        (["one", "two"], 2, "unexpected extra argument (two)"),
        (["nowhere.xyz:app"], 4, "Error: cannot load 'nowhere.xyz:app': there is no module"),
        ([HELLO + "s"], 4, "did you mean 'app'?"),
        ([HELLO, "--chdir", "/nowhere"], 2, "Error: chdir: '/nowhere' cannot be entered"),
    ],
)
def test_bad_input_is_one_message_and_its_exit_code(
    args: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(args) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.count("Error:") == 1
    assert "Traceback" not in err


def test_bad_input_in_a_variable_names_the_variable(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIOWSGI_THREADS", "many")
    assert cli.main([HELLO, "--check-config"]) == 2
    assert capsys.readouterr().err.startswith("Error: AIOWSGI_THREADS: 'many' is not valid")


def test_a_variable_that_names_no_option_is_a_warning(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIOWSGI_THRAEDS", "4")
    assert cli.main([HELLO, "--check-config"]) == 0
    assert capsys.readouterr().err == (
        "Warning: AIOWSGI_THRAEDS names no option; did you mean AIOWSGI_THREADS?\n"
    )


def test_checking_does_not_import_the_server(tmp_path: Path) -> None:
    code = (
        "import sys; from aiowsgi.cli import main; main(['--version']);"
        "sys.exit('asyncio' in sys.modules)"
    )
    root = Path(__file__).parent.parent
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_print_config_says_which_file_and_line_and_what_is_ignored(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.joinpath("aiowsgi.toml").write_text("# of the shop\nthreads = 3\n")
    monkeypatch.chdir(tmp_path)
    assert cli.main(["-k", "gthread", "--print-config"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "threads = 3 (aiowsgi.toml:2: threads)" in lines
    assert "config = aiowsgi.toml (found in this directory)" in lines
    assert lines[-1].startswith("Ignored: -k: clients always wait on the loop")


def test_a_fault_in_a_file_is_one_message_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.joinpath("aiowsgi.toml").write_text("thread = 3\n")
    monkeypatch.chdir(tmp_path)
    assert cli.main([HELLO, "--check-config"]) == 2
    assert capsys.readouterr().err.startswith(
        "Error: aiowsgi.toml:1: there is no option 'thread'; did you mean 'threads'?\n"
    )
