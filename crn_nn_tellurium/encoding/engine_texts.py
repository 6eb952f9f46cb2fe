"""Texts that this package's own engine runs, without annotation; values are set from outside."""

from __future__ import annotations

from collections.abc import Mapping

from crn_nn_tellurium.chemistry import ReactionNetwork, signed_sum
from crn_nn_tellurium.encoding.laws import derivative_text, laws, sum_text, with_signs


def structure_text(crn: ReactionNetwork) -> str:
    """A compact model without annotation whose values are all 1, equal for equal structures."""
    # the sign of a weight is no structure: networks that differ in it share a compiled model, whose
    # values are set from outside, as `compact_constants` has them
    lines = _bare_lines(crn)
    for law in laws(crn, with_signs(crn), crn.rate_constants):
        rule = f"  {law.sum} := {law.sum_text}\n" if law.sum_text else ""
        lines.append(f"{rule}  {law.reaction}: => {law.species}; {law.law}")
    return "model *structure()\n" + "\n".join(lines) + "\nend\n"


def _bare_lines(crn: ReactionNetwork) -> list[str]:
    """A compartment, rate constants and species, their values all 1."""
    lines = ["  compartment comp = 1", *(f"  {name} = 1" for name in crn.rate_constants)]
    return lines + [
        f"  species {'$' if s.boundary else ''}{s.id} in comp; {s.id} = 1" for s in crn.species
    ]


def variational_text(
    crn: ReactionNetwork, directions: Mapping[str, tuple[str, frozenset[str]]]
) -> str:
    """Species x and their derivatives s = dx/dp over time: dx/dt = f, ds/dt = (df/dx) s + df/dp.

    Values are all 1 and set from outside. Directions are, by the identifier that starts those of
    their derivatives (``_s0`` gives ``_s0_Y``), p, which is a rate constant, a boundary species or
    the start of a floating one, and the species whose derivatives are not zero throughout.
    """
    symbols = crn.floating + crn.boundary
    lines = _bare_lines(crn)
    for number, species in enumerate(crn.floating):
        law = sum_text(crn, crn.terms, crn.terms.span(number))
        lines.append(f"  _J{species}: => {species}; comp*({law})")
    jacobian = crn.jacobian_terms
    assert jacobian.column is not None
    places: dict[tuple[str, str], list[int]] = {}
    for t, (i, j) in enumerate(zip(jacobian.row, jacobian.column, strict=True)):
        places.setdefault((crn.floating[i], symbols[j]), []).append(t)
    # entries of the Jacobian get names, since every direction uses them; those between species that
    # do not move in any direction are left out
    moving = frozenset[str]().union(*(reached for _, reached in directions.values()))
    entries: dict[str, list[tuple[str, str]]] = {}  # by row, the columns with their names
    for number, ((row, column), terms) in enumerate(places.items()):
        if {row, column} <= moving:
            # by number: of names, A by B_C would be called as A_B by C is
            name = f"_d{number}"
            entries.setdefault(row, []).append((column, name))
            lines.append(f"  {name} := {sum_text(crn, jacobian, terms)}")
    for start, (parameter, reached) in directions.items():
        own = [s for s in crn.floating if s in reached]
        lines += [f"  species {start}_{s} in comp; {start}_{s} = 0" for s in own]
        for row in own:
            parts = [
                f"{name}*{start}_{column}"
                for column, name in entries.get(row, ())
                if column in reached
            ]
            if parameter in crn.floating:
                direct = ""  # the start alone moves
            elif (row, parameter) in places:
                direct = sum_text(crn, jacobian, places[row, parameter])
            else:
                direct = derivative_text(crn, row, parameter)
            parts += [f"({direct})"] if direct else []
            lines.append(f"  _J{start}_{row}: => {start}_{row}; comp*({signed_sum(parts)})")
    return "model *variational()\n" + "\n".join(lines) + "\nend\n"
