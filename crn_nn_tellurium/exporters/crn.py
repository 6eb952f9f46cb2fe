"""Chemical reaction network text (.crn), as crnsimulator and Nuskell read it.

A line per species, ``Y @initial 1`` or ``X @constant 1``, and per reaction, ``X + Y -> X + 2Y [k =
0.5]``. The language has neither names of rate constants and reactions nor read-outs, so they are
comments, which `import_crn` reads. Source: Badelt et al., J. R. Soc. Interface 17 (2020) 20190866,
doi 10.1098/rsif.2019.0866.
"""

from __future__ import annotations

import keyword

from crn_nn_tellurium.chemistry import formula
from crn_nn_tellurium.exporters.writing import Language, Source, counted

# crnsimulator hands names to Python and sympy, and r is its rates
_SYMPY = "S N E I O Q C Float pi oo zoo nan beta gamma zeta re im np r"
_RESERVED = {*keyword.kwlist, *_SYMPY.split()}
# what it calls the change of A is dAdt
_ALLOWED = r"(?!d\w+dt$)[A-Za-z].*"
_LANGUAGE = Language("crnsimulator", "#", frozenset(_RESERVED), _ALLOWED)


def write(source: Source) -> str:
    """Species with their concentrations, then reactions; read-outs are comments."""
    crn = _LANGUAGE.network(source.crn)
    start = crn.start_values
    lines = _LANGUAGE.header(source, crn)
    lines += [f"# {o.id} = {formula(o.expression)}" for o in crn.observables]
    for s in crn.species:
        lines.append(f"{s.id} @{'constant' if s.boundary else 'initial'} {start[s.id]!r}")
    for r in crn.reactions:
        equation = f"{counted(r.substrates)} -> {counted(r.products)}".lstrip()
        lines.append(f"{equation} [k = {r.value!r}]  # {r.id}: {r.rate_constant}")
    return "\n".join(lines) + "\n"
