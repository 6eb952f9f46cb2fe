"""Writing models for other tools, one module per format; `export` chooses by the file's ending."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
import numpy.typing as npt

from crn_nn_tellurium.basics import (
    check_choice,
    check_new,
    check_positive,
    check_target,
    path_of,
    progress_bar,
    truth,
    whole_number,
    write_files,
)
from crn_nn_tellurium.chemistry import Units
from crn_nn_tellurium.encoding import Starts
from crn_nn_tellurium.errors import FileFormatError, InputError
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
    onnx,
    petab,
    petab_sciml,
    sbml,
    strands,
    visual_dsd,
)
from crn_nn_tellurium.exporters.tasks import Runs, Training
from crn_nn_tellurium.exporters.writing import Source
from crn_nn_tellurium.importers import AnyModel, as_model

Content = str | bytes | Mapping[str, str | bytes]
"""A file, or several by what follows the stem in their names."""


@dataclass(frozen=True)
class Format:
    """A kind of file: a few words on it, who writes it, and the dataclass of its options if any."""

    name: str
    title: str
    write: Callable[..., Content]
    endings: tuple[str, ...] = ()
    kind: type | None = None

    @property
    def options(self) -> dict[str, Any]:
        """Its options, with their types."""
        return {} if self.kind is None else get_type_hints(self.kind)

    def settings(self, options: Mapping[str, Any]) -> tuple[Any, ...]:
        """The object of options that `write` takes, with Python's own numbers; none without any."""
        known = self.options
        checked = {}
        for name, value in options.items():
            if name not in known:
                there = ", ".join(known) or "none"
                raise InputError(f"format {self.name!r} has no option {name!r}; it has {there}")
            checked[name] = _checked(f"format {self.name!r}: option {name}", known[name], value)
        return () if self.kind is None else (self.kind(**checked),)

    def content(self, source: Source, settings: tuple[Any, ...]) -> dict[str, bytes]:
        """The files, by what follows the stem in their names."""
        content = self.write(source, *settings)
        parts = {"": content} if isinstance(content, str | bytes) else content
        return {end: p.encode() if isinstance(p, str) else p for end, p in parts.items()}


_TABLE = (
    Format("antimony", "Antimony", antimony.write, ("ant",), antimony.Options),
    Format("sbml", "SBML Level 3 Version 2", sbml.write, ("xml", "sbml"), sbml.Drawn),
    Format("sbml-l3v1", "SBML Level 3 Version 1", sbml.write_l3v1, (), sbml.Drawn),
    Format("sbml-l2v4", "SBML Level 2 Version 4", sbml.write_l2v4, (), sbml.Options),
    Format("omex", "COMBINE archive", omex.write, ("omex",), Runs),
    Format("copasi", "COPASI", copasi.write, ("cps",), copasi.Options),
    Format("petab", "PEtab 1", petab.write, ("yaml", "yml"), Training),
    Format("petab-v2", "PEtab 2", petab.write_v2, (), Training),
    Format("petab-sciml", "PEtab SciML, the neural network", petab_sciml.write),
    Format("bngl", "BioNetGen", bngl.write, ("bngl",), bngl.Options),
    Format("pysb", "PySB", bngl.write_pysb, ("py",)),
    Format("kappa", "Kappa", kappa.write, ("ka",), kappa.Options),
    Format("biocrnpyler", "BioCRNpyler script", biocrnpyler.write),
    Format("catalyst", "Catalyst.jl script", catalyst.write, ("jl",), catalyst.Options),
    Format("crn", "crnsimulator and Nuskell", crn.write, ("crn",)),
    Format(
        "visual-dsd",
        "reactions for Visual DSD and CRN",
        visual_dsd.write,
        ("dsd",),
        visual_dsd.Options,
    ),
    Format("pil", "strands for Peppercorn, Nuskell", strands.write_pil, ("pil",), strands.Options),
    Format("nupack", "strands for NUPACK's design", strands.write_nupack, ("np",), strands.Options),
    Format("parts", "list of strands", strands.write_parts, (), strands.Options),
    Format("latex", "LaTeX tables", latex.write, ("tex",), latex.Options),
    Format("csv", "tables", csv.write, ("csv", "tsv")),
    Format("onnx", "ONNX, the neural network", onnx.write, ("onnx",), onnx.Options),
    Format("graphml", "GraphML", graph.write_graphml, ("graphml",), graph.Reactions),
    Format("graphviz", "Graphviz", graph.write_dot, ("dot", "gv"), graph.Influences),
)
FORMATS = {format.name: format for format in _TABLE}
"""The formats by name."""


