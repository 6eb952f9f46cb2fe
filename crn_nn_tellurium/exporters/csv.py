"""CSV tables: the reactions, and beside them the species and the net stoichiometry."""

from __future__ import annotations

from crn_nn_tellurium.basics import to_csv
from crn_nn_tellurium.chemistry import UNITS, Side, formula, printable
from crn_nn_tellurium.exporters.source import Source


def write(source: Source) -> dict[str, str]:
    """``NAME.csv`` (reactions), ``NAME.species.csv`` and ``NAME.stoichiometry.csv`` (species by
    reactions, net).
    """
    crn = source.crn
    reactions = [
        [
            "reaction",
            "equation",
            "substrates",
            "products",
            "order",
            "rate_constant",
            "value",
            "unit",
            "name",
        ]
    ]
    for r in crn.reactions:
        unit = UNITS[r.order] if r.order < len(UNITS) else ""
        sides = [r.equation, _side(r.substrates), _side(r.products)]
        reactions.append(
            [r.id, *sides, str(r.order), r.rate_constant, repr(r.value), unit, printable(r.name)]
        )
    start = crn.start_values
    species = [["species", "initial_nM", "held_constant", "kind", "formula", "name"]]
    for s in crn.species:
        species.append(
            [s.id, repr(start[s.id]), str(s.boundary).lower(), "species", "", printable(s.name)]
        )
    species += [
        [o.id, "", "false", "read-out", formula(o.expression), printable(o.name)]
        for o in crn.observables
    ]
    stoichiometry = [["species", *(r.id for r in crn.reactions)]]
    net = crn.stoichiometry.toarray().astype(int).tolist()
    stoichiometry += [[name, *map(str, row)] for name, row in zip(crn.floating, net, strict=True)]
    return {
        "": to_csv(reactions),
        ".species.csv": to_csv(species),
        ".stoichiometry.csv": to_csv(stoichiometry),
    }


def _side(side: Side) -> str:
    return " + ".join(f"{count} {species}" for species, count in side)
