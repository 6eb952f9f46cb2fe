"""`crn-nn notebooks`: the notebooks that come with the package, copied to where they can be run."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

from typer import Option

from crn_nn_tellurium.basics import shipped_folder, write_files
from crn_nn_tellurium.commands.arguments import Overwrite
from crn_nn_tellurium.commands.console import check_new, note, say_written


def command(
    output: Annotated[Path, Option("-o", "--output", help="Folder for them.")] = Path(
        "crn-nn-notebooks"
    ),
    overwrite: Overwrite = False,
) -> None:
    """Copy the notebooks, one question each, into a folder of yours.

    Example: [bold]crn-nn notebooks -o learning[/bold]
    """
    found = sorted(shipped_folder("notebooks").glob("*.ipynb"))
    output.mkdir(parents=True, exist_ok=True)
    copies = {output / file.name: file.read_bytes() for file in found}
    check_new(overwrite, *copies)
    write_files(copies)
    for path in copies:
        say_written("notebook", path)
    install = "" if find_spec("jupyterlab") else "pip install jupyterlab && "
    note(f"next: {install}jupyter lab {output}")
