"""`crn-nn export`: a network for another tool."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

from typer import Option

from crn_nn_tellurium.basics import first_twice, json_value
from crn_nn_tellurium.commands.arguments import (
    Model,
    Overwrite,
    inputs_of,
    load_given,
    read_table,
)
from crn_nn_tellurium.commands.console import check_new, note, say_written
from crn_nn_tellurium.errors import InputError

_SCIML = "--format petab-sciml writes the neural network alone, in PEtab SciML"
_OTHERS = {"petab": _SCIML, "petab-v2": _SCIML}
"""What else an ending might have meant, by what it means."""


def command(
    model: Model,
    output: Annotated[Path, Option("-o", "--output", help="File; its ending chooses the format.")],
    format: Annotated[
        str | None, Option(help="Format by name: sbml-l3v1, sbml-l2v4, petab-v2 ...")
    ] = None,
    input: Annotated[
        str | None, Option("--input", help="Input values that the file holds: 0,1")
    ] = None,
    data: Annotated[
        Path | None, Option(help="CSV of training data, for .yaml (PEtab) and .cps.")
    ] = None,
    target: Annotated[str | None, Option(help="Column of the data with the true class.")] = None,
    setting: Annotated[
        list[str] | None, Option("--set", help="An option of the format: layout=true, t_end=200.")
    ] = None,
    dna: Annotated[
        bool, Option("--dna", help="Write it as DNA; --set fuel=5000, c0, tau, q_max, c_max too.")
    ] = False,
    overwrite: Overwrite = False,
) -> None:
    """Write a network or model for another tool.

    .xml SBML, .omex COMBINE archive, .cps COPASI, .yaml PEtab (with --format petab-sciml the neural
    network in PEtab SciML), .bngl BioNetGen, .py PySB, .ka Kappa, .jl Catalyst, .crn, .dsd Visual
    DSD (reactions), .ant Antimony, .tex, .csv, .tsv, .graphml, .dot; .onnx ONNX, of the neural
    network. With --dna: .pil (strands, domain by domain), .np (NUPACK, which designs their
    sequences), --format parts (.csv or .tsv, a list to order).

    Example: [bold]crn-nn export iris -o iris.xml --set layout=true[/bold]
    """
    check_new(overwrite, output)
    from crn_nn_tellurium.exporters import export_files, format_of
    from crn_nn_tellurium.importers import as_network

    chosen = format_of(output, format)
    found = load_given(model)
    x = inputs_of(found, input)
    options = _settings(setting or [])
    if (data is None) != (target is None):
        raise InputError("--data and --target go together: a file, its column with the true class")
    if data is not None and target is not None:
        network = as_network(found, "--data")
        table = read_table(data, network)
        options["X"] = table.numbers(network.input_names)
        options["Y"] = table.labels(target, network)
    if dna:
        from crn_nn_tellurium.chemistry import PhysicalUnits
        from crn_nn_tellurium.dna import StrandOptions, to_strand_displacement
        from crn_nn_tellurium.encoding import C0

        # options of the strands are the tube's, what is left is the format's
        names = [entry.name for entry in fields(StrandOptions)]
        if "tau" in options:
            options["units"] = PhysicalUnits(options.pop("c0", C0), options.pop("tau"))
        tube = StrandOptions(**{name: options.pop(name) for name in names if name in options})
        found, x = to_strand_displacement(found, x, tube), None
        note(repr(found))
    shared: dict[str, Any] = {"x": x}
    shared |= {name: options.pop(name) for name in ("units", "starts") if name in options}
    title, paths = export_files(found, output, format, overwrite, shared, options)
    say_written(title, *paths)
    if other := _OTHERS.get(chosen.name):
        note(other)
    if dna and output.suffix.lower() != ".np":
        note("domains are names: -o NAME.np is a script for NUPACK, which designs their sequences")


def _settings(texts: list[str]) -> dict[str, Any]:
    pairs = [_setting(text) for text in texts]
    if (twice := first_twice([name for name, _ in pairs])) is not None:
        raise InputError(f"--set {twice} is given twice; expected each option once")
    return dict(pairs)


def _setting(text: str) -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        expected = "an option of the format and its value: layout=true"
        raise InputError(f"--set is {text!r}; expected {expected}")
    # numbers, lists and truth as JSON; what is none is a text
    try:
        return name, json_value(value.lower() if value.lower() in ("true", "false") else value)
    except ValueError:
        return name, value
