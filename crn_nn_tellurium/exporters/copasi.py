"""A COPASI file (.cps) with its tasks set up: steady state, time course, scan, sensitivities,
parameter estimation.

Reactions have COPASI's own law 'Mass action (irreversible)'. Elements are named by their
identifiers. COPASI itself writes the file, in a process of its own. Source: Hoops et al.,
Bioinformatics 22 (2006) 3067, doi 10.1093/bioinformatics/btl485; basico: Bergmann, J. Open Source
Softw. 8 (2023) 5553, doi 10.21105/joss.05553.
"""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np

from crn_nn_tellurium.basics import free_id, require
from crn_nn_tellurium.chemistry import ReactionNetwork, printable
from crn_nn_tellurium.errors import FileFormatError
from crn_nn_tellurium.exporters import sbml
from crn_nn_tellurium.exporters.tasks import (
    Problem,
    Runs,
    Training,
    Variation,
    comes_to_rest,
    started_above,
)
from crn_nn_tellurium.exporters.writing import Source
from crn_nn_tellurium.networks import Network

_PROCESS = Path(__file__).with_name("copasi_process")
_DATA = ".experiments.txt"
_REPORT = ".scan.txt"  # which COPASI writes where it runs the scan
# when it was written, which is taken out, so that equal models are equal files
_DATE = re.compile(
    r"<!-- generated with COPASI.*?-->\n?|<dcterms:created>.*?</dcterms:created>\s*", re.DOTALL
)


@dataclass(frozen=True)
class Options(Runs, Training):
    """What the tasks simulate, and what the parameter estimation fits."""


def write(source: Source, options: Options) -> dict[str, str | bytes]:
    """``NAME.cps`` and, for the parameter estimation, ``NAME.experiments.txt``."""
    if importlib.util.find_spec("basico") is None:
        require("basico", "export")
    variation = options.variation(source.followed)
    # reactions without data are written without a problem
    has_problem = isinstance(source.model, Network) or options.has_data or options.free_signs
    problem = options.problem(source) if has_problem else None
    data = problem.data.boundary if problem else None
    crn = started_above(problem.crn if problem else source.with_formulas, variation, data)
    reference = _references(crn)
    outputs = problem.data.outputs if problem else source.outputs
    task = {
        # reactions apart, which COPASI's reader of SBML takes long for
        "sbml": sbml.document_text(replace(source, model=crn, x=None), reactions=False),
        "reactions": _reactions(crn),
        "t_end": source.until(options.t_end),
        "n_steps": options.n_steps,
        "n_points": options.n_points,
        "outputs": {name: reference[name] for name in outputs},
        "variation": variation and _varied(variation, reference[variation.id]),
        "settles": comes_to_rest(source, variation),
        "fit": problem and _fit(problem, reference),
    }
    return _run(task, source.stem)


def _run(task: dict[str, Any], stem: str) -> dict[str, str | bytes]:
    """What COPASI makes of a task, in a process of its own."""
    if not stem.isprintable():
        raise FileFormatError(
            f"{stem!r}: the file names its report after itself, in XML, which has no such"
            " characters; expected a name that can be printed"
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.cps")  # COPASI reads no file with a name outside ASCII
        data = Path(folder, f"model{_DATA}")
        # another process: in this one COPASI's objects are mixed up with libcombine's
        files = {"path": str(path), "data": str(data), "report": f"model{_REPORT}"}
        text = json.dumps({**task, **files})
        done = subprocess.run(
            [sys.executable, str(_PROCESS)], input=text, capture_output=True, text=True, check=False
        )
        if done.returncode or not path.exists():
            raise FileFormatError(
                f"COPASI did not write the file: {(done.stderr or done.stdout).strip()[-500:]}"
            )
        model = _DATE.sub("", path.read_text(encoding="utf-8"))
        for ending in (_DATA, _REPORT):
            model = model.replace(f"model{ending}", escape(stem + ending, {'"': "&quot;"}))
        return {"": model} | ({_DATA: data.read_bytes()} if data.exists() else {})


def _reactions(crn: ReactionNetwork) -> list[dict[str, Any]]:
    """What COPASI is told of them; it knows reactions by their names."""
    taken: set[str] = set()
    return [
        {
            "id": reaction.id,
            "name": free_id(printable(reaction.name) or reaction.id, taken),
            "rate_constant": reaction.rate_constant,
            "substrates": reaction.substrates,
            "products": reaction.products,
        }
        for reaction in crn.reactions
    ]


def _references(crn: ReactionNetwork) -> dict[str, str]:
    """COPASI's display names of what changes and of parameters."""
    found = {species.id: f"[{species.id}]" for species in crn.species}
    numbers = *crn.constant_names, *(o.id for o in crn.observables)
    return found | {name: f"Values[{name}]" for name in numbers}


def _start(reference: str) -> str:
    return f"{reference}_0" if reference.startswith("[") else f"{reference}.InitialValue"


def _varied(variation: Variation, reference: str) -> dict[str, Any]:
    """What the scan varies: where it is set, and where it is read."""
    return asdict(variation) | {"item": _start(reference), "place": reference}


def _fit(problem: Problem, reference: dict[str, str]) -> dict[str, Any]:
    """The data and what is fitted to them, by COPASI's names."""
    data = problem.data
    return {
        "columns": [
            *(_start(reference[name]) for name in problem.crn.boundary),
            *(reference[name] for name in data.outputs),
        ],
        "rows": np.hstack([data.boundary, data.measured]).tolist(),
        "parameters": [
            {"name": f.id, "lower": f.lower, "upper": f.upper, "start": f.value}
            for f in problem.fitted
        ],
    }
