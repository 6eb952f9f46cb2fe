"""PySB (.py), one monomer per species. Source: Lopez et al., Mol. Syst. Biol. 9 (2013) 646, doi
10.1038/msb.2013.1.
"""

from __future__ import annotations

import keyword
from collections.abc import Mapping

from crn_nn_tellurium.chemistry import PYTHON, Side, formula
from crn_nn_tellurium.exporters import bngl
from crn_nn_tellurium.exporters.source import Source
from crn_nn_tellurium.exporters.texts import Names, header, molecules

_IMPORTED = ("Expression", "Initial", "Model", "Monomer", "Observable", "Parameter", "Rule")
# a component is a name of the module, and goes to BioNetGen by the same name
NAMES = Names(
    "PySB",
    "#",
    bngl.RESERVED
    | {name.lower() for name in (*_IMPORTED, "sympy", *keyword.kwlist, *keyword.softkwlist)},
    folds_case=True,
)


def write(source: Source) -> str:
    """A module with a Model; outputs are expressions of the observables ``{species}_c``."""
    crn = source.crn
    names = NAMES.of(crn.identifiers)
    start = crn.start_values
    seen = NAMES.also(names, "c")
    read = names | {species.id: seen[species.id] for species in crn.species}
    starts_of = NAMES.also(names | {f"{name} seen": new for name, new in seen.items()}, "start")
    lines = header(source, NAMES, names)
    lines += ["from pysb import " + ", ".join(_IMPORTED)]
    if any("sqrt" in formula(o.expression) for o in crn.observables):
        lines.append("from sympy import sqrt")
    lines += ["", "Model()", ""]
    for k, value in crn.constant_values.items():
        lines.append(f"Parameter({names[k]!r}, {value!r})")
    for species in crn.species:
        name = names[species.id]
        fixed = ", fixed=True" if species.boundary else ""
        lines.append(f"Monomer({name!r})")
        lines.append(
            f"Initial({name}(), Parameter({starts_of[species.id]!r}, {start[species.id]!r}){fixed})"
        )
        lines.append(f"Observable({seen[species.id]!r}, {name}())")
    for reaction in crn.reactions:
        sides = f"{_side(reaction.substrates, names)} >> {_side(reaction.products, names)}"
        lines.append(f"Rule({names[reaction.id]!r}, {sides}, {names[reaction.rate_constant]})")
    for o in crn.observables:
        lines.append(f"Expression({names[o.id]!r}, {formula(o.expression, PYTHON, read)})")
    return "\n".join(lines) + "\n"


def _side(side: Side, names: Mapping[str, str]) -> str:
    return " + ".join(f"{name}()" for name in molecules(side, names)) or "None"
