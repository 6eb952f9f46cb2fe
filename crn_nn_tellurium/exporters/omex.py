"""A COMBINE archive (.omex): the model as SBML, what to simulate as SED-ML, a README, metadata.

The SED-ML has a steady state (KiSAO:0000407), a time course (KiSAO:0000019, CVODE) and a scan, with
reports and plots. The scan has a model of its own: tellurium leaves a model as a scan left it.
Reactions whose steady states Newton's method does not find from the start values, of which those
that conserve something, have time courses alone, the scan's too: an executor stops there.
Source: Bergmann et al., BMC Bioinformatics 15 (2014) 369, doi 10.1186/s12859-014-0369-z; phraSED-ML
writes the SED-ML: Choi et al., J. Bioinform. Comput. Biol. 14 (2016) 1650035.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from xml.sax.saxutils import escape

import numpy as np
import phrasedml

from crn_nn_tellurium.basics import Lock
from crn_nn_tellurium.errors import FileFormatError
from crn_nn_tellurium.exporters import sbml
from crn_nn_tellurium.exporters.tasks import Runs, Variation, comes_to_rest, started_above
from crn_nn_tellurium.exporters.writing import DOI, Source
from crn_nn_tellurium.networks import Network

_COMBINE = "http://identifiers.org/combine.specifications"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the date of each file, so that equal models are equal archives
_SCAN = "steady state against"
_EXPECTED = "the outputs that the steady state should have (closed form)"
# a scan's points are apart in tellurium's plots, so that a line without markers is blank
_STYLES = """\
  <listOfStyles>
    <style id="points">
      <line type="solid"/>
      <marker type="circle" size="4"/>
    </style>
  </listOfStyles>
</sedML>"""
_phrasedml_lock = Lock()  # phraSED-ML keeps the models that it was told of


def write(source: Source, options: Runs) -> bytes:
    """An archive to open in Tellurium, VCell, COPASI, runBioSimulations."""
    variation = options.variation(source.followed)
    until = source.until(options.t_end)
    started = started_above(source.with_formulas, variation)
    model = sbml.document_text(replace(source, model=started, x=None))
    # a Jacobian of what conserves a sum has no inverse
    settles = not source.crn.conserved_sums and comes_to_rest(source, variation, newton=True)
    simulation = _sedml(model, _script(source, options, variation, settles))
    readme = _readme(source, until, variation, settles)
    files = {
        "model.xml": (f"{_COMBINE}/sbml.level-3.version-2", model),
        "simulation.sedml": (f"{_COMBINE}/sed-ml.level-1.version-4", simulation),
        "README.md": ("http://purl.org/NET/mediatypes/text/markdown", readme),
        "metadata.rdf": (f"{_COMBINE}/omex-metadata", _metadata(source)),
    }
    files = {"manifest.xml": (f"{_COMBINE}/omex-manifest", _manifest(files)), **files}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, (_, text) in files.items():
            info = zipfile.ZipInfo(name, date_time=_EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, text)
    return buffer.getvalue()


def _script(source: Source, options: Runs, variation: Variation | None, settles: bool) -> str:
    """The simulations in phraSED-ML."""

    def curves(run: str) -> str:
        return ", ".join(f"{run}.{name}" for name in source.outputs)

    lines = [
        'net = model "model.xml"',
        f"follow = simulate uniform(0, {source.until(options.t_end)!r}, {options.n_steps})",
        # an executor's own 1e-6 would be seen in small concentrations
        "follow.algorithm.relative_tolerance = 1e-9",
        "follow.algorithm.absolute_tolerance = 1e-14",
        "course = run follow on net",
    ]
    shown = [
        f'plot "time course" course.time vs {curves("course")}',
        f'report "time course" course.time, {curves("course")}',
    ]
    if settles:
        lines[1:1] = ["settle = simulate steadystate", "steady = run settle on net"]
        shown.insert(0, f'report "steady state" {curves("steady")}')
    if variation:
        name, across = variation.id, curves("scan")
        span = f"uniform({variation.low!r}, {variation.high!r}, {options.n_points})"
        axis, what = (f"scan.{name}", _SCAN) if settles else ("scan.time", "time courses by")
        lines += [
            'varied = model "model.xml"',
            f"each = run {'settle' if settles else 'follow'} on varied",
            # reset: each point from the start values, not from the last point's end
            f"scan = repeat each for {name} in {span}, reset=true",
        ]
        shown.append(f'plot "{what} {name}" {axis} vs {across}')
        shown.append(f'report "scan" {axis}, {across}')
    return "\n".join(lines + shown)


def _sedml(model: str, script: str) -> str:
    with _phrasedml_lock:
        phrasedml.clearReferencedSBML()
        phrasedml.setReferencedSBML("model.xml", model)
        text = phrasedml.convertString(script)
        error = phrasedml.getLastError()
        phrasedml.clearReferencedSBML()
    if text is None:
        raise FileFormatError(f"phraSED-ML refuses the simulation: {error}")
    return _with_markers(str(text))


def _with_markers(sedml: str) -> str:
    """The scan's curves with a marker at each point, for which phraSED-ML has no word."""
    before, found, plot = sedml.partition(f'name="{_SCAN}')
    if not found:
        return sedml
    curves, end, after = plot.partition("</plot2D>")
    styled = curves.replace("<curve ", '<curve style="points" ')
    return f"{before}{found}{styled}{end}{after}".replace("</sedML>", _STYLES)


