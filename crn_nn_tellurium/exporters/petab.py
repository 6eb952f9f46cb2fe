"""A PEtab training problem (.yaml), version 1 or 2: what pyPESTO, AMICI, COPASI, PEtab.jl and
others fit.

Each data row is a condition, each output an observable, each weight and bias a parameter;
measurements are of the steady state (time ``inf``). The noise is 1, so that the objective is half
the sum of squares, up to a constant. Source: Schmiester et al., PLoS Comput. Biol. 17 (2021)
e1008646, doi 10.1371/journal.pcbi.1008646.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from crn_nn_tellurium.basics import free_id
from crn_nn_tellurium.chemistry import ReactionNetwork
from crn_nn_tellurium.errors import FileFormatError
from crn_nn_tellurium.exporters import sbml
from crn_nn_tellurium.exporters.source import Experiments, Fitted, Source, with_both_signs

Rows = list[Sequence[object]]


def write(
    source: Source, *, X: Any = None, Y: Any = None, bound: float = 10.0, free_signs: bool = False
) -> dict[str, str]:
    """Version 1: ``NAME.yaml``, the model and its tables beside it, ``NAME.model.xml``,
    ``NAME.conditions.tsv`` ...

    Weights and biases (or all rate constants of other reactions) are fitted between 0 and `bound`,
    times their value where that is larger than 1, to `X` and `Y`; without data, to the network's
    own outputs at a grid of inputs. A weight's sign is in its reaction and stays, but with
    `free_signs`, which gives each weight two reactions.
    """
    problem = _problem(source, X, Y, bound, free_signs)
    crn, data = problem.crn, problem.data
    ids = problem.ids
    conditions: Rows = [["conditionId", *crn.boundary]]
    conditions += [[name, *row] for name, row in zip(ids, data.boundary.tolist(), strict=True)]
    measurements: Rows = [["observableId", "simulationConditionId", "measurement", "time"]]
    measurements += [
        [problem.observables[o], name, value, "inf"] for name, o, value in problem.measurements
    ]
    observables: Rows = [["observableId", "observableFormula", "noiseFormula"]]
    observables += [[problem.observables[o], o, 1] for o in data.outputs]
    parameters: Rows = [
        ["parameterId", "parameterScale", "lowerBound", "upperBound", "nominalValue", "estimate"]
    ]
    parameters += [[p.id, "lin", p.lower, p.upper, p.value, 1] for p in problem.parameters]
    file = _files(source)
    yaml = f"""{problem.comment}format_version: 1
parameter_file: {file["parameters"]}
problems:
  - sbml_files: [{file["model"]}]
    condition_files: [{file["conditions"]}]
    measurement_files: [{file["measurements"]}]
    observable_files: [{file["observables"]}]
"""
    tables = {
        "conditions": conditions,
        "measurements": measurements,
        "observables": observables,
        "parameters": parameters,
    }
    return _package(problem, yaml, tables)


def write_v2(
    source: Source, *, X: Any = None, Y: Any = None, bound: float = 10.0, free_signs: bool = False
) -> dict[str, str]:
    """Version 2, with a table of experiments too; options as above."""
    problem = _problem(source, X, Y, bound, free_signs)
    crn, data = problem.crn, problem.data
    conditions: Rows = [["conditionId", "targetId", "targetValue"]]
    for name, row in zip(problem.ids, data.boundary.tolist(), strict=True):
        conditions += [
            [name, species, value] for species, value in zip(crn.boundary, row, strict=True)
        ]
    experiments: Rows = [["experimentId", "time", "conditionId"]]
    experiments += [
        [problem.experiments[name], 0, name if crn.boundary else ""] for name in problem.ids
    ]
    measurements: Rows = [["observableId", "experimentId", "time", "measurement"]]
    measurements += [
        [problem.observables[o], problem.experiments[name], "inf", value]
        for name, o, value in problem.measurements
    ]
    observables: Rows = [["observableId", "observableFormula", "noiseFormula", "noiseDistribution"]]
    observables += [[problem.observables[o], o, 1, "normal"] for o in data.outputs]
    parameters: Rows = [["parameterId", "lowerBound", "upperBound", "nominalValue", "estimate"]]
    parameters += [[p.id, p.lower, p.upper, p.value, "true"] for p in problem.parameters]
    file = _files(source)
    yaml = f"""{problem.comment}format_version: 2.0.0
