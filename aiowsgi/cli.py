"""The command: argv and environment become (application, settings). Knows no option by name.

Every flag comes from what Config declares; the value of a flag is text until Config reads it. What
an operator did wrong is one message on stderr and an exit code, never a traceback of ours.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

import click

from aiowsgi import importer
from aiowsgi.config import OPTIONS
from aiowsgi.errors import ConfigError
from aiowsgi.options import GROUPS, Option
from aiowsgi.run import check_files, load, start
from aiowsgi.settings import PREFIX, resolve
from aiowsgi.version import described

SHORT = """Usage: aiowsgi [OPTIONS] APP

For example: aiowsgi myproject.wsgi:application --bind 127.0.0.1:8000
Try 'aiowsgi --help' for all options."""

APP = (
    "MODULE:NAME, MODULE (its application or app), MODULE:FACTORY(ARGUMENTS) with literal "
    "arguments, or PATH/FILE.py:NAME. The current directory is importable."
)

VALUES = (
    f"Sizes: 65536, 512k, 16m, 1g. Durations: 500ms, 30s, 5m. none: no limit. Each option is an "
    f"environment variable, too: {PREFIX}KEEP_ALIVE for --keep-alive; a flag overrides it."
)

EXAMPLES = (
    "aiowsgi myproject.wsgi",
    "aiowsgi shop.web:app --bind :8080 --threads 16",
    "aiowsgi 'shop.web:create_app(\"production\")' --uds /run/shop.sock --uds-permissions 660",
    "aiowsgi tools/hello.py:app --host 0.0.0.0 --port 0 --no-access-log",
)


class Command(click.Command):
    """The one command; its help is grouped as the options are declared."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write APP, then each group with its defaults, then how values look, then examples."""
        rows: dict[str, list[tuple[str, str]]] = {group: [] for group in GROUPS}
        rows[GROUPS[0]].append(("APP", APP))
        for option in OPTIONS.values():
            if option.has_flag:
                rows[option.group].append((_left(option), _right(option)))
        for group, records in rows.items():
            with formatter.section(group):
                formatter.write_dl(records)
        own = [p for p in self.get_params(ctx)[1:] if p.name not in OPTIONS]
        instead = [record for p in own if (record := p.get_help_record(ctx)) is not None]
        with formatter.section("Instead of serving"):
            formatter.write_dl(instead)
        with formatter.section("Values"):
            formatter.write_text(VALUES)
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
        code = _command().main(args, prog_name="aiowsgi", standalone_mode=False)
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


def _command() -> Command:
    own: list[click.Parameter] = [
        click.Argument(["app"], required=False),
        *(_flag(option) for option in OPTIONS.values() if option.has_flag),
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
        callback=_run,
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


def _show_version(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked:
        click.echo(f"aiowsgi {described()}")
        ctx.exit()


@click.pass_context
def _run(
    ctx: click.Context, /, app: str | None, check_config: bool, print_config: bool, **values: Any
) -> int:
    command_line = click.core.ParameterSource.COMMANDLINE
    given = {
        name: value
        for name, value in values.items()
        if ctx.get_parameter_source(name) is command_line
    }
    read = partial(resolve, given, os.environ, by_flag=True)
    settings = read()
    for stranger in settings.strangers:
        click.echo(f"Warning: {stranger}", err=True)
    if print_config:
        click.echo("\n".join(settings.lines()))
        return 0
    if app is None:
        click.echo(SHORT, err=True)
        return 2
    if check_config:
        importer.enter(settings.config.chdir)
        load(app, settings)
        check_files(settings)
        click.echo("configuration OK")
    else:
        start(app, read, settings)
    return 0


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
