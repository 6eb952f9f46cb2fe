"""BioNetGen (.bngl), one molecule type per species, and PySB (.py), one monomer per species.

A rule's rate constant is that of a way in which it can happen, and BioNetGen counts ways once that
differ by a permutation of equal molecules with one fate. So k is multiplied by the number of those
permutations: kept! deleted! for each species, since molecules on the left are matched with equal
ones on the right as long as there are any. Source: Harris et al., Bioinformatics 32 (2016) 3366,
doi 10.1093/bioinformatics/btw469. PySB hands its models to BioNetGen: Lopez et al., Mol. Syst.
Biol. 9 (2013) 646, doi 10.1038/msb.2013.1.
"""

from __future__ import annotations

import keyword
import math
from dataclasses import dataclass

from crn_nn_tellurium.basics import free_id
from crn_nn_tellurium.chemistry import PYTHON, Reaction, formula
from crn_nn_tellurium.exporters.writing import Language, Source, agents

_RESERVED = frozenset(
    """
    _pi _e time t exp ln log10 log2 abs sqrt sin cos tan asin acos atan sinh cosh tanh asinh
    acosh atanh rint min max sum avg if begin end model parameters molecules species observables
    functions reaction rules molecule types compartments actions null trash sat mm hill
    functionproduct arrhenius include_reactants exclude_reactants include_products
    exclude_products deletemolecules moveconnected totalrate mratio tfun
    """.split()
)
# a line that starts with begin, whatever follows, begins a block
_ALLOWED = "(?i:(?!begin)[a-z]).*"
_LANGUAGE = Language("BioNetGen", "#", _RESERVED, _ALLOWED, folds_case=True)
_IMPORTED = ("Expression", "Initial", "Model", "Monomer", "Observable", "Parameter", "Rule")
# a component is a name of the module, and goes to BioNetGen by the same name
_PYSB_RESERVED = _RESERVED | {
    name.lower() for name in (*_IMPORTED, "sympy", *keyword.kwlist, *keyword.softkwlist)
}
_PYSB = Language("PySB", "#", _PYSB_RESERVED, _ALLOWED, folds_case=True)


@dataclass(frozen=True)
class Options:
    """The simulation: its end, in the file's units, and how many steps it reports."""

    t_end: float | None = None
    n_steps: int = 100


def write(source: Source, options: Options) -> str:
    """A model and its simulation; outputs are functions, printed with the observables."""
    crn = _LANGUAGE.network(source.crn)
    start = crn.start_values
    # its functions read observables, not species
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
        lines.append(f"  {r.id}: {sides} {_rate_constant(r)}")
    length = f"t_end=>{source.until(options.t_end)!r},n_steps=>{options.n_steps}"
    # its own tolerances of 1e-8 would be the error of small concentrations
    exactly = "print_functions=>1,atol=>1e-12,rtol=>1e-10"
    lines += ["end reaction rules", "end model", "generate_network({overwrite=>1})"]
    lines.append(f'simulate({{method=>"ode",{length},{exactly}}})')
    return "\n".join(lines) + "\n"


def write_pysb(source: Source) -> str:
    """A module with a Model; outputs are expressions of the observables ``{species}_c``."""
    crn = _PYSB.network(source.crn)
    start = crn.start_values
    seen, starts = _PYSB.further(crn, "c", "start")
    lines = _PYSB.header(source, crn)
    lines += ["from pysb import " + ", ".join(_IMPORTED)]
    # PySB evaluates expressions as Python, where sqrt of symbols is sympy's
    if any("sqrt" in formula(o.expression) for o in crn.observables):
        lines.append("from sympy import sqrt")
    lines += ["", "Model()", ""]
    lines += [f"Parameter({k!r}, {value!r})" for k, value in crn.constant_values.items()]
    for s in crn.species:
        initial = f"Parameter({starts[s.id]!r}, {start[s.id]!r})"
        lines.append(f"Monomer({s.id!r})")
        lines.append(f"Initial({s.id}(), {initial}{', fixed=True' * s.boundary})")
        lines.append(f"Observable({seen[s.id]!r}, {s.id}())")
    named = {k: k for k in crn.rate_constants}
    taken = {name.lower() for name in (*crn.identifiers, *seen.values(), *starts.values())}
    for r in crn.reactions:
        sides = f"{agents(r.substrates, 'None')} >> {agents(r.products, 'None')}"
        constant = _rate_constant(r)
        if constant not in named:
            # a rate is a component, so a multiple of a parameter has to be one
            named[constant] = free_id(f"{r.rate_constant}_rule", taken, str.lower)
            lines.append(f"Expression({named[constant]!r}, {constant})")
        lines.append(f"Rule({r.id!r}, {sides}, {named[constant]})")
    for o in crn.observables:
        lines.append(f"Expression({o.id!r}, {formula(o.expression, PYTHON, seen)})")
    return "\n".join(lines) + "\n"


def _rate_constant(reaction: Reaction) -> str:
    """The rate constant of a rule that is as fast as the reaction."""
    after = dict(reaction.products)
    permutations = 1
    for species, before in reaction.substrates:
        kept = min(before, after.get(species, 0))
        permutations *= math.factorial(kept) * math.factorial(before - kept)
    k = reaction.rate_constant
    return k if permutations == 1 else f"{permutations}*{k}"
