"""The corpus in numbers and texts, written by one version of the package and held against another.

    python tests/support/corpus_numbers.py write numbers.pickle      # the old version on the path
    python tests/support/corpus_numbers.py compare numbers.pickle    # with the new one

A rewriting of the package shall not move a bit that it does not mean to. Numbers are compared to
the bit and, where they differ, by their largest relative difference; texts line by line, after the
renaming that the new version has on purpose (`RENAMED`). What differs is listed by quantity, and
nothing is hidden: `compare` exits 1 if a number differs by more than `LAST_DIGITS`.
"""

from __future__ import annotations

import inspect
import pickle
import re
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import crn_nn_tellurium as cn

LAST_DIGITS = 1e-12
"""Sums taken in another order differ by some eps = 2e-16 times their condition."""
_WORDS = "Numbers are dimensionless (model units)."
_UNITS = "; ".join(
    f"unit {unit} = dimensionless" for unit in ("substance", "time_unit", "volume", "extent")
)
_BASE_UNIT = '<unit kind="dimensionless" exponent="1" scale="0"'
RENAMED: list[tuple[str, str]] = [
    # rate constants of weights and biases; LaTeX writes the underscores with a backslash
    (r"(?<!J)\bw(\d+\\?_\d+\\?_\w+)", r"k\1"),
    (r"(?<!J)\bb(\d+\\?_\d+)", r"kb\1"),
    # numbers are said to be dimensionless: Antimony, SBML, LaTeX, sentences
    (r"^  unit substance = .*\n(  unit .*\n)+", f"  // {_WORDS}\n  {_UNITS}\n"),
    (r"(has|\d) (nM_per_s|per_s|per_nM_s|per_nM2_s|nM)\b", r"\1 dimensionless"),
    (r'(nits)="(nM_per_s|per_s|per_nM_s|per_nM2_s|nM)"', r'\1="dimensionless"'),
    (r"(?s)( *<unitDefinition id=\"(nM|per_)\w*\">.*?</unitDefinition>\n)", ""),
    (r'<unit kind="(mole|second|litre)" exponent="1" scale="-?\d"', _BASE_UNIT),
    (r"\$\\mathrm\{(nM|s\^|nM\^).*?\}\$ \\\\$", r"model units \\\\"),
    (r"Initial concentration \(nM\)", "Initial concentration (model units)"),
    (r"Concentrations in nM, time in s\.", _WORDS),
]
"""Regular expressions on the old texts, and what the new version writes instead."""
RENAMED_COMPACT: list[tuple[str, str]] = [(r"\bk(b?\d+_\d+)", r"u\1")]
"""After these, for form "compact" alone, whose rate constants carry signs."""
_FORMS = ("reactions", "compact", "numbers")
_ENDINGS = (".bngl", ".py", ".ka", ".crn", ".jl", ".dsd", ".tex", ".xml")
"""Formats that are texts of their own."""


def corpus():
    """The networks of the corpus, whichever place their file has in a version."""
    try:
        from support import networks
    except ImportError:
        import networks
    return networks.corpus()


def steady_numbers(case):
    """Closed form, roadrunner's steady states by units and their gradients."""
    net, x = case.net, case.x
    found = {"closed form": net(x)}
    steady = cn.Simulator(net).steady_state(x)
    found |= {"outputs": steady.outputs, "concentrations": steady.concentrations}
    targets = np.zeros((len(x), net.n_out))
    for source in ("closed_form", "engine"):
        by = cn.gradient(net, x, targets, "squared_error", steady_state=source)
        found[f"gradient, {source}"] = by.vector()
    return found


def bounds_numbers(case):
    """Settling times and enclosures; nothing where no guarantee exists."""
    net, x = case.net, case.x
    found = {}
    try:
        found["cheap bound"] = cn.settling_time(net, x, 0.01, bound="cheap")
        if len(net.layers) <= 2 and net.n_weights < 60:
            found["envelope"] = cn.settling_time(net, x[:1], 0.01)
        enclosed = cn.enclosure(net, x, rates=0.05)
        found |= {"enclosed from": enclosed.outputs.lower, "enclosed to": enclosed.outputs.upper}
    except (cn.NotCertified, cn.ConvergenceError) as error:
        found["no bound"] = np.frombuffer(type(error).__name__.encode(), dtype=np.uint8).astype(
            float
        )
    return found


