"""Models of SBML that nobody would write: every construct, at random.

Species A to D, E held; constants k, m, q; read-outs p, r; a parameter v with a rate rule.
"""

import libsbml
import numpy as np

from crn_nn_tellurium.simulation.engine import antimony_to_sbml

CHANGING = ["A", "B", "C", "D"]
NUMBERS = [0.0, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0]
CONSTANTS = (
    "k m 2*k k*m k/m (k+m) k^2 sqrt(m) exp(-k) piecewise(k,k>m,m) max(k,m) 0.5 q pi c log10(10*m)"
).split()
# {own} needs what is taken, so eight of ten laws are mass action; the rest may be or not
MASS_ACTION = ["{k}*{own}"] * 8
LAWS = [
    *MASS_ACTION,
    *("{k}*{own} + {m}*{own}*{a}", "{own}*({k} - {m}*{a})", "f({k}, {own})", "{k}*{own}*{a}"),
    *("{k}*({own} - {a}*{b})", "{own}*{k}*({a} + {b})^2", "{k}*{own}*r", "{k}*{own}/E"),
    *("c*{k}*{own}", "{k}*{own}/({m} + {a})", "{k}", "{k}*{own}*time", "{k}*{own}*p"),
    "piecewise({k}*{own}, {a} > 1, 0)",
]
STARTS = ["m", "2*k + m", "E*k", "B", "E^2/(1 + m)"]
RATE_RULES = ["1 - v", "k*A - v*m", "0.5", "-v^2", "A*B", "-1"]


def random_antimony(rng):
    """The text of a model."""

    def one_of(*choices):
        return str(rng.choice(choices))

    sizes = [1.0, 1.0] if rng.random() < 0.4 else rng.choice([0.5, 1.0, 2.5], 2)
    lines = ["function f(x, y) x*y + 0*x end", "model any()"]
    lines += [f"compartment c = {sizes[0]}, d = {sizes[1]}"]
    for name in CHANGING:
        kind = "substanceOnly species" if rng.random() < 0.2 else "species"
        held = "$" * (rng.random() < 0.1)
        lines += [f"{kind} {held}{name} in {one_of('c', 'c', 'd')}"]
        by_formula = rng.random() < 0.15 and name != "B"
        lines += [f"{name} = {one_of(*STARTS) if by_formula else one_of(*NUMBERS)}"]
    lines += [f"{one_of('const species ', 'species $')}E in c; E = {one_of(*NUMBERS[1:])}"]
    lines += [f"k = {one_of(*NUMBERS)}; m = {one_of(*NUMBERS[1:])}"]
    lines += [f"q {one_of('= 2*k', ':= k + m', '= A', '= 0.4', '= E*m')}"]
    lines += [f"r {one_of(':= A + 2*B', ':= k*A', ':= A/(A + 2)', '= 1.5', ':= q')}"]
    lines += [f"p {one_of('= 1', ':= r*m', ':= A*B', ':= time', ':= k')}"]
    for i in range(rng.integers(1, 4)):
        taken, made = (rng.choice([*CHANGING, "E"], n, False) for n in (rng.integers(3), 1))
        counts = rng.choice([1, 1, 1, 1, 2, 3, 0.5, 1.5], len(taken))
        left = " + ".join(f"{n:g} {s}" for s, n in zip(taken, counts, strict=True))
        own = "*".join(f"{s}^{np.ceil(n):g}" for s, n in zip(taken, counts, strict=True)) or "1"
        constants, species = rng.choice(CONSTANTS, 2), rng.choice(CHANGING, 2)
        law = one_of(*LAWS).format(
            own=own, k=constants[0], m=constants[1], a=species[0], b=species[1]
        )
        lines += [f"J{i}: {left} -> {one_of('', '2', '0.5')} {made[0]}; {law}"]
    lines += [f"v = 1; v' = {one_of(*RATE_RULES)}"] * (rng.random() < 0.2)
    lines += ["J9: -> A; 0.2*J0"] * (rng.random() < 0.1)
    lines += ["at time > 1: A = 2"] * (rng.random() < 0.05)
    return "\n".join([*lines, "end", ""])


def _edit(model, rng):
    """What Antimony has no words for."""
    if rng.random() < 0.2:
        factor = model.createParameter()
        factor.setId("cf")
        factor.setValue(rng.choice(NUMBERS))
        factor.setConstant(True)
        (model if rng.random() < 0.5 else model.getSpecies("A")).setConversionFactor("cf")
    reference = model.getReaction(0).getProduct(0)
    taken = {r.getSpecies() for r in model.getReaction(0).getListOfReactants()}
    # roadrunner is wrong where a number changes of a species on both sides: C -> n C
    if rng.random() < 0.2 and reference.getSpecies() not in taken:
        reference.setId("n")
        kind = rng.choice(["InitialAssignment", "AssignmentRule", "RateRule"])
        reference.setConstant(bool(kind == "InitialAssignment"))
        made = getattr(model, f"create{kind}")()
        (made.setSymbol if kind == "InitialAssignment" else made.setVariable)("n")
        made.setMath(libsbml.parseL3Formula(str(rng.choice(["k", "2", "A", "m + 1", "time", "q"]))))


def random_sbml(rng):
    """A model of Level 3."""
    document = libsbml.readSBMLFromString(antimony_to_sbml(random_antimony(rng)))
    document.setLevelAndVersion(3, int(rng.integers(1, 3)), False)
    _edit(document.getModel(), rng)
    return libsbml.writeSBMLToString(document)
