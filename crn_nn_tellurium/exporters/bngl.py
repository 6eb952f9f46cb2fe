"""BioNetGen (.bngl), one molecule type per species.

BioNetGen's equations have k Y^2 for ``Y() + Y() -> Y()`` with the rate constant k, and this is what
is written: its rule that a symmetric reaction is half as fast, and twice as effective where both
molecules go, concerns the reactions that it makes from rules. Source: Harris et al., Bioinformatics
32 (2016) 3366, doi 10.1093/bioinformatics/btw469.
"""

from __future__ import annotations

from collections.abc import Mapping

from crn_nn_tellurium.chemistry import Side, formula
from crn_nn_tellurium.exporters.source import Source
from crn_nn_tellurium.exporters.texts import Names, header, molecules

RESERVED = frozenset(
    """
    _pi _e time t exp ln log10 log2 abs sqrt sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh rint min max
    sum avg if begin end model parameters molecules species observables functions reaction rules molecule types
    compartments actions null trash sat mm hill functionproduct arrhenius include_reactants exclude_reactants
    include_products exclude_products deletemolecules moveconnected totalrate
    """.split()
)
NAMES = Names("BioNetGen", "#", RESERVED, folds_case=True)


def write(source: Source, *, t_end: float | None = None, n_steps: int = 100) -> str:
    """A model and its simulation from 0 to `t_end`, in s; outputs are functions, printed with the
    observables.
    """
    crn = source.crn
    names = NAMES.of(crn.identifiers)
    start = crn.start_values
    seen = NAMES.also(names, "c")
    read = names | {species.id: seen[species.id] for species in crn.species}
    lines = header(source, NAMES, names)
    lines += ["begin model", "begin parameters"]
    lines += [f"  {names[k]} {value!r}" for k, value in crn.constant_values.items()]
    lines += ["end parameters", "begin molecule types"]
    lines += [f"  {names[species.id]}()" for species in crn.species]
    lines += ["end molecule types", "begin seed species"]
    lines += [
        f"  {'$' * species.boundary}{names[species.id]}() {start[species.id]!r}"
        for species in crn.species
    ]
    lines += ["end seed species", "begin observables"]
    lines += [f"  Molecules {seen[species.id]} {names[species.id]}()" for species in crn.species]
    lines += ["end observables", "begin functions"]
    lines += [f"  {names[o.id]}() = {formula(o.expression, names=read)}" for o in crn.observables]
    lines += ["end functions", "begin reaction rules"]
    lines += [
        f"  {names[r.id]}: {_side(r.substrates, names)} -> {_side(r.products, names)}"
        f" {names[r.rate_constant]}"
        for r in crn.reactions
    ]
    lines += [
        "end reaction rules",
        "end model",
        "generate_network({overwrite=>1})",
        f'simulate({{method=>"ode",t_end=>{source.until(t_end)!r},n_steps=>{n_steps},print_functions=>1,atol=>1e-12,rtol=>1e-10}})',
    ]
    return "\n".join(lines) + "\n"


def _side(side: Side, names: Mapping[str, str]) -> str:
    return " + ".join(f"{name}()" for name in molecules(side, names)) or "0"
