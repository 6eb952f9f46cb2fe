"""`crn-nn`: parses and prints; the only room that imports typer."""

import _thread
import os
import sys
from threading import Timer
from typing import Any, NoReturn


def run() -> None:
    """Run the command; Ctrl-C ends it in one line while it loads too."""
    if sys.stdout is None:  # closed, by >&- say
        # what nobody can write to, so that a verb whose answer is lost says so; that it is open
        # keeps files from taking its number, to which C libraries print
        unwritable = os.open(os.devnull, os.O_RDONLY)
        sys.stdout = open(unwritable, "w", encoding="utf-8")  # noqa: SIM115  # until the end
    sys.unraisablehook = _again
    try:
        from crn_nn_tellurium.commands.main import main

        main()
    except KeyboardInterrupt:
        interrupted()


def _again(dropped: Any) -> None:
    """Have Ctrl-C come again where it came in a callback, whose errors Python says and drops."""
    if issubclass(dropped.exc_type, KeyboardInterrupt):
        # behind this call, in which it would be dropped too
        again = Timer(0.05, _thread.interrupt_main)
        again.daemon = True
        again.start()
    else:
        sys.__unraisablehook__(dropped)


def interrupted() -> NoReturn:
    """End as Ctrl-C wants it."""
    print("crn-nn: interrupted", file=sys.stderr)
    raise SystemExit(130) from None  # what shells give to what Ctrl-C ended