def reaction_numbers(case):
    """The flat reaction network: equations, values and starts."""
    crn = cn.to_reactions(case.net, case.x[0])
    start = crn.initial_state()
    x = start * np.linspace(0.5, 1.5, len(start))
    return {
        "rate constants": crn.constants,
        "starts": start,
        "right-hand side": crn.right_hand_side(x),
        "jacobian": crn.jacobian(x).toarray(),
        "sensitivities": cn.sensitivities(case.net, case.x[0]).values,
    }


def texts(case):
    """The reactions as lines, and the Antimony text in each form."""
    crn = cn.to_reactions(case.net, case.x[0])
    found = {"equations": "\n".join(repr(reaction) for reaction in crn.reactions)}
    # versions that write numbers for start values have formulas on request
    known = inspect.signature(cn.export).parameters
    starts = {"starts": "formulas"} if "starts" in known else {}
    for form in _FORMS:
        found[f"Antimony, {form}"] = cn.to_antimony(case.net, form=form, x=case.x[0], **starts)
    with tempfile.TemporaryDirectory() as folder:
        for ending in _ENDINGS:
            path = Path(folder) / f"model{ending}"
            try:
                cn.export(case.net, path, x=case.x[0], **starts)
            except ValueError as error:  # a name that this language reserves
                found[f"export, {ending}"] = str(error)
            else:
                found[f"export, {ending}"] = path.read_text(encoding="utf-8")
    return found


def everything():
    """Numbers and texts of every network, by (network, quantity)."""
    numbers, written = {}, {}
    for case in corpus():
        for part in (steady_numbers, bounds_numbers, reaction_numbers):
            for quantity, value in part(case).items():
                numbers[case.name, quantity] = np.asarray(value, dtype=float)
        for quantity, text in texts(case).items():
            written[case.name, quantity] = text
    return {"version": cn.__version__, "numbers": numbers, "texts": written}


def difference(old, new):
    """Largest |old - new|, relative to the largest |old|; infinite if shapes or NaNs differ."""
    if old.shape != new.shape or not np.array_equal(np.isnan(old), np.isnan(new)):
        return np.inf
    both = np.nan_to_num(old), np.nan_to_num(new)
    scale = np.abs(both[0]).max(initial=0.0)
    gap = np.abs(both[0] - both[1]).max(initial=0.0)
    return float(gap / scale) if scale else float(gap)


def compare(old, new):
    """A line for each quantity, and whether all is as it should be."""
    worst = {}
    for key, value in old["numbers"].items():
        gap = difference(value, new["numbers"][key]) if key in new["numbers"] else np.inf
        equal = gap == 0
        name, quantity = key
        count, same, largest, where = worst.get(quantity, (0, 0, 0.0, ""))
        if gap > largest:
            largest, where = gap, name
        worst[quantity] = count + 1, same + equal, largest, where
    good = True
    for quantity, (count, same, largest, where) in worst.items():
        good &= largest <= LAST_DIGITS
        line = f"{quantity:22} {same:3} of {count:3} networks equal to the bit"
        print(line + (f", largest difference {largest:.1e} ({where})" if largest else ""))
    lines = {}
    for key, text in old["texts"].items():
        for pattern, replacement in RENAMED + RENAMED_COMPACT * (key[1] == "Antimony, compact"):
            text = re.sub(pattern, replacement, text, flags=re.M)
        before, after = text.splitlines(), new["texts"].get(key, "").splitlines()
        other = set(before) ^ set(after)
        total, changed, example = lines.get(key[1], (0, 0, ""))
        lines[key[1]] = total + len(before), changed + len(other), example or min(other, default="")
    for quantity, (total, changed, example) in lines.items():
        print(
            f"{quantity:22} {changed} of {total} lines differ"
            + (f": {example[:90]}" if example else "")
        )
    return good


def main(verb, path):
    """`write` or `compare`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = everything()
    if verb == "write":
        Path(path).write_bytes(pickle.dumps(found))
        print(
            f"{len(found['numbers'])} arrays and {len(found['texts'])} texts of version"
            f" {found['version']} in {path}"
        )
        return 0
    return 0 if compare(pickle.loads(Path(path).read_bytes()), found) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
