"""Every format, opened by a reader that is not ours, gives the network's outputs: the table of
docs/exports.md.

Each reader runs in a process of its own (tests/support/readers.py) and settles the chemistry by its
own means; the outputs are compared with the closed form. Readers that are not installed, and
networks too large for a reader, are skipped with the reason. `python
tests/exporters/test_readers.py` writes the table.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from support.exports import run_reader

import crn_nn_tellurium as cn
from crn_nn_tellurium.exporters.exporting import FORMATS

MODELS = ("xor", "moons", "iris", "digits")
T_END = 5000.0
"""Until when integrators run: the slowest shipped network settles at rates above 0.01 (see
docs/certificates.md).
"""


@dataclass(frozen=True)
class Reading:
    """A format, who reads it, and how near the closed form that reader comes.

    The tolerances are the readers' own: 1e-8 for integrators with relative tolerances of 1e-9 or
    less and for Newton's method, more where a reader has its own, coarser settings, or counts
    molecules.
    """

    format: str
    reader: str
    needs: str
    tolerance: float = 1e-8
    ending: str = "xml"
    options: dict[str, object] = field(default_factory=dict)
    read_outs: bool = True
    too_large: str = ""
    large: tuple[str, ...] = ("digits",)
    slow: tuple[str, ...] = ("moons", "digits")
    t_end: float = T_END

    @property
    def id(self) -> str:
        return f"{self.format} by {self.reader}"


READINGS = (
    Reading("sbml", "roadrunner", "roadrunner"),
    Reading(
        "sbml-l3v1", "roadrunner", "roadrunner", slow=MODELS[1:], too_large="as Level 3 Version 2"
    ),
    Reading(
        "sbml-l2v4", "roadrunner", "roadrunner", slow=MODELS[1:], too_large="as Level 3 Version 2"
    ),
    Reading("sbml", "copasi", "basico", slow=MODELS[1:]),
    Reading("sbml", "gillespy2", "gillespy2", read_outs=False, slow=MODELS[1:]),
    # what is wholly slow is read at finite times
    Reading("sbml-l2v4", "bioscrape", "bioscrape", options={"plain_laws": True}, slow=MODELS),
    Reading(
        "omex",
        "sedml",
        "tellurium",
        ending="omex",
        slow=("moons", "iris", "digits"),  # xor shows the archive, sbml by roadrunner the model
        too_large="the executor takes over five minutes",
    ),
    Reading("copasi", "copasi", "basico", ending="cps", slow=MODELS),
    Reading("bngl", "bionetgen", "bionetgen", ending="bngl", options={"t_end": T_END}),
    Reading("pysb", "pysb", "pysb", ending="py", slow=MODELS[1:]),
    Reading("crn", "crnsimulator", "crnsimulator", ending="crn", slow=MODELS[1:]),
    Reading("biocrnpyler", "biocrnpyler", "biocrnpyler", ending="py", slow=MODELS[1:]),
    Reading("csv", "tables", "scipy", ending="csv"),
    Reading("graphml", "graphml", "networkx", ending="graphml"),
    # 300 molecules of 1, and a mean over half of 40 units of time: some 5 % of noise
    Reading(
        "kappa",
        "kasim",
        "kappy",
        0.15,
        "ka",
        {"molecules": 300},
        slow=MODELS,
        t_end=40.0,
        too_large="stochastic, too many events",
        large=("moons", "iris", "digits"),
    ),
)
CASES = [
    pytest.param(
        reading,
        model,
        id=f"{reading.id}: {model}",
        marks=[pytest.mark.slow] if model in reading.slow else [],
    )
    for reading in READINGS
    for model in MODELS
]


@dataclass(frozen=True)
class Read:
    """What came of it."""

    difference: float
    seconds: float
    bytes: int


def skip_reason(reading: Reading, model: str) -> str:
    """Why a reader does not get a model; "" where it does."""
    if importlib.util.find_spec(reading.needs) is None:
        return f"{reading.needs} is not installed"
    return reading.too_large if model in reading.large else ""


def read_back(reading: Reading, model: str, folder: Path, n_samples: int = 2) -> Read:
    """The largest difference of a reader's outputs from the closed form, over some held-out
    samples.
    """
    net = cn.load_model(model)
    samples = cn.model_data(model)[1][:n_samples]
    paths = []
    for i, x in enumerate(samples):
        source = net
        if not reading.read_outs:  # a reader of reactions alone
            source = dataclasses.replace(cn.to_reactions(net, x), observables=())
        options = reading.options if source is not net else {**reading.options, "x": x}
        paths.append(
            cn.export(source, folder / f"{model}_{i}.{reading.ending}", reading.format, **options)
        )
    start = time.perf_counter()
    values = run_reader(reading.reader, paths, reading.t_end)
    seconds = time.perf_counter() - start
    differences = []
    for x, found in zip(samples, values, strict=True):
        if all(name in found for name in net.output_names):
            outputs = np.array([found[name] for name in net.output_names])
        else:
            crn = cn.to_reactions(net, x)
            outputs = crn.observe([found[name] for name in crn.floating])[-net.n_out :]
        differences.append(np.abs(outputs - net(x)).max())
    return Read(max(differences), seconds / n_samples, paths[0].stat().st_size)


@pytest.mark.parametrize(("reading", "model"), CASES)
def test_a_reader_gives_the_closed_form(reading, model, tmp_path):
    if reason := skip_reason(reading, model):
        pytest.skip(reason)
    assert read_back(reading, model, tmp_path).difference <= reading.tolerance


@pytest.mark.slow
def test_digits_are_exported_in_seconds_and_loaded_by_copasi(tmp_path):
    """Under 10 s, where Antimony's parser takes minutes: a time, since that is the issue."""
    start = time.perf_counter()
    cn.export(cn.load_model("digits"), tmp_path / "digits.xml")
    assert time.perf_counter() - start < 10


