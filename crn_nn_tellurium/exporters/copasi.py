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
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np

from crn_nn_tellurium.basics import require
from crn_nn_tellurium.chemistry import ReactionNetwork
from crn_nn_tellurium.errors import FileFormatError
from crn_nn_tellurium.exporters import sbml
from crn_nn_tellurium.exporters.source import Experiments, Fitted, Source, with_both_signs
from crn_nn_tellurium.networks import Network

_PROCESS = Path(__file__).with_name("copasi_process")
_DATA = ".experiments.txt"
_DATE = re.compile(
    r"<!-- generated with COPASI.*?-->\n?|<dcterms:created>.*?</dcterms:created>\s*", re.DOTALL
)
"""Equal models are equal files, whenever they are written."""


def write(
    source: Source,
    *,
    X: Any = None,
    Y: Any = None,
    bound: float = 10.0,
    free_signs: bool = False,
    t_end: float | None = None,
    n_steps: int = 200,
    vary: str | None = None,
    low: Any = None,
    high: Any = None,
    n_points: int = 20,
) -> dict[str, str | bytes]:
    """``NAME.cps`` and, for the parameter estimation, ``NAME.experiments.txt``.

    The estimation fits weights and biases (or all rate constants of other reactions) between 0 and
    `bound`, times their value where that is larger than 1, to the steady states of `X` and `Y`;
    without data, to the network's own outputs at a grid of inputs. A weight's sign is in its
    reaction and stays, but with `free_signs`, which gives each weight two reactions. The time
    course goes to `t_end`, in s; the scan takes `vary` from `low` to `high`.
    """
    if importlib.util.find_spec("basico") is None:
        require("basico", "export")
    crn = source.crn
    data = (
        source.experiments(X, Y)
        if isinstance(source.model, Network) or X is not None or Y is not None
        else None
    )
    fitted = {f.id: f for f in source.fitted(crn, bound)}
    variation = source.variation(vary, low, high)
    started = source.started_above(None if data is None else data.boundary, variation)
    if free_signs:
        started = with_both_signs(started, fitted)
        fitted |= {f.id: f for f in source.fitted(started, bound)}
    reference = _references(started)
    outputs = data.outputs if data else [o.id for o in crn.observables] or list(crn.floating)
    task = {
        "sbml": sbml.document_text(replace(source, model=started, x=None)),
        "t_end": source.until(t_end),
        "n_steps": n_steps,
        "n_points": n_points,
        "outputs": {name: reference[name] for name in outputs},
        "variation": (
            variation and {**asdict(variation), "reference": _start(reference[variation.id])}
        ),
        "fit": data and _fit(started, data, reference, fitted.values()),
    }
    return _run(task, source.stem)


def _run(task: dict[str, Any], stem: str) -> dict[str, str | bytes]:
    """What COPASI makes of a task, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.cps")  # COPASI reads no file with a name outside ASCII
        data = Path(folder, f"model{_DATA}")
        text = json.dumps({**task, "path": str(path), "data": str(data)})
        done = subprocess.run(
            [sys.executable, str(_PROCESS)], input=text, capture_output=True, text=True, check=False
        )
        if done.returncode or not path.exists():
            raise FileFormatError(
                f"COPASI did not write the file: {(done.stderr or done.stdout).strip()[-500:]}"
            )
        model = _DATE.sub("", path.read_text(encoding="utf-8")).replace(
            data.name, escape(stem + _DATA)
        )
        return {"": model} | ({_DATA: data.read_bytes()} if data.exists() else {})


def _references(crn: ReactionNetwork) -> dict[str, str]:
    """COPASI's display names of what changes and of parameters."""
    found = {species.id: f"[{species.id}]" for species in crn.species}
    return found | {
        name: f"Values[{name}]" for name in (*crn.rate_constants, *(o.id for o in crn.observables))
    }


def _start(reference: str) -> str:
    return f"{reference}_0" if reference.startswith("[") else f"{reference}.InitialValue"


def _fit(
    crn: ReactionNetwork, data: Experiments, reference: dict[str, str], fitted: Iterable[Fitted]
) -> dict[str, Any]:
    """The data and what is fitted to them, by COPASI's names."""
    columns = [_start(reference[name]) for name in crn.boundary] + [
        reference[name] for name in data.outputs
    ]
    parameters = [
        {"name": reference[f.id], "lower": f.lower, "upper": f.upper, "start": f.value}
        for f in fitted
    ]
    return {
        "columns": columns,
        "rows": np.hstack([data.boundary, data.measured]).tolist(),
        "parameters": parameters,
    }
