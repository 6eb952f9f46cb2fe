"""Every format at a finite time, on networks of anybody's with every kind of reaction, by a reader
that is not ours: the second table of docs/exports.md.

A steady state can be right where rates are not; on the way there every rate shows.
`PYTHONPATH=tests python tests/exporters/test_finite_times.py` writes the table.
"""

from __future__ import annotations

import importlib.util
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from support import finite_times
from support.exports import NEURAL, run_reader
from support.finite_times import FOURTH, KINDS, TIME

import crn_nn_tellurium as cn
from crn_nn_tellurium.exporters.exporting import FORMATS

DOCS = Path(__file__).parents[2] / "docs" / "exports.md"
MOLECULES = 20_000
"""Of a concentration of 1, for KaSim: 4 runs have an error of the mean of sqrt(c / 80000)."""


@dataclass(frozen=True)
class Reading:
    """A format, who integrates it, and how near the right values that reader comes, relatively.

    Tolerances are the readers' own: 1e-8 where they take relative tolerances of 1e-9 or less.
    """

    format: str
    reader: str
    needs: str
    tolerance: float = 1e-8
    options: dict[str, object] = field(default_factory=dict)
    high_options: dict[str, object] = field(default_factory=dict)  # instead, for four and more
    high_orders: bool = True  # whether the format holds reactions of four molecules
    slow: bool = False

    @property
    def id(self) -> str:
        return f"{self.format} by {self.reader}"


READINGS = (
    Reading("sbml", "roadrunner", "roadrunner", high_orders=False),
    Reading("sbml-l3v1", "roadrunner", "roadrunner", high_orders=False),
    Reading("sbml-l2v4", "roadrunner", "roadrunner", high_orders=False),
    Reading("sbml", "copasi_course", "basico", high_orders=False, slow=True),
    Reading(
        "sbml",
        "gillespy2",
        "gillespy2",
        options={"plain_laws": True},
        high_orders=False,
        slow=True,
    ),
    Reading(
        "sbml-l2v4",
        "bioscrape",
        "bioscrape",
        1e-6,  # its integrator has settings of its own
        {"plain_laws": True},
        high_orders=False,
    ),
    Reading("antimony", "antimony", "antimony", high_orders=False),
    Reading("copasi", "copasi_course", "basico", high_orders=False),
    # CVODE at 1e-9, as the archive says, adds up a few of these
    Reading(
        "omex",
        "sedml_course",
        "tellurium",
        1e-7,
        {"t_end": TIME, "n_steps": 10},
        high_orders=False,
        slow=True,
    ),
    Reading("petab", "petab", "petab", high_orders=False, slow=True),
    Reading("bngl", "bionetgen", "bionetgen", options={"t_end": TIME}),
    Reading("pysb", "pysb", "pysb", slow=True),
    Reading("biocrnpyler", "biocrnpyler", "biocrnpyler"),
    Reading("crn", "crnsimulator", "crnsimulator"),
    Reading("catalyst", "catalyst", "scipy"),
    Reading("visual-dsd", "visual_dsd", "scipy"),
    Reading("latex", "latex", "scipy", options={"digits": 17}),
    Reading("csv", "tables", "scipy"),
    Reading("graphml", "graphml", "networkx"),
    # five errors of the mean of small concentrations, 0.25 of 4000 molecules times four runs
    Reading(
        "kappa",
        "kasim_ends",
        "kappy",
        0.08,
        {"molecules": MOLECULES},
        {"molecules": 4_000},
        slow=True,
    ),
)
WITHOUT = ("petab-v2", "graphviz", "pil", "nupack", "parts", *NEURAL)
"""Formats without rates, or of strands alone; and PEtab 2, whose model is that of PEtab 1."""


def network(kinds=KINDS, more=""):
    return cn.import_antimony(finite_times.antimony(kinds, more))


def exported(reading, kinds, folder):
    """The file, with what its format cannot do without."""
    crn, options = network(kinds), dict(reading.options)
    if kinds is FOURTH:
        options |= reading.high_options
    if reading.format == "petab":
        seen = next(iter(crn.floating))
        crn = network(kinds, f"seen := {seen};")
        options |= {"X": np.ones((1, len(crn.boundary))), "Y": [[1.0]]}
    ending = next(iter(FORMATS[reading.format].endings), None)
    other = "py" if reading.format == "biocrnpyler" else "xml"
    return cn.export(crn, folder / f"net.{ending or other}", reading.format, **options)


def test_more_places_than_kasim_counts_are_refused(tmp_path):
    """3 A + 2 B at 20,000 molecules: 30000^3 10000^2, beyond 2^62, where KaSim dies."""
    crn = network(FOURTH)
    with pytest.raises(cn.FileFormatError, match=r"'J_five' .* 3e\+21 places, .* molecules="):
        cn.export(crn, tmp_path / "net.ka", molecules=20_000)
    assert cn.export(crn, tmp_path / "net.ka", molecules=2_000).exists()


def difference(reading, folder, kinds=KINDS):
    """The largest relative difference from the right values, over species."""
    path = exported(reading, kinds, folder)
    (found,) = run_reader(reading.reader, [path], TIME)
    right = finite_times.right_values(kinds)
    # some report what changes alone
    assert set(network(kinds).floating) <= set(found)
    off = {name: abs(found[name] / right[name] - 1) for name in set(right) & set(found)}
    return max(off.values()), max(off, key=off.get)


def skip_unless_there(reading):
    if importlib.util.find_spec(reading.needs) is None:
        pytest.skip(f"{reading.needs} is not installed")


