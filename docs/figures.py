"""Writes the tables of README and of these pages from the files that hold their figures.

    crn-nn bench --full -o docs/figures --overwrite   # 25 minutes, on an idle machine
    python models/certify.py                          # models/certificates.json
    python docs/figures.py

A page says where a table goes by two comments, `<!-- figures: NAME -->` and `<!-- end -->`; a test
compares what is between them with what this script would write.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from crn_nn_tellurium import benchmarks
from crn_nn_tellurium.benchmarks import Results, Table

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "figures"
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
_PLACE = re.compile(r"(<!-- figures: (\S+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


@cache
def _results() -> Results:
    return benchmarks.read_figures(FOLDER)


def written() -> dict[str, str]:
    """Every table in Markdown, by name."""
    results = _results()
    subjects = {
        benchmark.subject: benchmarks.subject_table(results, benchmark).markdown()
        for benchmark in benchmarks.present(results)
    }
    return subjects | {
        "headlines": benchmarks.headline_table(results).markdown(),
        "growth": benchmarks.growth_table(results).markdown(),
        "lost": benchmarks.lost_text(results),
        "machine": benchmarks.machine_text(results),
        "machine-in-short": _machine_in_short(results),
        "models": _models().markdown(),
    }


def _machine_in_short(results: Results) -> str:
    """What README says of the run, which the report says whole."""
    machine = results.machine
    versions = ", ".join(f"{name} {machine.versions[name]}" for name in ("libroadrunner", "numpy"))
    return (
        f"One run of `{results.command}` on {results.started[:10]}: {machine.processor},"
        f" {machine.cores} cores (load {results.load_before:.1f}\nbefore it began),"
        f" Python {machine.python}, {versions}."
    )


def report() -> str:
    """The report of the run, as its figures and today's reasons make it."""
    return benchmarks.report(_results())


def filled(page: str, texts: dict[str, str]) -> str:
    """A page with its tables as they are to be."""
    return _PLACE.sub(lambda place: f"{place[1]}\n{texts[place[2]]}\n\n{place[4]}", page)


def _models() -> Table:
    """The shipped networks: how right they are, and what is certain about them."""
    results, certificates = _read("results"), _read("certificates")
    left = ["name", "layers"]
    right = [
        "h",
        "species",
        "reactions",
        "held out",
        "right: plain",
        "right: chemistry",
        "off by",
        "settled by",
        "hours",
        "margin",
    ]
    rows = [_model(name, results[name], certificates[name]) for name in results]
    return Table("Shipped networks", left, right, rows)


def _model(name: str, result: dict[str, Any], certificate: dict[str, Any]) -> tuple[str, ...]:
    return (
        name,
        result["layers"],
        f"{result['h']:g}",
        f"{result['species']:,}",
        f"{result['reactions']:,}",
        f"{result['held_out']}",
        f"{result['plain_accuracy']:.1%}",
        f"{result['chemistry_accuracy']:.1%}",
        f"{certificate['error']:.2g}",
        f"{certificate['settling_time']:.0f}",
        f"{certificate['hours']:.1f}",
        f"{certificate['margin']:.1%}",
    )


def _read(name: str) -> dict[str, Any]:
    return json.loads((ROOT / "models" / f"{name}.json").read_text(encoding="utf-8"))


def main() -> None:
    """Write every page anew whose tables have changed, and the report."""
    texts = written()
    pages = {page: filled(page.read_text(encoding="utf-8"), texts) for page in PAGES}
    pages[FOLDER / benchmarks.REPORT] = report()
    for page, after in pages.items():
        if after != page.read_text(encoding="utf-8"):
            page.write_text(after, encoding="utf-8")
            print(f"written: {page.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
