"""A BioCRNpyler script.

Source: Poole et al., PLoS Comput. Biol. 18 (2022) e1009987, doi 10.1371/journal.pcbi.1009987.
"""

from __future__ import annotations

import keyword

from crn_nn_tellurium.chemistry import PYTHON, formula
from crn_nn_tellurium.exporters.writing import Language, Source, molecules

# its own rules and identifiers, whose namesakes it renames in species but not in laws, and what
# bioscrape, which simulates the SBML, takes for functions and numbers
_RESERVED = """
    sec umol square_metre default avogadro exponentiale infinity notanumber
    t time pi log exp sqrt e1 beta gamma zeta re im nan inf max min abs print volume
""".split()
_LANGUAGE = Language(
    "BioCRNpyler",
    "#",
    frozenset({*(word.lower() for word in keyword.kwlist), *_RESERVED}),
    allowed=r"[A-Za-z](?!\w*__)\w*(?<!_)",
    folds_case=True,
)


def write(source: Source) -> str:
    """A module with a network ``CRN`` that writes SBML for bioscrape when run as a script.

    Inputs are catalysts and so stay constant. Read-outs are comments.
    """
    crn = _LANGUAGE.network(source.crn)
    notes = [f"{o.id} = {formula(o.expression, PYTHON)}" for o in crn.observables]
    lines = _LANGUAGE.header(source, crn, notes)
    lines += [
        "from biocrnpyler import ChemicalReactionNetwork, Compartment, ParameterEntry, Reaction",
        "from biocrnpyler import Species",
        "",
        "constants = {",
        *(f"    {k!r}: {value!r}," for k, value in crn.constant_values.items()),
        "}",
        "k = {name: ParameterEntry(name, value) for name, value in constants.items()}",
        "initial = {",
        *(f"    {s!r}: {value!r}," for s, value in crn.start_values.items()),
        "}",
        "# laws leave the volume out, so it is 1: amounts are concentrations",
        'volume = Compartment("default", size=1.0)',
        "species = {name: Species(name, compartment=volume) for name in initial}",
        "",
        "",
        "def reaction(substrates, products, constant):",
        "    sides = ([species[name] for name in side] for side in (substrates, products))",
        "    return Reaction.from_massaction(*sides, k_forward=k[constant])",
        "",
        "",
        "CRN = ChemicalReactionNetwork(",
        "    species=list(species.values()),",
        "    reactions=[",
    ]
    for r in crn.reactions:
        # it has no word for a species that is held constant: a catalyst stays so too
        before, after = map(molecules, r.catalytic_sides(crn.boundary))
        lines.append(f"        reaction({before}, {after}, {r.rate_constant!r}),")
    lines += [
        "    ],",
        "    initial_concentration_dict={species[name]: value for name, value in initial.items()},",
        ")",
        "",
        'if __name__ == "__main__":',
        f"    CRN.write_sbml_file({crn.name + '.xml'!r})",
    ]
    return "\n".join(lines) + "\n"
