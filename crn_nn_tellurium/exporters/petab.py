"""A PEtab training problem (.yaml), version 1 or 2, for pyPESTO, AMICI, COPASI, PEtab.jl, others.

Each data row is a condition, each output an observable, each weight and bias a parameter;
measurements are of the steady state (time ``inf``). The noise is 1, so that the objective is half
the sum of squares, up to a constant. Source: Schmiester et al., PLoS Comput. Biol. 17 (2021)
e1008646, doi 10.1371/journal.pcbi.1008646.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from crn_nn_tellurium.basics import free_id
from crn_nn_tellurium.errors import FileFormatError
from crn_nn_tellurium.exporters import sbml
from crn_nn_tellurium.exporters.tasks import Training, started_above
from crn_nn_tellurium.exporters.writing import Source

Rows = list[list[Any]]  # a table, its heading first
_MISSING = frozenset({"na", "nan", "null", "none"})
_VERSION_1 = """\
format_version: 1
parameter_file: {parameters}
problems:
  - sbml_files: [{model}]
    condition_files: [{conditions}]
    measurement_files: [{measurements}]
    observable_files: [{observables}]
"""
_VERSION_2 = """\
format_version: 2.0.0
parameter_files: [{parameters}]
model_files:
  {name}:
    location: {model}
    language: sbml
condition_files: [{conditions}]
experiment_files: [{experiments}]
measurement_files: [{measurements}]
observable_files: [{observables}]
"""


def write(source: Source, options: Training) -> dict[str, str]:
    """Version 1: ``NAME.yaml``, the model ``NAME.model.xml``, and tables beside it."""
    problem = _Problem(source, options)
    tables: dict[str, Rows] = {
        "conditions": [
            ["conditionId", *problem.crn.boundary],
            *([name, *row] for name, row in problem.conditions.items()),
        ],
        "measurements": [
            "observableId simulationConditionId measurement time".split(),
            *([o, name, value, "inf"] for name, o, value in problem.measurements),
        ],
        "observables": [
            "observableId observableFormula noiseFormula".split(),
            *([o, output, 1] for output, o in problem.observables.items()),
        ],
        "parameters": [
            "parameterId parameterScale lowerBound upperBound nominalValue estimate".split(),
            *([f.id, "lin", f.lower, f.upper, f.value, 1] for f in problem.fitted),
        ],
    }
    return problem.files(tables, _VERSION_1)


def write_v2(source: Source, options: Training) -> dict[str, str]:
    """Version 2, with a table of experiments too."""
    problem = _Problem(source, options)
    boundary, rows = problem.crn.boundary, problem.conditions.items()
    experiment = {name: free_id(f"experiment_{name}", problem.taken) for name in problem.conditions}
    tables: dict[str, Rows] = {
        "conditions": [
            "conditionId targetId targetValue".split(),
            *([name, *cell] for name, row in rows for cell in zip(boundary, row, strict=True)),
        ],
        "experiments": [
            "experimentId time conditionId".split(),
            # without boundary species there is nothing that a condition could set
            *([e, 0, name if boundary else ""] for name, e in experiment.items()),
        ],
        "measurements": [
            "observableId experimentId time measurement".split(),
            *([o, experiment[name], "inf", value] for name, o, value in problem.measurements),
        ],
        "observables": [
            "observableId observableFormula noiseFormula noiseDistribution".split(),
            *([o, output, 1, "normal"] for output, o in problem.observables.items()),
        ],
        "parameters": [
            "parameterId lowerBound upperBound nominalValue estimate".split(),
            *([f.id, f.lower, f.upper, f.value, "true"] for f in problem.fitted),
        ],
    }
    return problem.files(tables, _VERSION_2)


class _Problem:
    """What both versions say: conditions by data row, observables by output, measurements, ids."""

    def __init__(self, source: Source, options: Training) -> None:
        for name in source.crn.identifiers:
            if name.lower() in _MISSING:
                raise FileFormatError(
                    f"readers of PEtab's tables take the name {name!r} for a missing value;"
                    " rename it"
                )
        problem = options.problem(source)
        data = problem.data
        self.source = source
        self.fitted = problem.fitted
        self.origin = data.origin
        # one model for all rows, so its start values have to be good for all of them
        self.crn = started_above(problem.crn, boundary=data.boundary)
        self.taken = {*self.crn.identifiers, self.crn.name}
        self.conditions = {
            free_id(f"row_{i}", self.taken): row for i, row in enumerate(data.boundary.tolist())
        }
        self.observables = {output: free_id(f"obs_{output}", self.taken) for output in data.outputs}
        self.measurements = [
            (name, observable, value)
            for name, row in zip(self.conditions, data.measured.tolist(), strict=True)
            for observable, value in zip(self.observables.values(), row, strict=True)
        ]

    def files(self, tables: dict[str, Rows], yaml: str) -> dict[str, str]:
        """The problem's own file, the model, the tables, floats to their last digit."""
        stem = self.source.stem
        names = {part: f"{stem}.{part}.tsv" for part in tables} | {"model": f"{stem}.model.xml"}
        # names of files and models may be anything, so they are quoted for YAML
        quoted = {part: json.dumps(name, ensure_ascii=False) for part, name in names.items()}
        lines = [
            *self.source.statements,
            f"Training problem: {len(self.conditions)} rows; {self.origin}.",
            "Noise 1: least squares.",
        ]
        comment = "".join(f"# {line}\n" for line in lines)
        files = {"": comment + yaml.format(name=json.dumps(self.crn.name), **quoted)}
        files[".model.xml"] = sbml.document_text(replace(self.source, model=self.crn, x=None))
        for part, rows in tables.items():
            files[f".{part}.tsv"] = "".join("\t".join(map(str, row)) + "\n" for row in rows)
        return files
