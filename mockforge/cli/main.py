"""The `mockforge` command.

Each command is a module of its own, imported when it is the one that is called: what it needs takes up to a
second to load, what all of them need several.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Annotated

import typer

from mockforge import __version__
from mockforge.cli.console import say
from mockforge.errors import MockForgeError, StubFileError

__all__ = ["COMMANDS", "application", "run"]

#: Every command and its module, in the order of the help; a module has a function of the command's name, or
#: an `app` of several.
COMMANDS: Mapping[str, str] = {
    "record": "record",
    "recordings": "recordings",
    "import": "import_",
    "export": "export",
    "learn": "learn",
    "check": "check",
    "serve": "serve",
    "replay": "replay",
    "profile": "profile",
    "compare": "compare",
    "history": "history",
}


def application(only: str | None = None) -> typer.Typer:
    """The command line with every command, or with `only` one."""
    app = typer.Typer(
        name="mockforge",
        help="Record a backend, learn a mock that performs like it, and measure how far the mock is off.",
        no_args_is_help=True,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
        add_completion=False,
    )
    app.callback()(_mockforge)
    for name, module_name in COMMANDS.items():
        if only in (None, name):
            module = import_module(f"mockforge.cli.{module_name}")
            if hasattr(module, "app"):
                app.add_typer(module.app)
            else:
                app.command(name)(getattr(module, module_name))
    return app


def run() -> None:
    """The console script: every refusal is one line on standard error and an exit code."""
    called = sys.argv[1] if len(sys.argv) > 1 and sys.argv[1] in COMMANDS else None
    try:
        application(called)()
    except MockForgeError as error:
        lines = error.problems if isinstance(error, StubFileError) else ()
        for line in lines or (str(error),):
            say.print(f"mockforge: {line}", markup=False, style="red")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mockforge {__version__}")
        raise typer.Exit


def _mockforge(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and end."),
    ] = False,
) -> None:
    """Record a backend, learn a mock that performs like it, and measure how far the mock is off."""
