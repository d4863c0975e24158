"""The command: argv, environment and files become (application, settings). Knows no option by name.

Every flag comes from what is declared; the value of a flag is text until Config reads it. Flags of
other servers become ours, or nothing, by a table. What an operator did wrong is one message on
stderr and an exit code, never a traceback of ours.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import click

from aiowsgi.config_sources import ALL_OPTIONS, PREFIX
from aiowsgi.errors import ConfigError
from aiowsgi.foreign.flags import Foreign, flags_in, translated
from aiowsgi.foreign.table import FOREIGN
from aiowsgi.options import GROUPS, Option
from aiowsgi.run import check, start, start_directory
from aiowsgi.settings import resolve
from aiowsgi.version import described

_OTHER = "other_"  # begins the names under which click knows flags of other servers

SHORT = """Usage: aiowsgi [OPTIONS] APP

For example: aiowsgi myproject.wsgi:application --bind 127.0.0.1:8000
Try 'aiowsgi --help' for all options."""

APP = (
    "MODULE:NAME, MODULE (its application or app), MODULE:FACTORY(ARGUMENTS) with literal "
    "arguments, or PATH/FILE.py:NAME. The current directory is importable."
)

VALUES = "Sizes: 65536, 512k, 16m, 1g. Durations: 500ms, 30s, 5m. none: no limit."

ELSEWHERE = (
    f"Each option is a variable, too: {PREFIX}KEEP_ALIVE for --keep-alive; and a key, keep_alive, "
    "in aiowsgi.toml or in [tool.aiowsgi] of pyproject.toml. The flag wins over the variable, the "
    "variable over the file; --print-config shows who won."
)

OTHERS = (
    "Command lines of gunicorn, uvicorn, waitress-serve and granian run with the first word "
    "replaced: what means nothing here is ignored, what cannot be had is an error that says what "
    "to do instead. docs/migrating.md has both."
)

EXAMPLES = (
    "aiowsgi myproject.wsgi",
    "aiowsgi shop.web:app --bind :8080 --threads 16",
    "aiowsgi 'shop.web:create_app(\"production\")' --uds /run/shop.sock --uds-permissions 660",
    "aiowsgi tools/hello.py:app --host 0.0.0.0 --port 0 --no-access-log",
    "aiowsgi -c deploy/shop.toml --env-file .env shop.web:app",
)


class Command(click.Command):
    """The one command; its help is grouped as the options are declared."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write APP, then each group with its defaults, then what holds for all, then examples."""
        rows: dict[str, list[tuple[str, str]]] = {group: [] for group in GROUPS}
        rows[GROUPS[0]].append(("APP", APP))
        for option in ALL_OPTIONS.values():
            if option.has_flag:
                rows[option.group].append((_left(option), _right(option)))
        for group, records in rows.items():
            with formatter.section(group):
                formatter.write_dl(records)
        own = [p for p in self.get_params(ctx)[1:] if p.name not in ALL_OPTIONS]
        instead = [record for p in own if (record := p.get_help_record(ctx)) is not None]
        with formatter.section("Instead of serving"):
            formatter.write_dl(instead)
        for title, words in (
            ("Values", VALUES),
            ("Variables and files", ELSEWHERE),
            ("Coming from another server", OTHERS),
        ):
            with formatter.section(title):
                formatter.write_text(words)
        with formatter.section("Examples"):
            for example in EXAMPLES:
                formatter.write(f"{'':{formatter.current_indent}}{example}\n")


def main(args: Sequence[str] | None = None) -> int:
    """Run the command; its exit code: 0 clean, 1 bind or run, 2 usage, 3 worker, 4 load."""
    args = sys.argv[1:] if args is None else list(args)
    try:
        # An application in a module of that name is called ctl:app, or ./ctl.py:app.
        if args[:1] == ["ctl"]:
            from aiowsgi.ctl import control

            return control(args[1:])
        others = list(flags_in(args, FOREIGN))
        code = command(others).main(args, prog_name="aiowsgi", standalone_mode=False)
    except ConfigError as error:
        return _fail(str(error), error.exit_code)
    except click.ClickException as error:
        return _fail(error.format_message(), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return 130  # interrupted before the server had its own answer to signals
    return code if isinstance(code, int) else 0


def _fail(message: str, code: int) -> int:
    hint = "\nTry 'aiowsgi --help' for all options." if code == 2 else ""
    click.echo(f"Error: {message}{hint}", err=True)
    return code


# -- the command ---------------------------------------------------------------------------------


def command(others: Sequence[tuple[str, Foreign]]) -> Command:
    """Return the command, which takes these flags of other servers, too."""
    own: list[click.Parameter] = [
        click.Argument(["app"], required=False),
        *(_flag(option) for option in ALL_OPTIONS.values() if option.has_flag),
        *(_other(number, flag, row) for number, (flag, row) in enumerate(others)),
        click.Option(
            ["--check-config"],
            is_flag=True,
            help="Check the options and the certificate, load the application, and exit.",
        ),
        click.Option(
            ["--print-config"], is_flag=True, help="Print each option and its origin, and exit."
        ),
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_show_version,
            help="Show the version, how it was built and what it runs on, and exit.",
        ),
    ]
    return Command(
        "aiowsgi",
        params=own,
        callback=partial(_run, others),
        help="Serve a WSGI application over HTTP/1.1, on an asyncio loop with application threads.",
        context_settings={
            "help_option_names": ["-h", "--help"],
            "max_content_width": 100,
            # Other servers spell some of these flags with `_`.
            "token_normalize_func": lambda name: name.replace("_", "-"),
        },
    )