CASES = [
    pytest.param(reading, id=reading.id, marks=[pytest.mark.slow] if reading.slow else [])
    for reading in READINGS
]


@pytest.mark.parametrize("reading", CASES)
def test_a_reader_is_right_at_a_finite_time(reading, tmp_path):
    skip_unless_there(reading)
    off, worst = difference(reading, tmp_path)
    assert off <= reading.tolerance, (worst, off)


def test_every_format_with_rates_has_a_reader():
    assert {r.format for r in READINGS} | set(WITHOUT) == set(FORMATS)


def test_the_right_values_are_the_closed_forms():
    """Of those that have one: y' = -2 k y^2, y' = -3 k y^3, y' = k y, and their like."""
    right = finite_times.right_values()
    k = {name: 0.05 + 0.003 * n for n, name in enumerate(KINDS)}
    expected = {
        "A_pair": 1.5 / (1 + 3 * k["pair"]),
        "A_halve": 1.5 / (1 + 1.5 * k["halve"]),
        "A_pair_grows": 1.5 / (1 - 1.5 * k["pair_grows"]),
        "A_three": 1.5 / np.sqrt(1 + 13.5 * k["three"]),
        "A_grows": 1.5 * np.exp(k["grows"]),
        "A_feed_two": 1.5 + 2 * k["feed_two"],
        "A_held": 1.5 * np.exp(-0.75 * k["held"]),
        "A_in_volume": 1.5 / (1 + 3 * k["in_volume"]),
    }
    # DOP853 at 1e-12
    assert {name: right[name] for name in expected} == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("reading", [r for r in READINGS if r.high_orders], ids=lambda r: r.id)
@pytest.mark.slow
def test_four_molecules_and_more(reading, tmp_path):
    skip_unless_there(reading)
    off, worst = difference(reading, tmp_path, FOURTH)
    assert off <= reading.tolerance, (worst, off)


@pytest.mark.parametrize("reading", [r for r in READINGS if not r.high_orders], ids=lambda r: r.id)
def test_four_molecules_are_refused_where_there_is_no_unit_for_them(reading, tmp_path):
    skip_unless_there(reading)
    with pytest.raises(cn.ReactionError, match=r"'J_two_and_two': 4 molecules meet .* at most 3"):
        exported(reading, FOURTH, tmp_path)


PUBLIC = {
    "pair": ("2 A -> B; k*A^2; A=1.5; B=0.5; k=0.7", 1.0, {"A": 0.4838710, "B": 1.0080645}, 1e-7),
    "taking": (
        "2 A + B -> 3 A; k*A^2*B; A=1.5; B=0.5; k=0.7",
        1.0,
        {"A": 1.9464319, "B": 0.0535681},
        1e-6,
    ),
    "brusselator": (
        "A => A + X; A; B + X => B + Y; B*X; 2 X + Y => 3 X; X^2*Y; X => ; X;"
        "const species A, B; A = 1; B = 1.5; X = 1; Y = 1",
        3.0,
        {"X": 0.861, "Y": 1.760},
        1e-3,
    ),
    "lost": ("A -> ; k*A; A=1; k=.7", 1.0, {"A": 0.4965853}, 1e-7),
}
"""Texts, a time, and right values, to as many digits as are given."""


@pytest.mark.parametrize(
    ("format", "reader", "ending"),
    [
        ("bngl", "bionetgen", "bngl"),
        pytest.param("pysb", "pysb", "py", marks=pytest.mark.slow),  # it asks BNG2.pl as well
        ("biocrnpyler", "biocrnpyler", "py"),
    ],
)
def test_networks_of_others_by_readers_with_rules_of_their_own(format, reader, ending, tmp_path):
    pytest.importorskip(reader)
    for time in sorted({time for _, time, _, _ in PUBLIC.values()}):
        cases = {name: case for name, case in PUBLIC.items() if case[1] == time}
        options = {"t_end": time} if format == "bngl" else {}
        paths = [
            cn.export(cn.import_antimony(text), tmp_path / f"{name}.{ending}", format, **options)
            for name, (text, *_) in cases.items()
        ]
        found = run_reader(reader, paths, time)
        for values, (name, (_, _, right, digits)) in zip(found, cases.items(), strict=True):
            assert {s: values[s] for s in right} == pytest.approx(right, rel=digits), name


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_docs_show_every_reading_at_finite_times():
    """The numbers are those of a run of `table`; here they are held to the tests' tolerances."""
    text = DOCS.read_text(encoding="utf-8").partition("## At finite times")[2].partition("\n## ")[0]
    rows = {tuple(cells(line)[:2]): cells(line)[2:] for line in text.splitlines() if "|" in line}
    for reading in READINGS:
        third, fourth = rows[reading.format, reading.reader]
        assert float(third) <= reading.tolerance, reading.id
        if reading.high_orders:
            assert float(fourth) <= reading.tolerance, reading.id
        else:
            assert fourth == "refused", reading.id


def table() -> str:
    """The table as Markdown."""
    lines = ["| format | reader | up to three molecules | four and five |", "|---|---|---|---|"]
    for reading in READINGS:
        found = []
        for kinds in (KINDS, FOURTH):
            if kinds is FOURTH and not reading.high_orders:
                found.append("refused")
            elif importlib.util.find_spec(reading.needs) is None:
                found.append(f"{reading.needs} is not installed")
            else:
                with tempfile.TemporaryDirectory() as folder:
                    found.append(f"{difference(reading, Path(folder), kinds)[0]:.0e}")
        lines.append(f"| {reading.format} | {reading.reader} | {' | '.join(found)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
