"""PySB (.py), one monomer per species.

Source: Lopez et al., Mol. Syst. Biol. 9 (2013) 646, doi 10.1038/msb.2013.1.
"""

from __future__ import annotations

import keyword

from crn_nn_tellurium.chemistry import PYTHON, formula
from crn_nn_tellurium.exporters import bngl
from crn_nn_tellurium.exporters.source import Source
from crn_nn_tellurium.exporters.texts import Language, agents

_IMPORTED = ("Expression", "Initial", "Model", "Monomer", "Observable", "Parameter", "Rule")
# a component is a name of the module, and goes to BioNetGen by the same name
_RESERVED = bngl.RESERVED | {
    name.lower() for name in (*_IMPORTED, "sympy", *keyword.kwlist, *keyword.softkwlist)
}
_LANGUAGE = Language("PySB", "#", _RESERVED, folds_case=True)


def write(source: Source) -> str:
    """A module with a Model; outputs are expressions of the observables ``{species}_c``."""
    crn = _LANGUAGE.network(source.crn)
    start = crn.start_values
    seen, starts = _LANGUAGE.further(crn, "c", "start")
    lines = _LANGUAGE.header(source, crn)
    lines += ["from pysb import " + ", ".join(_IMPORTED)]
    if any("sqrt" in formula(o.expression) for o in crn.observables):
        lines.append("from sympy import sqrt")
    lines += ["", "Model()", ""]
    lines += [f"Parameter({k!r}, {value!r})" for k, value in crn.constant_values.items()]
    for s in crn.species:
        initial = f"Parameter({starts[s.id]!r}, {start[s.id]!r})"
        lines.append(f"Monomer({s.id!r})")
        lines.append(f"Initial({s.id}(), {initial}{', fixed=True' * s.boundary})")
        lines.append(f"Observable({seen[s.id]!r}, {s.id}())")
    for r in crn.reactions:
        sides = f"{agents(r.substrates, 'None')} >> {agents(r.products, 'None')}"
        lines.append(f"Rule({r.id!r}, {sides}, {r.rate_constant})")
    for o in crn.observables:
        lines.append(f"Expression({o.id!r}, {formula(o.expression, PYTHON, seen)})")
    return "\n".join(lines) + "\n"
