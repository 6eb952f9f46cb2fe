"""What one run of `crn-nn bench` measured: as a file that others can read, and as tables."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from crn_nn_tellurium.commands import benchmarks
from crn_nn_tellurium.commands.benchmarks import CertificateCost, Cost, GradientCost, Row

_PACKAGES = ("crn_nn_tellurium", "libroadrunner", "tellurium", "numpy", "scipy", "numba")


@dataclass(frozen=True)
class Measurements:
    """What one run measured, in seconds, and the machine that it ran on."""

    date: str
    machine: dict[str, str]
    usual_script: Sequence[Row]
    layers: Sequence[Cost]
    gradients: Sequence[GradientCost]
    certificates: Sequence[CertificateCost]

    def to_json(self) -> str:
        """A document that any language reads; what was not run is null."""
        return json.dumps(_without_nan(asdict(self)), indent=1) + "\n"

    @staticmethod
    def from_json(text: str) -> Measurements:
        """What `to_json` wrote."""
        document = json.loads(text)
        kinds = {
            "usual_script": Row,
            "layers": Cost,
            "gradients": GradientCost,
            "certificates": CertificateCost,
        }
        for name, kind in kinds.items():
            document[name] = tuple(kind(**_with_nan(row)) for row in document[name])
        return Measurements(**document)


def _without_nan(value: Any) -> Any:
    """JSON has no NaN."""
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _with_nan(row: dict[str, Any]) -> dict[str, Any]:
    given: dict[str, Any] = {n: math.nan if v is None else v for n, v in row.items()}
    return given | ({"sizes": tuple(given["sizes"])} if "sizes" in given else {})


def measure(full: bool, show: Callable[[int, str], None]) -> Measurements:
    """All that `crn-nn bench` measures; `show` is told how much has been."""
    works: dict[str, Iterable[Any]] = {
        "usual_script": benchmarks.run_benchmarks(full),
        "layers": benchmarks.cost_against_size(),
        "gradients": benchmarks.gradient_costs(),
        "certificates": benchmarks.certificate_costs(),
    }
    machine, number = _machine(), 0
    measured: dict[str, list[Any]] = {name: [] for name in works}
    for name, work in works.items():
        for row in work:
            measured[name].append(row)
            number += 1
            show(number, f"({number} measured, the last of {name.replace('_', ' ')})")
    return Measurements(date=date.today().isoformat(), machine=machine, **measured)


def _machine() -> dict[str, str]:
    """What it is that is to run the benchmarks, and how busy others keep it."""
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "load": f"{os.getloadavg()[0]:.1f}",
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: version(name) for name in _PACKAGES},
    }


def _processor() -> str:
    """The processor's name, which Python itself does not know on Linux."""
    described = Path("/proc/cpuinfo")
    if described.exists():
        for line in described.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


@dataclass(frozen=True)
class Table:
    """Measurements as words: columns of text on the left, of numbers on the right."""

    title: str
    left: Sequence[str]
    right: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        """The table for README and the pages of docs."""
        heading = "| " + " | ".join((*self.left, *self.right)) + " |"
        rule = "|" + "---|" * len(self.left) + "---:|" * len(self.right)
        rows = ["| " + " | ".join(row) + " |" for row in self.rows]
        return "\n".join([heading, rule, *rows])


def tables(measured: Measurements) -> dict[str, Table]:
    """What was measured, by what it is about, in the order in which it is printed."""
    return {
        "usual-script": _usual_script(measured.usual_script),
        "layers": _layers(measured.layers),
        "gradients": _gradients(measured.gradients),
        "certificates": _certificates(measured.certificates),
    }


def _usual_script(rows: Sequence[Row]) -> Table:
    cells = []
    for row in rows:
        ratio = "" if math.isnan(row.usual) else f"{row.ratio:,.{0 if row.ratio >= 10 else 1}f}"
        what = f"{row.what} ({row.remark})" if row.remark else row.what
        cells.append((what, seconds(row.usual, "not run"), seconds(row.ours), ratio))
    columns = ["usual script", "this package", "times faster"]
    return Table("The usual script and this package", ["what"], columns, cells)


def _layers(costs: Sequence[Cost]) -> Table:
    cells = []
    for cost in costs:
        times = cost.compile_seconds, cost.sample_seconds, cost.sample_seconds / cost.weights
        counts = f"{cost.n_in:,}", f"{cost.n_out:,}", f"{cost.weights:,}"
        cells.append((*counts, *map(seconds, times)))
    columns = ["inputs", "units", "weights", "compile", "per sample", "per weight"]
    return Table("Cost of one layer against its size", [], columns, cells)


def _gradients(costs: Sequence[GradientCost]) -> Table:
    cells = []
    for cost in costs:
        ours = cost.steady_seconds, cost.gradient_seconds, cost.closed_form_seconds
        theirs = (seconds(time, "not installed") for time in (cost.torch_single, cost.torch_double))
        cells.append((_shape(cost.sizes), *map(seconds, ours), *theirs))
    title = (
        "Gradient of all parameters, CPU time on one thread: a batch of 32 by the engine, 256 by"
        " closed form and PyTorch"
    )
    columns = ["steady states", "gradient", "closed form", "PyTorch, single", "PyTorch, double"]
    return Table(title, ["layers"], columns, cells)


def _certificates(costs: Sequence[CertificateCost]) -> Table:
    cells = []
    for cost in costs:
        times = cost.closed_form, cost.compile_seconds, cost.envelope, cost.trajectory
        cells.append((_shape(cost.sizes), *(seconds(time, "too large") for time in times)))
    title = (
        "Settling-time bound of one sample: closed form (of 1,000), envelope, beside one trajectory"
    )
    return Table(title, ["layers"], ["closed form", "compile", "envelope", "trajectory"], cells)


def _shape(sizes: Sequence[int]) -> str:
    return "-".join(map(str, sizes))


def seconds(value: float, missing: str = "") -> str:
    """A time in words, to three digits."""
    if math.isnan(value):
        return missing
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"
