"""Tables, CSV or with tabs: reactions, and beside them the species and the net stoichiometry."""

from __future__ import annotations

from crn_nn_tellurium.basics import cell
from crn_nn_tellurium.chemistry import CONCENTRATION, Dimension, Side, formula, printable
from crn_nn_tellurium.errors import FileFormatError
from crn_nn_tellurium.exporters.writing import Source

# Headings, which tables without rows have too
_REACTION = "reaction equation substrates products order rate_constant value unit name".split()
_SPECIES = "species initial unit held_constant kind formula name".split()
_MOST_CELLS = 50_000_000
"""Of the net stoichiometry, which is all but zeros: 100 MB of text."""


def write(source: Source) -> dict[str, str]:
    """``NAME.csv`` (reactions), ``NAME.species.csv``, ``NAME.stoichiometry.csv`` (net changes);
    with tabs, all three are .tsv.
    """
    import pandas as pd  # a second, for this format alone

    crn = source.crn
    n_species, n_reactions = crn.stoichiometry.shape
    if n_species * n_reactions > _MOST_CELLS:
        raise FileFormatError(
            f"network {crn.name!r}: the table of its net stoichiometry has {n_species:,} species by"
            f" {n_reactions:,} reactions; expected at most {_MOST_CELLS:,} cells: other formats"
            " write reactions alone, and .stoichiometry is a sparse matrix"
        )
    reactions = [
        (
            r.id,
            r.equation,
            _side(r.substrates),
            _side(r.products),
            r.order,
            r.rate_constant,
            r.value,
            crn.units.identifier(Dimension.rate_constant(r.order)),
            cell(printable(r.name)),
        )
        for r in crn.reactions
    ]
    start, unit = crn.start_values, crn.units.identifier(CONCENTRATION)
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
    return source.tables(
        {
            "": pd.DataFrame(reactions, columns=_REACTION),
            "species": pd.DataFrame(species + read_outs, columns=_SPECIES),
            "stoichiometry": stoichiometry.reset_index(),
        }
    )


def _side(side: Side) -> str:
    return " + ".join(f"{count} {species}" for species, count in side)
