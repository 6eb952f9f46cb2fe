"""COPASI, and the validator of COMBINE archives, on exported files: each in a process of its own.

As in `copasi_worker`: the libraries share SWIG's table of types, so nothing of crn_nn_tellurium is
used here.
"""

from __future__ import annotations

import os
import tempfile
import warnings


def copasi_tasks(path):
    """Names of the rate laws, in order, and what the scan, the sensitivities and the estimation are
    set to.
    """
    import basico

    model = basico.load_model(path)

    def plotted(name):
        """Which tasks bring a plot up, and what its curves show."""
        about = basico.get_plot_dict(name, model=model)
        return about["tasks"], [(c["name"], c["channels"]) for c in about["curves"]]

    try:
        fitted = basico.get_fit_parameters(model=model)
        return {
            "laws": basico.get_reactions(model=model)["function"].tolist(),
            "scan": basico.get_scan_items(model=model),
            "sensitivities": basico.get_sensitivity_settings(model=model),
            "fitted": [] if fitted is None else fitted.reset_index().to_dict("records"),
            "plots": {name: plotted(name) for name in basico.get_plots(model=model).index},
        }
    finally:
        basico.remove_datamodel(model)


def scan_report(path):
    """The lines of the report that COPASI writes when it runs the scan as the file says."""
    import basico

    before = os.getcwd()
    os.chdir(os.path.dirname(path))
    model = basico.load_model(os.path.basename(path))
    try:
        basico.run_scan(model=model)
        (name,) = [name for name in os.listdir() if name.endswith(".scan.txt")]
        with open(name, encoding="utf-8") as file:
            return name, [line.split("\t") for line in file.read().splitlines()]
    finally:
        basico.remove_datamodel(model)
        os.chdir(before)


def scan_markers(path):
    """The markers of the scan's curves, and the names of all that archives report."""
    import zipfile

    import libsedml

    with zipfile.ZipFile(path) as archive:
        document = libsedml.readSedMLFromString(archive.read("simulation.sedml").decode())
    assert document.getNumErrors(libsedml.LIBSEDML_SEV_ERROR) == 0
    markers, names = [], []
    for i in range(document.getNumOutputs()):
        output = document.getOutput(i)
        names.append(output.getName())
        if output.getName().startswith("steady state against"):
            for j in range(output.getNumCurves()):
                style = document.getEffectiveStyle(output.getCurve(j).getStyle())
                markers.append(style.getMarkerStyle().getTypeAsString())
    return markers, names


def steady_state(path, name, concentration):
    """Concentrations by COPASI's own names, with one species set by name as a user does it."""
    import basico

    model = basico.load_model(path)
    try:
        basico.set_species(name, initial_concentration=float(concentration), model=model)
        found = basico.run_steadystate(model=model)
        values = basico.get_species(model=model)["concentration"].to_dict()
        values |= basico.get_parameters(model=model)["value"].to_dict()
        return found, values, basico.get_compartments(model=model).index.tolist()
    finally:
        basico.remove_datamodel(model)


def fit(path):
    """The objective of the parameter estimation at the start, and after it has run as the file
    says.
    """
    import basico

    model = basico.load_model(path)
    try:
        basico.run_parameter_estimation(
            model=model, method="Current Solution Statistics", update_model=False
        )
        before = basico.get_fit_statistic(model=model)["obj"]
        basico.run_parameter_estimation(
            model=model, method="Levenberg - Marquardt", update_model=False
        )
        return before, basico.get_fit_statistic(model=model)["obj"]
    finally:
        basico.remove_datamodel(model)


def fit_petab(path):
    """The same of a PEtab problem, as copasi-petab-importer converts it."""
    warnings.simplefilter("ignore")
    from copasi_petab_importer import PEtabConverter

    with tempfile.TemporaryDirectory() as folder:
        PEtabConverter.from_yaml(path, out_dir=folder, out_name="problem").convert()
        return fit(os.path.join(folder, "problem.cps"))


def archive_complaints(path):
    """What BioSimulators' validator has against a COMBINE archive: errors, warnings."""
    warnings.simplefilter("ignore")
    from biosimulators_utils.combine.io import CombineArchiveReader
    from biosimulators_utils.combine.validation import validate
    from biosimulators_utils.utils.core import flatten_nested_list_of_strings

    with tempfile.TemporaryDirectory() as folder:
        reader = CombineArchiveReader()
        archive = reader.run(path, folder)
        errors, complaints = validate(archive, folder)
        found = (reader.errors + errors, reader.warnings + complaints)
        return [flatten_nested_list_of_strings(each) if each else "" for each in found]
