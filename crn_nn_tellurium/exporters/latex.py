"""A LaTeX table of the reactions (.tex), to typeset by itself or to input."""

from __future__ import annotations

import re
from dataclasses import dataclass

from crn_nn_tellurium.chemistry import CONCENTRATION, Dimension, Expression, Side, Units
from crn_nn_tellurium.exporters.writing import Source


@dataclass(frozen=True)
class Options:
    """What the tables look like."""

    standalone: bool = True  # else the tables alone, to input where their packages are loaded
    digits: int = 4


def write(source: Source, options: Options) -> str:
    """Reactions, rate constants, concentrations and read-outs."""
    crn, digits = source.crn, options.digits
    rows = [
        rf"${_side(r.substrates)} \xrightarrow{{{_name(r.rate_constant)}}} {_side(r.products)}$ & "
        rf"${_number(r.value, digits)}$ & {_unit(crn.units, Dimension.rate_constant(r.order))} \\"
        for r in crn.reactions
    ]
    lines = [f"% {line}" for line in source.statements]
    if options.standalone:
        lines += [r"\documentclass{article}", r"\usepackage{amsmath,longtable,booktabs}"]
        lines.append(r"\begin{document}")
    lines += [*_table("lll", "Reaction & Rate constant & Unit", rows)]
    starts = []
    for s in crn.species:
        start, held = s.initial, "held constant" if s.boundary else ""
        text = _formula(start, digits) if isinstance(start, Expression) else _number(start, digits)
        starts.append(rf"${_name(s.id)}$ & ${text}$ & {held} \\")
    heading = f"Species & Initial concentration ({_unit(crn.units, CONCENTRATION)}) & "
    lines += [*_table("lp{8cm}l", heading, starts)]
    if crn.observables:
        formulas = {o.id: _formula(o.expression, digits) for o in crn.observables}
        read = [rf"${_name(name)}$ & ${text}$ \\" for name, text in formulas.items()]
        lines += [*_table("lp{8cm}", "Read-out & Formula", read)]
    if options.standalone:
        lines.append(r"\end{document}")
    return "\n".join(lines) + "\n"


def _table(columns: str, heading: str, rows: list[str]) -> list[str]:
    top = [rf"\begin{{longtable}}{{{columns}}}", r"\toprule", rf"{heading} \\", r"\midrule"]
    return [*top, r"\endhead", *rows, r"\bottomrule", r"\end{longtable}"]


def _side(side: Side) -> str:
    counted = (f"{count if count > 1 else ''}{_name(species)}" for species, count in side)
    return " + ".join(counted) or r"\varnothing"


def _name(identifier: str) -> str:
    # chr(92) is the backslash, which Python 3.11 takes in no f-string's braces
    return rf"\mathrm{{{identifier.replace('_', chr(92) + '_')}}}"


def _number(value: float, digits: int) -> str:
    mantissa, _, exponent = f"{value:.{digits}g}".partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa


def _unit(units: Units, dimension: Dimension) -> str:
    # of nM^2/s the exponent alone is mathematics
    return re.sub(r"\^(\d+)", r"$^{\1}$", units.name(dimension))


def _formula(expression: Expression, digits: int) -> str:
    parts = []
    for term in expression.terms:
        factors = [_power(symbol, power, digits) for symbol, power in term.powers]
        size = abs(term.coefficient)
        if size != 1 or not factors:
            factors.insert(0, _number(size, digits))
        parts.append(("-" if term.coefficient < 0 else "+") + r" \, ".join(factors))
    return "".join(parts).removeprefix("+") or "0"


def _power(symbol: str, power: float, digits: int) -> str:
    return _name(symbol) if power == 1 else rf"{_name(symbol)}^{{{_number(power, digits)}}}"
