"""The `mockforge` command."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from mockforge import __version__
from mockforge.cli import check, compare, export, import_, learn, profile, record, recordings, replay, serve
from mockforge.cli.console import say
from mockforge.errors import MockForgeError, StubFileError

__all__ = ["app", "run"]

app = typer.Typer(
    name="mockforge",
    help="Record a backend, learn a mock that performs like it, and measure how far the mock is off.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mockforge {__version__}")
        raise typer.Exit


@app.callback()
def mockforge(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and end."),
    ] = False,
) -> None:
    """Record a backend, learn a mock that performs like it, and measure how far the mock is off."""


app.command("record")(record.record)
app.command("learn")(learn.learn)
app.command("serve")(serve.serve)
app.command("replay")(replay.replay)
app.command("compare")(compare.compare)
app.command("profile")(profile.profile)
app.command("check")(check.check)
app.add_typer(recordings.app)
app.command("import")(import_.import_)
app.command("export")(export.export)


def run() -> None:
    """The console script: every refusal is one line on standard error and an exit code."""
    try:
        app()
    except MockForgeError as error:
        lines = error.problems if isinstance(error, StubFileError) else ()
        for line in lines or (str(error),):
            say.print(f"mockforge: {line}", markup=False, style="red")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