def export(
    model: AnyModel,
    path: str | os.PathLike[str],
    format: str | None = None,
    overwrite: bool = False,
    *,
    x: npt.ArrayLike | None = None,
    units: Units | None = None,
    starts: Starts = "numbers",
    **options: Any,
) -> Path:
    """Write a network or reaction network to a file for another tool.

    Parameters
    ----------
    model : Network, ReactionNetwork, str or path-like
        As `Simulator` takes it.
    path : path-like
        Its ending chooses the format; docs/exports.md lists them.
    format : str, optional
        A format by name, whatever the ending: ``"sbml-l3v1"``, ``"biocrnpyler"``.
    overwrite : bool
        Whether existing files are replaced.
    x : (n_in,) array_like, optional
        For a Network, the input values that the file holds; by default concentrations of 0.
    units : Units, optional
    starts : {"numbers", "formulas"}
        What the file's numbers are in, and how start values are written: see `to_antimony`.
    **options
        Those of the format, by name; docs/exports.md lists them.

    Returns
    -------
    Path
        The file. It, and those that some formats put beside it, are written whole or not at all:
        csv NAME.species.csv and NAME.stoichiometry.csv, parts NAME.strands.csv, copasi
        NAME.experiments.txt, petab its model and tables, petab-sciml NAME.parameters.hdf5.

    Raises
    ------
    FileFormatError
        If the format is unknown, or cannot hold the model.
    InputError
        If an option is not one of the format's, or has no sense.
    NetworkError
        If the model is none.
    FileExistsError
        If a file exists and `overwrite` is false.
    MissingPackageError
        If the format needs a package that is not installed.
    OSError
        If it cannot be written.

    Examples
    --------
    >>> from crn_nn_tellurium import Network
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     export(Network.random([2, 2, 1], seed=0), f"{folder}/net.ant").name
    'net.ant'
    """
    path = path_of("path", path)
    shared = {"x": x, "units": units, "starts": starts}
    return export_files(model, path, format, truth("overwrite", overwrite), shared, options)[1][0]


@progress_bar("exporting")
def export_files(
    model: AnyModel,
    path: Path,
    format: str | None,
    overwrite: bool,
    shared: Mapping[str, Any],
    options: Mapping[str, Any],
) -> tuple[str, list[Path]]:
    """As `export`, with `shared` options of all formats and others of its own; what the format is
    called, and all files that were written, the one that was asked for first.
    """
    model = as_model(model, "export")
    chosen = format_of(path, format)
    settings = chosen.settings(options)
    check_target(path)
    if not overwrite:
        check_new([path])  # before the work
    source = Source(model, stem=path.stem, ending=path.suffix.lower(), **shared)
    content = chosen.content(source, settings)
    # what follows the stem of the file that was asked for is nothing: it has an ending of its own
    files = {path.with_name(path.stem + end) if end else path: c for end, c in content.items()}
    if not overwrite:
        check_new(files)
    write_files(files)
    return chosen.title, sorted(files, key=path.__ne__)


def format_of(path: Path, name: str | None) -> Format:
    """The format by its name, or else by the file's ending."""
    if name is not None:
        if not isinstance(name, str) or name not in FORMATS:
            known = ", ".join(FORMATS)
            raise FileFormatError(f"{str(path)!r}: unknown format {name!r}; known: {known}")
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


def _checked(what: str, kind: Any, value: Any) -> Any:
    """The value as Python's own, or an error."""
    if value is None and type(None) in get_args(kind):
        return None
    # options come from the command line and numpy too
    if get_origin(kind) is Literal:
        check_choice(what, value, get_args(kind))
    elif kind is bool:
        if not isinstance(value, bool | np.bool_):
            raise InputError(f"{what} is {value!r}; expected True or False")
        return bool(value)
    elif kind is int:
        return whole_number(what, value, expected="a whole number >= 1")
    elif float in (kind, *get_args(kind)):  # an optional one is a number where it is given
        check_positive(what, value)
        return float(value)
    return value
