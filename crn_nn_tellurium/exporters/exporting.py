"""Writing models for other tools, one module per format; `export` chooses by the file's ending."""

from __future__ import annotations

import inspect
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import check_new, check_target, is_real, write_files
from crn_nn_tellurium.chemistry import ReactionNetwork
from crn_nn_tellurium.errors import FileFormatError, InputError, NetworkError
from crn_nn_tellurium.exporters import (
    antimony,
    biocrnpyler,
    bngl,
    catalyst,
    copasi,
    crn,
    csv,
    graph,
    kappa,
    latex,
    omex,
    petab,
    pysb,
    sbml,
    strands,
    visual_dsd,
)
from crn_nn_tellurium.exporters.source import Source
from crn_nn_tellurium.networks import Network

Content = str | bytes | Mapping[str, str | bytes]
"""A file, or several by what follows the stem in their names."""


@dataclass(frozen=True)
class Format:
    """A kind of file.

    Attributes
    ----------
    name : str
    title : str
        What it is, in a few words.
    write : callable
        From a `Source` and keyword options to `Content`.
    endings : tuple of str
        File endings, without the dot, that mean it.
    """

    name: str
    title: str
    write: Callable[..., Content]
    endings: tuple[str, ...] = ()

    @property
    def options(self) -> dict[str, str]:
        """Its options, with their types as they are annotated."""
        parameters = inspect.signature(self.write).parameters.values()
        return {p.name: str(p.annotation) for p in parameters if p.kind is p.KEYWORD_ONLY}

    def checked(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options as Python's own numbers.

        Raises
        ------
        InputError
            If the format does not have one, or its value is of no use.
        """
        checked = {}
        for name, value in options.items():
            if name not in self.options:
                known = ", ".join(self.options) or "none"
                raise InputError(f"format {self.name!r} has no option {name!r}; it has {known}")
            kind = self.options[name].removesuffix(" | None")
            convert, expected = _KINDS.get(kind, (None, ""))
            checked[name] = value if convert is None else convert(value)
            if checked[name] is None:
                raise InputError(
                    f"format {self.name!r}: option {name} is {value!r}; expected {expected}"
                )
        return checked


def _bool(value: Any) -> bool | None:
    return bool(value) if isinstance(value, bool | np.bool_) else None


def _float(value: Any) -> float | None:
    try:
        number = float(value) if is_real(value) else math.nan
    except OverflowError:
        return None
    return number if 0 < number < math.inf else None


def _int(value: Any) -> int | None:
    number = _float(value)
    return int(number) if number is not None and number >= 1 and number == int(number) else None


_KINDS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "bool": (_bool, "True or False"),
    "int": (_int, "a whole number >= 1"),
    "float": (_float, "a finite number > 0"),
}
"""By the annotation of an option: its value or None, and what is expected."""

FORMATS = {
    format.name: format
    for format in (
        Format("antimony", "Antimony", antimony.write, ("ant",)),
        Format("sbml", "SBML Level 3 Version 2", sbml.write, ("xml", "sbml")),
        Format("sbml-l3v1", "SBML Level 3 Version 1", sbml.write_l3v1),
        Format("sbml-l2v4", "SBML Level 2 Version 4", sbml.write_l2v4),
        Format("omex", "COMBINE archive", omex.write, ("omex",)),
        Format("copasi", "COPASI", copasi.write, ("cps",)),
        Format("petab", "PEtab 1", petab.write, ("yaml", "yml")),
        Format("petab-v2", "PEtab 2", petab.write_v2),
        Format("bngl", "BioNetGen", bngl.write, ("bngl",)),
        Format("pysb", "PySB", pysb.write, ("py",)),
        Format("kappa", "Kappa", kappa.write, ("ka",)),
        Format("biocrnpyler", "BioCRNpyler script", biocrnpyler.write),
        Format("catalyst", "Catalyst.jl script", catalyst.write, ("jl",)),
        Format("crn", "crnsimulator and Nuskell", crn.write, ("crn",)),
        Format("visual-dsd", "Visual DSD and Visual CRN", visual_dsd.write, ("dsd",)),
        Format("pil", "strands for Peppercorn and Nuskell", strands.write_pil, ("pil",)),
        Format("nupack", "strands for NUPACK's design", strands.write_nupack, ("np",)),
        Format("parts", "list of strands, CSV", strands.write_parts),
        Format("latex", "LaTeX tables", latex.write, ("tex",)),
        Format("csv", "CSV tables", csv.write, ("csv",)),
        Format("graphml", "GraphML", graph.write_graphml, ("graphml",)),
        Format("graphviz", "Graphviz", graph.write_dot, ("dot", "gv")),
    )
}
"""The formats by name."""


def export(
    model: Network | ReactionNetwork,
    path: str | os.PathLike[str],
    format: str | None = None,
    overwrite: bool = False,
    *,
    x: npt.ArrayLike | None = None,
    **options: Any,
) -> Path:
    """Write a network or reaction network to a file for another tool.

    Parameters
    ----------
    model : Network or ReactionNetwork
    path : path-like
        Its ending chooses the format; docs/exports.md lists them.
    format : str, optional
        A format by name, whatever the ending: ``"sbml-l3v1"``, ``"biocrnpyler"``.
    overwrite : bool
        Whether existing files are replaced.
    x : (n_in,) array_like, optional
        For a Network, the input values that the file holds; by default concentrations of 0.
    **options
        Those of the format; each is described where its module writes it.

    Returns
    -------
    Path
        The file. It, and those that some formats put beside it, are written whole or not at all.

    Raises
    ------
    FileFormatError
        If the format is unknown, or cannot hold the model.
    InputError
        If an option is not one of the format's, or has no sense.
    NetworkError
        If the model is neither.
    FileExistsError
        If a file exists and `overwrite` is false.
    MissingPackageError
        If the format needs a package that is not installed.
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
        raise NetworkError(
            f"export takes a Network or a ReactionNetwork; got {type(model).__name__}"
        )
    if not isinstance(path, str | os.PathLike):
        raise InputError(f"path is {path!r}; expected the name of a file")
    path = Path(path)
    chosen = _format(path, format)
    options = chosen.checked(options)
    check_target(path)
    if not overwrite:
        check_new([path])  # before the work
    content = chosen.write(Source(model, x, path.stem), **options)
    parts = {"": content} if isinstance(content, str | bytes) else content
    files = {
        path.with_name(path.stem + suffix) if suffix else path: (
            part.encode() if isinstance(part, str) else part
        )
        for suffix, part in parts.items()
    }
    if not overwrite:
        check_new(files)
    write_files(files)
    return path


def _format(path: Path, name: str | None) -> Format:
    if name is not None:
        if name not in FORMATS:
            raise FileFormatError(
                f"{str(path)!r}: unknown format {name!r}; known: {', '.join(FORMATS)}"
            )
        return FORMATS[name]
    ending = path.suffix.removeprefix(".").lower()
    by_ending = {known: format for format in FORMATS.values() for known in format.endings}
    if ending not in by_ending:
        known = ", ".join(f".{known} ({format.title})" for known, format in by_ending.items())
        others = ", ".join(repr(format.name) for format in FORMATS.values() if not format.endings)
        raise FileFormatError(
            f"{str(path)!r}: unknown ending {path.suffix!r}; known: {known}; other formats by name,"
            f" format=: {others}"
        )
    return by_ending[ending]
