"""The command `crn-nn`: a file per verb, which parses and prints; the work is done below.

What a user can mend (a file, a column, a shape, a name) ends in one line on standard error and
exit code 2; a steady state that is not found ends in exit code 1, Ctrl-C in 130. Verbs import what
they need when they run, so that the help is there at once.
"""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Mapping
from errno import EBADF, ENOSPC
from importlib import import_module
from keyword import iskeyword
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from crn_nn_tellurium import errors
from crn_nn_tellurium._version import __version__
from crn_nn_tellurium.commands import interrupted
from crn_nn_tellurium.errors import ConvergenceError, MissingPackageError, SingularJacobianError

# In the order of the help; each is the `command` of the file of its name
VERBS = (
    "demo show compile import export data predict simulate train gradient certify noise scan"
    " notebooks bench cache"
).split()


class _Verbs(TyperGroup):
    """The verbs, whose errors that a user can mend become one line."""

    def invoke(self, ctx: Any) -> Any:
        """Run the verb that was typed."""
        try:
            found = super().invoke(ctx)
            sys.stdout.flush()  # while what cannot be written can still be said
            return found
        except (ConvergenceError, SingularJacobianError) as error:
            self._fail(ctx, error, 1)
        except BrokenPipeError:
            raise  # who read our output has enough of it: typer ends quietly
        except (ValueError, OSError, MissingPackageError) as error:
            # a ValueError of numpy's, say, is a bug of ours, whose traceback we want to see
            if not isinstance(error, OSError) and type(error).__module__ != errors.__name__:
                raise
            self._fail(ctx, error, 2)

    def _fail(self, ctx: Any, error: Exception, code: int) -> NoReturn:
        text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        where = f"{error.filename}: " if isinstance(error, OSError) and error.filename else ""
        if isinstance(error, OSError) and error.errno in (EBADF, ENOSPC) and not where:
            where = "standard output: "  # of all that is written, it alone has no name
            # or Python tries again when all is over
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        verb = self.get_command(ctx, ctx.invoked_subcommand)
        options = {} if verb is None else {p.name: p.opts[-1] for p in verb.params}
        print(_line(f"{where}{as_typed(' '.join(text.split()), options)}"), file=sys.stderr)
        raise SystemExit(code)


def as_typed(text: str, options: Mapping[str, str]) -> str:
    """What the library says of its keywords, as a command's user types them.

    Examples
    --------
    >>> as_typed("t_end is -1.0; overwrite=True replaces", {"t_end": "--t-end"})
    '--t-end is -1.0'
    """

    def spelled(found: re.Match[str]) -> str:
        start, name, end = found.groups()
        option = options.get(name, "")
        # arguments have no dashes: they are given by their place
        if not option.startswith("--"):
            return found[0]
        return start + option + end.removesuffix("=True").replace("=", " ").rstrip(" ")

    def kept(found: re.Match[str]) -> str:
        return found[0] if found[1] in options else ""

    # advice, which stands last, by a keyword that the verb has no option for helps nobody
    text = re.sub(r"; (\w+)=(?:None|True|'[^']*') [a-z][^;]*$", kept, text)
    # what begins a statement, and keywords with their values; elsewhere it is anybody's word
    text = re.sub(r"(^|[:;] )(\w+)( is(?= ))", spelled, text)
    text = re.sub(r"ScanFile\(path, (\w+=True)\)", r"\1", text)
    return re.sub(r"(\b)(\w+)(=(?:True|'[^']*'|[\d.]+|(?=\W)))", spelled, text)


app = typer.Typer(
    cls=_Verbs,
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


def _line(text: str) -> str:
    from crn_nn_tellurium.basics import visible  # which takes its time: help has none

    return f"crn-nn: {visible(text)}"


def main() -> None:
    """Run the command."""
    # a user of the command has no line of ours to look at
    warnings.formatwarning = lambda message, *_, **__: f"{_line(str(message))}\n"
    try:
        app()
    except SystemExit as ended:
        # what Ctrl-C ends, within a verb or on the way to it, typer ends without a word
        if isinstance(getattr(ended.__context__, "__cause__", None), KeyboardInterrupt):
            interrupted()
        raise


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
