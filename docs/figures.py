"""Writes the tables of README and of these pages from the files that hold their figures.

    crn-nn bench --full -o docs/figures.json --overwrite   # minutes, on an idle machine
    python models/certify.py                               # models/certificates.json
    python docs/figures.py

A page says where a table goes by two comments, `<!-- figures: NAME -->` and `<!-- end -->`; a test
compares what is between them with what this script would write.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from crn_nn_tellurium.commands.measurements import Measurements, Table, tables

ROOT = Path(__file__).resolve().parent.parent
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
_PLACE = re.compile(r"(<!-- figures: (\S+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def written() -> dict[str, str]:
    """Every table in Markdown, by name."""
    text = (ROOT / "docs" / "figures.json").read_text(encoding="utf-8")
    measured = Measurements.from_json(text)
    machine = measured.machine
    return {name: table.markdown() for name, table in tables(measured).items()} | {
        "models": _models().markdown(),
        "machine": (
            f"One run of `crn-nn bench --full` on {measured.date}: {machine['processor']},"
            f" {machine['cores']} cores (load {machine['load']}\nbefore it began), Python"
            f" {machine['python']}, libroadrunner {machine['libroadrunner']}, numpy"
            f" {machine['numpy']}."
        ),
    }


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
    """Write every page anew whose tables have changed."""
    texts = written()
    for page in PAGES:
        before = page.read_text(encoding="utf-8")
        after = filled(before, texts)
        if after != before:
            page.write_text(after, encoding="utf-8")
            print(f"written: {page.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