def _readme(source: Source, t_end: float, variation: Variation | None, settles: bool) -> str:
    lines = [f"# {source.crn.name}", "", *source.statements, ""]
    lines += ["`simulation.sedml` does with `model.xml`:", ""]
    course = f"a time course from 0 to {t_end:g} (plot, report)"
    if settles:
        lines += ["- the steady state (report);", f"- {course};"]
    else:
        lines += [f"- {course};"]
    if variation:
        span = f"from {variation.low:g} to {variation.high:g}"
        what = "steady states" if settles else "time courses"
        lines.append(f"- {what} for `{variation.id}` {span} (plot, report).")
    if not settles:
        lines += [
            "",
            "The reactions conserve a sum of species, so that their steady states depend on"
            " where they start; many solvers of steady states find none then."
            if source.crn.conserved_sums
            else "Solvers find no steady state that the reactions reach from where they start.",
        ]
    net = source.model
    if isinstance(net, Network):
        above = "Start values are above the steady state, from where solvers find the positive one."
        lines += ["", above]
        if source.x is not None:
            lines += ["", f"Inputs in the file, and {_EXPECTED}:"]
            concentration = source.crn.units.concentration
            x = concentration(np.asarray(source.x, dtype=float)).tolist()
            outputs = concentration(net(source.x)).tolist()
            named = list(zip(net.input_names, x, strict=True))
            named += zip((f"**{name}**" for name in net.output_names), outputs, strict=True)
            lines += ["", "| | |", "|---|---|"]
            lines += [f"| {name} | {value!r} |" for name, value in named]
    return "\n".join(lines) + "\n"


def _manifest(files: dict[str, tuple[str, str]]) -> str:
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    lines.append(f'<omexManifest xmlns="{_COMBINE}/omex-manifest">')
    lines.append(f'  <content location="." format="{_COMBINE}/omex"/>')
    for name, (format, _) in files.items():
        master = ' master="true"' if name.endswith(".sedml") else ""
        lines.append(f'  <content location="./{name}" format="{format}"{master}/>')
    return "\n".join([*lines, "</omexManifest>"]) + "\n"


def _metadata(source: Source) -> str:
    link = f'<bqmodel:isDescribedBy rdf:resource="https://identifiers.org/doi:{DOI}"/>'
    described = f"    {link}\n" if source.doi else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:bqmodel="http://biomodels.net/model-qualifiers/">
  <rdf:Description rdf:about=".">
    <dc:title>{escape(source.crn.name)}</dc:title>
    <dc:description>{escape(" ".join(source.statements))}</dc:description>
{described}  </rdf:Description>
</rdf:RDF>
"""
