"""Models of SBML that nobody would write: every construct, at random."""

import libsbml
import numpy as np

from crn_nn_tellurium.simulation.engine import antimony_to_sbml

NAMES = ["A", "B", "C", "D"]


def number(rng):
    return float(rng.choice([0.0, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0]))


def constant(rng):
    """A formula in constants."""
    return str(
        rng.choice(
            ["k", "m", "2*k", "k*m", "k/m", "(k + m)", "k^2", "sqrt(m)", "exp(-k)", "piecewise(k, "
             "k > m, m)", "max(k, m)", "0.5", "q", "pi", "c", "log10(10*m)"]
        )
    )  # fmt: skip


def law(rng, left):
    """A kinetic law; mostly mass action, and mostly one that needs what is taken."""
    own = "*".join(f"{s}^{max(1, int(np.ceil(n)))}" for s, n in left) or "1"
    a, b = rng.choice(NAMES, 2)
    k, m = constant(rng), constant(rng)
    laws = [f"{k}*{own}"] * 8
    laws += [
        f"{k}*{own} + {m}*{own}*{a}",
        f"{own}*({k} - {m}*{a})",
        f"f({k}, {own})",
        f"{k}*{own}*{a}",
    ]
    laws += [f"{k}*({own} - {a}*{b})", f"{own}*{k}*({a} + {b})^2", f"{k}*{own}*r", f"{k}*{own}/E"]
    laws += [
        f"{k}*{own}*{a}/{a}",
        f"c*{k}*{own}",
        f"{k}*{own}/({m} + {a})",
        f"{k}",
        f"{k}*{own}*time",
    ]
    laws += [f"{k}*{own}*p", f"{own}*({a}*({a} - 1))*{k}", f"piecewise({k}*{own}, {a} > 1, 0)"]
    return str(rng.choice(laws))  # fmt: skip


def random_antimony(rng):
    """The text of a model: species A to D and held E, constants k, m, q, read-outs p, r."""
    lines = ["function f(x, y) x*y + 0*x end", "model any()"]
    sizes = [1.0, 1.0] if rng.random() < 0.4 else rng.choice([0.5, 1.0, 2.5], 2).tolist()
    lines += [f"compartment c = {sizes[0]}, d = {sizes[1]}"]
    for name in NAMES:
        amounts = "substanceOnly " * (rng.random() < 0.2)
        held = "$" * (rng.random() < 0.1)
        lines += [f"{amounts}species {held}{name} in {'d' if rng.random() < 0.3 else 'c'}"]
        start = (
            rng.choice(["m", "2*k + m", "E*k", "A", "E^2/(1 + m)"]) if rng.random() < 0.15 else ""
        )
        if name == "A" and "A" in start:
            start = ""
        lines += [f"{name} = {start or number(rng)}"]
    lines += [f"{rng.choice(['const species', 'species $'])} E in c".replace("$ ", "$")]
    lines += [f"E = {max(number(rng), 0.3)}"]
    lines += [f"k = {number(rng)}", f"m = {max(number(rng), 0.3)}"]
    lines += [f"q {rng.choice(['= 2*k', ':= k + m', '= A', '= 0.4', '= E*m'])}"]
    lines += [f"r {rng.choice([':= A + 2*B', ':= k*A', ':= A/(A + 2)', '= 1.5', ':= q'])}"]
    lines += [f"p {rng.choice(['= 1', ':= r*m', ':= A*B', ':= time', ':= k'])}"]
    for i in range(rng.integers(1, 4)):
        sides = []
        for _ in range(2):
            chosen = rng.choice([*NAMES, "E"], rng.integers(0, 3), replace=False)
            counts = rng.choice([1, 1, 1, 1, 2, 3, 0.5, 1.5], len(chosen))
            sides.append([(str(s), float(n)) for s, n in zip(chosen, counts, strict=True)])
        if not sides[0] and not sides[1]:
            sides[1] = [("A", 1.0)]
        texts = [" + ".join(f"{n:g} {s}" for s, n in side) for side in sides]
        lines += [f"J{i}: {texts[0]} -> {texts[1]}; {law(rng, sides[0])}"]
    if rng.random() < 0.2:
        rule = rng.choice(["1 - v", "k*A - v*m", "0.5", "-v^2", "A*B", "-1"])
        lines += ["v = 1", f"v' = {rule}", "JV: v -> ; v*0.1" if False else ""]
    if rng.random() < 0.1:
        lines += ["J9: -> A; 0.2*J0"]
    if rng.random() < 0.05:
        lines += ["at time > 1: A = 2"]
    return "\n".join([*lines, "end", ""])


def _edit(model, rng):
    """What Antimony has no words for."""
    if rng.random() < 0.2:
        factor = model.createParameter()
        factor.setId("cf")
        factor.setValue(number(rng))
        factor.setConstant(True)
        target = model if rng.random() < 0.5 else model.getSpecies("A")
        target.setConversionFactor("cf")
    references = [
        side.get(i)
        for reaction in model.getListOfReactions()
        for side in (reaction.getListOfReactants(), reaction.getListOfProducts())
        for i in range(side.size())
    ]
    if references and rng.random() < 0.2:
        reference = references[rng.integers(len(references))]
        reference.setId("n")
        kind = rng.integers(4)
        formula = libsbml.parseL3Formula(str(rng.choice(["k", "2", "A", "m + 1", "time", "q"])))
        if kind == 0:
            made = model.createInitialAssignment()
            made.setSymbol("n")
            made.setMath(formula)
        elif kind < 3:
            reference.setConstant(False)
            made = model.createAssignmentRule() if kind == 1 else model.createRateRule()
            made.setVariable("n")
            made.setMath(formula)


def random_sbml(rng):
    """A model of Level 3, or None where libAntimony or libSBML has no such model."""
    document = libsbml.readSBMLFromString(antimony_to_sbml(random_antimony(rng)))
    document.setLevelAndVersion(3, int(rng.integers(1, 3)), False)
    _edit(document.getModel(), rng)
    return libsbml.writeSBMLToString(document)