parameter_files: [{file["parameters"]}]
model_files:
  {json.dumps(crn.name)}:
    location: {file["model"]}
    language: sbml
condition_files: [{file["conditions"]}]
experiment_files: [{file["experiments"]}]
measurement_files: [{file["measurements"]}]
observable_files: [{file["observables"]}]
"""
    tables = {
        "conditions": conditions,
        "experiments": experiments,
        "measurements": measurements,
        "observables": observables,
        "parameters": parameters,
    }
    return _package(problem, yaml, tables)


@dataclass(frozen=True)
class _Problem:
    """What both versions say."""

    crn: ReactionNetwork
    data: Experiments
    parameters: list[Fitted]
    model: str
    comment: str

    @cached_property
    def _taken(self) -> set[str]:
        return {*self.crn.identifiers, self.crn.name}

    @cached_property
    def ids(self) -> list[str]:
        """Identifiers of the data rows."""
        return [free_id(f"row_{i}", self._taken) for i in range(len(self.data.boundary))]

    @cached_property
    def experiments(self) -> dict[str, str]:
        """Identifiers of version 2's experiments, by data row."""
        return {name: free_id(f"experiment_{name}", self._taken) for name in self.ids}

    @cached_property
    def observables(self) -> dict[str, str]:
        """Identifiers of the observables, by output."""
        return {output: free_id(f"obs_{output}", self._taken) for output in self.data.outputs}

    @property
    def measurements(self) -> list[tuple[str, str, float]]:
        """Data row, output, value."""
        rows = zip(self.ids, self.data.measured.tolist(), strict=True)
        return [
            (name, o, value)
            for name, row in rows
            for o, value in zip(self.data.outputs, row, strict=True)
        ]


_MISSING = frozenset({"na", "nan", "null", "none"})


def _problem(source: Source, X: Any, Y: Any, bound: float, free_signs: bool) -> _Problem:
    for name in source.crn.identifiers:
        if name.lower() in _MISSING:
            raise FileFormatError(
                f"readers of PEtab's tables take the name {name!r} for a missing value; rename it"
            )
    data = source.experiments(X, Y)
    crn = source.started_above(data.boundary)
    parameters = source.fitted(crn, bound)
    if free_signs:
        crn = with_both_signs(crn, [p.id for p in parameters])
        parameters = source.fitted(crn, bound)
    model = sbml.document_text(replace(source, model=crn, x=None))
    lines = [
        *source.statements,
        f"Training problem: {len(data.boundary)} rows; {data.origin}.",
        "Noise 1: least squares.",
    ]
    return _Problem(crn, data, parameters, model, "".join(f"# {line}\n" for line in lines))


def _files(source: Source) -> dict[str, str]:
    """Names of the parts, quoted for YAML."""
    endings = {"model": "model.xml"}
    for table in ("parameters", "conditions", "experiments", "measurements", "observables"):
        endings[table] = f"{table}.tsv"
    return {
        part: json.dumps(f"{source.stem}.{ending}", ensure_ascii=False)
        for part, ending in endings.items()
    }


def _package(problem: _Problem, yaml: str, tables: dict[str, Rows]) -> dict[str, str]:
    return {"": yaml, ".model.xml": problem.model} | {
        f".{name}.tsv": _tsv(rows) for name, rows in tables.items()
    }


def _tsv(rows: Rows) -> str:
    return "".join(
        "\t".join(repr(v) if isinstance(v, float) else str(v) for v in row) + "\n" for row in rows
    )
