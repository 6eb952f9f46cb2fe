"""BioNetGen (.bngl), one molecule type per species.

BioNetGen's equations have k Y^2 for ``Y() + Y() -> Y()`` with the rate constant k, and this is what
is written: its rule that a symmetric reaction is half as fast, and twice as effective where both
molecules go, concerns the reactions that it makes from rules. Source: Harris et al., Bioinformatics
32 (2016) 3366, doi 10.1093/bioinformatics/btw469.
"""

from __future__ import annotations

from dataclasses import dataclass

from crn_nn_tellurium.chemistry import formula
from crn_nn_tellurium.exporters.source import Source
from crn_nn_tellurium.exporters.texts import Language, agents

RESERVED = frozenset(
    """
    _pi _e time t exp ln log10 log2 abs sqrt sin cos tan asin acos atan sinh cosh tanh asinh
    acosh atanh rint min max sum avg if begin end model parameters molecules species observables
    functions reaction rules molecule types compartments actions null trash sat mm hill
    functionproduct arrhenius include_reactants exclude_reactants include_products
    exclude_products deletemolecules moveconnected totalrate
    """.split()
)
_LANGUAGE = Language("BioNetGen", "#", RESERVED, folds_case=True)


@dataclass(frozen=True)
class Options:
    """The simulation: its end, in s, and how many steps it reports."""

    t_end: float | None = None
    n_steps: int = 100


def write(source: Source, options: Options) -> str:
    """A model and its simulation; outputs are functions, printed with the observables."""
    crn = _LANGUAGE.network(source.crn)
    start = crn.start_values
    (seen,) = _LANGUAGE.further(crn, "c")
    lines = _LANGUAGE.header(source, crn)
    lines += ["begin model", "begin parameters"]
    lines += [f"  {k} {value!r}" for k, value in crn.constant_values.items()]
    lines += ["end parameters", "begin molecule types"]
    lines += [f"  {s.id}()" for s in crn.species]
    lines += ["end molecule types", "begin seed species"]
    lines += [f"  {'$' * s.boundary}{s.id}() {start[s.id]!r}" for s in crn.species]
    lines += ["end seed species", "begin observables"]
    lines += [f"  Molecules {seen[s.id]} {s.id}()" for s in crn.species]
    lines += ["end observables", "begin functions"]
    lines += [f"  {o.id}() = {formula(o.expression, names=seen)}" for o in crn.observables]
    lines += ["end functions", "begin reaction rules"]
    for r in crn.reactions:
        sides = f"{agents(r.substrates, '0')} -> {agents(r.products, '0')}"
        lines.append(f"  {r.id}: {sides} {r.rate_constant}")
    length = f"t_end=>{source.until(options.t_end)!r},n_steps=>{options.n_steps}"
    exactly = "print_functions=>1,atol=>1e-12,rtol=>1e-10"
    lines += ["end reaction rules", "end model", "generate_network({overwrite=>1})"]
    lines.append(f'simulate({{method=>"ode",{length},{exactly}}})')
    return "\n".join(lines) + "\n"