DOCS = Path(__file__).parents[2] / "docs" / "exports.md"


def test_docs_list_every_format_with_its_options():
    lines = DOCS.read_text(encoding="utf-8").splitlines()
    for format in FORMATS.values():
        line = next(line for line in lines if line.startswith("|") and f"`{format.name}`" in line)
        assert all(f".{ending}" in line for ending in format.endings), format.name
        if "as above" not in line and "those, and" not in line:
            assert all(f"`{option}`" in line for option in format.options), format.name


def test_docs_show_every_reading_within_its_tolerance():
    """The numbers of the table are those of a run of `table`; here they are held to the tolerances
    of the tests.
    """
    lines = DOCS.read_text(encoding="utf-8").splitlines()
    for reading in READINGS:
        line = next(
            line for line in lines if line.startswith(f"| {reading.format} | {reading.reader} |")
        )
        cells = [cell.strip() for cell in line.strip("|").split("|")][2:]
        for model, cell in zip(MODELS, cells, strict=True):
            if reading.too_large and model in reading.large:
                assert cell == reading.too_large
            else:
                assert float(cell.split()[0]) <= reading.tolerance


def table() -> str:
    """The table as Markdown: largest difference, seconds per file, file size."""
    lines = ["| format | reader | " + " | ".join(MODELS) + " |", "|---|---|" + "---|" * len(MODELS)]
    for reading in READINGS:
        cells = []
        for model in MODELS:
            if reason := skip_reason(reading, model):
                cells.append(reason)
                continue
            try:
                with tempfile.TemporaryDirectory() as folder:
                    read = read_back(reading, model, Path(folder))
                cells.append(
                    f"{read.difference:.0e} ({read.seconds:.2g} s, {read.bytes / 1000:,.0f} kB)"
                )
            except (AssertionError, subprocess.TimeoutExpired) as error:
                cells.append(f"FAILED: {str(error)[-200:]!r}")
            print(reading.id, model, cells[-1], file=sys.stderr, flush=True)
        lines.append(f"| {reading.format} | {reading.reader} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
