"""Writing networks for other tools, one file per format; `export` chooses by the file's ending."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from crn_nn_tellurium.errors import FileFormatError, NetworkError
from crn_nn_tellurium.exporters import antimony, sbml
from crn_nn_tellurium.network import Network
from crn_nn_tellurium.reactions import ReactionNetwork
from crn_nn_tellurium.storage import write_bytes

Writer = Callable[[Network | ReactionNetwork], str]

FORMATS: dict[str, Writer] = {"ant": antimony.write, "xml": sbml.write, "sbml": sbml.write}
"""Writers by format name, which is also the file's ending."""


def export(
    model: Network | ReactionNetwork, path: str | os.PathLike[str], format: str | None = None, overwrite: bool = False
) -> Path:
    """Write a network or reaction network to a file for another tool.

    Parameters
    ----------
    model : Network or ReactionNetwork
    path : path-like
        Its ending chooses the format: ``.ant`` (Antimony), ``.xml`` or ``.sbml`` (SBML L3V2).
    format : str, optional
        A format by name, whatever the ending.
    overwrite : bool
        Whether an existing file is replaced.

    Returns
    -------
    Path
        The file, written whole or not at all.

    Raises
    ------
    FileFormatError
        If the format is unknown.
    NetworkError
        If the model is neither.
    FileExistsError
        If the file exists and ``overwrite`` is false.
    OSError
        If it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     export(Network.random([2, 2, 1], seed=0), f"{folder}/net.ant").name
    'net.ant'
    """
    if not isinstance(model, Network | ReactionNetwork):
        raise NetworkError(f"export takes a Network or a ReactionNetwork; got {type(model).__name__}")
    path = Path(path)
    name = path.suffix.removeprefix(".").lower() if format is None else format
    if name not in FORMATS:
        what = f"ending {path.suffix!r}" if format is None else f"format {format!r}"
        raise FileFormatError(f"{str(path)!r}: unknown {what}; known: {', '.join(sorted(FORMATS))}")
    if path.exists() and not overwrite:
        raise FileExistsError(f"{str(path)!r} exists; overwrite=True replaces it")
    return write_bytes(path, FORMATS[name](model).encode())
