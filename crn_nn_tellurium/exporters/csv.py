"""Tables, CSV or with tabs: reactions, and beside them the species and the net stoichiometry."""

from __future__ import annotations

from crn_nn_tellurium.basics import cell
from crn_nn_tellurium.chemistry import CONCENTRATION, Dimension, Side, formula, printable
from crn_nn_tellurium.exporters.writing import Source


def write(source: Source) -> dict[str, str]:
    """``NAME.csv`` (reactions), ``NAME.species.csv``, ``NAME.stoichiometry.csv`` (net changes);
    with tabs, all three are .tsv.
    """
    import pandas as pd  # a second, for this format alone

    crn = source.crn
    reactions = pd.DataFrame(
        {
            "reaction": r.id,
            "equation": r.equation,
            "substrates": _side(r.substrates),
            "products": _side(r.products),
            "order": r.order,
            "rate_constant": r.rate_constant,
            "value": r.value,
            "unit": crn.units.identifier(Dimension.rate_constant(r.order)),
            "name": cell(printable(r.name)),
        }
        for r in crn.reactions
    )
    start, unit = crn.start_values, crn.units.identifier(CONCENTRATION)
    columns = ["species", "initial", "unit", "held_constant", "kind", "formula", "name"]
    species = [
        (s.id, start[s.id], unit, str(s.boundary).lower(), "species", "", cell(printable(s.name)))
        for s in crn.species
    ]
    read_outs = [
        # a read-out starts at what its formula says, so the cell stays empty
        (o.id, None, unit, "false", "read-out", formula(o.expression), cell(printable(o.name)))
        for o in crn.observables
    ]
    stoichiometry = pd.DataFrame(
        crn.stoichiometry.toarray().astype(int),
        index=pd.Index(crn.floating, name="species"),
        columns=[r.id for r in crn.reactions],
    )
    rows = pd.DataFrame(species + read_outs, columns=columns)
    changes = stoichiometry.reset_index()
    return source.tables({"": reactions, "species": rows, "stoichiometry": changes})


def _side(side: Side) -> str:
    return " + ".join(f"{count} {species}" for species, count in side)
