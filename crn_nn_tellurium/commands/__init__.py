"""`crn-nn`: parses and prints; the only room that imports typer."""

import os
import sys
from typing import NoReturn


def run() -> None:
    """Run the command, quietly also where nobody listens, and where Ctrl-C comes while it loads."""
    if sys.stdout is None:  # closed, by >&- say
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # until the end
    try:
        from crn_nn_tellurium.commands.main import main

        main()
    except KeyboardInterrupt:
        interrupted()


def interrupted() -> NoReturn:
    """End as Ctrl-C wants it."""
    print("crn-nn: interrupted", file=sys.stderr)
    raise SystemExit(130) from None  # what shells give to what Ctrl-C ended