def _flag(option: Option) -> click.Option:
    """Return the click option of one of ours; its value stays text, for Config to read."""
    names = [option.flag, *option.flags]
    if option.kind.form == "value":
        return click.Option([*names, option.name], multiple=option.kind.repeatable)
    if option.kind.form == "switch":
        names = [f"{name}/{_negative(name)}" for name in names]
    return click.Option([*names, option.name], is_flag=True, default=None)


def _other(number: int, flag: str, row: Foreign) -> click.Option:
    """Return the click option of a flag of another server; help does not speak of it."""
    names = [flag, f"{_OTHER}{number}"]
    if row.metavar:
        return click.Option(names, multiple=True, hidden=True)
    return click.Option(names, is_flag=True, hidden=True)


def _show_version(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked:
        click.echo(f"aiowsgi {described()}")
        ctx.exit()


@click.pass_context
def _run(
    ctx: click.Context,
    /,
    others: Sequence[tuple[str, Foreign]],
    app: str | None,
    check_config: bool,
    print_config: bool,
    **values: Any,
) -> int:
    directory = start_directory()
    read = partial(
        resolve, _given(ctx, others, values), dict(os.environ), by_flag=True, directory=directory
    )
    settings = read()
    for stranger in settings.strangers:
        click.echo(f"Warning: {stranger}", err=True)
    if print_config:
        click.echo("\n".join([*settings.lines(), *_ignored(ctx, others)]))
        return 0
    if app is None:
        click.echo(SHORT, err=True)
        return 2
    if check_config:
        check(app, settings)
        click.echo("configuration OK")
    else:
        start(app, read, settings)
    return 0


def _given(
    ctx: click.Context, others: Sequence[tuple[str, Foreign]], values: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what the command line says, flags of other servers as ours. Raises ConfigError."""
    command_line = click.core.ParameterSource.COMMANDLINE
    said = {
        name: value
        for name, value in values.items()
        if ctx.get_parameter_source(name) is command_line
    }
    given = {name: value for name, value in said.items() if not name.startswith(_OTHER)}
    for number, (flag, row) in enumerate(others):
        name = f"{_OTHER}{number}"
        if name in said:
            for own, value in translated(flag, row, said[name] if row.metavar else ()).items():
                if own in given:
                    raise ConfigError(f"{flag} is {ALL_OPTIONS[own].flag} here: leave one out")
                given[own] = value
    return given


def _ignored(ctx: click.Context, others: Sequence[tuple[str, Foreign]]) -> Iterator[str]:
    """Yield each flag of another server that means nothing here, and why."""
    for number, (flag, row) in enumerate(others):
        if row.why and ctx.params[f"{_OTHER}{number}"]:
            yield f"Ignored: {flag}: {row.why}."


# -- help ----------------------------------------------------------------------------------------


def _negative(name: str) -> str:
    return f"--no-{name[2:]}"


def _left(option: Option) -> str:
    """Return the names of an option as help shows them: `-b, --bind, --listen ADDRESS`."""
    short = sorted(name for name in option.flags if not name.startswith("--"))
    long = [option.flag, *(name for name in option.flags if name.startswith("--"))]
    if option.kind.form == "switch":
        long = [f"{name}/{_negative(name)}" for name in long]
    metavar = f" {option.kind.metavar}" if option.kind.form == "value" else ""
    return ", ".join([*short, *long]) + metavar


def _right(option: Option) -> str:
    """Return the words of an option with its default; a flag that is off has nothing to add."""
    default = option.default_shown
    return option.help if option.kind.form == "flag" else f"{option.help} [default: {default}]"


if __name__ == "__main__":
    sys.exit(main())
