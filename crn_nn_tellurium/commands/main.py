"""The command `crn-nn`: a file per verb, which parses and prints; the work is done below.

What a user can mend (a file, a column, a shape, a name) ends in one line on standard error and
exit code 2; a steady state that is not found ends in exit code 1. Verbs import what they need when
they run, so that the help is there at once.
"""

from __future__ import annotations

import sys
from importlib import import_module
from keyword import iskeyword
from typing import Annotated

import typer

from crn_nn_tellurium._version import __version__
from crn_nn_tellurium.errors import ConvergenceError, MissingPackageError

# In the order of the help; each is the `command` of the file of its name
VERBS = (
    "demo show compile import export predict simulate train gradient certify scan bench cache"
).split()

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help=(
        "Neural networks as chemical reaction networks. NET is a network's .json file, or a shipped"
        " model: xor, moons, iris, digits.\n\nFirst look: [bold]crn-nn demo[/bold]"
    ),
)
# by name, so that a new verb is a file and a word above
for verb in VERBS:
    module = f"{verb}_" if iskeyword(verb) else verb
    app.command(verb)(import_module(f"crn_nn_tellurium.commands.{module}").command)


def main() -> None:
    """Run the command; errors that a user can mend become one line."""
    try:
        app()
    except ConvergenceError as error:
        _fail(error, 1)
    except (ValueError, OSError, MissingPackageError) as error:
        # a ValueError of numpy's, say, is a bug of ours, whose traceback we want to see
        if not _ours(error):
            raise
        _fail(error, 2)


def _ours(error: Exception) -> bool:
    return isinstance(error, OSError) or type(error).__module__ == "crn_nn_tellurium.errors"


def _fail(error: Exception, code: int) -> None:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    where = f"{error.filename}: " if isinstance(error, OSError) and error.filename else ""
    print(f"crn-nn: {where}{' '.join(text.split())}", file=sys.stderr)
    raise SystemExit(code)


def _version(value: bool) -> None:
    if value:
        print(__version__)
        raise typer.Exit()


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass
