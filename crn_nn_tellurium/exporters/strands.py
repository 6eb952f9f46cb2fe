"""The strands of a strand displacement implementation: for Nuskell and Peppercorn (.pil), NUPACK,
and to order.
"""

from __future__ import annotations

from dataclasses import dataclass

from crn_nn_tellurium.basics import free_id, to_csv
from crn_nn_tellurium.dna import (
    LONG,
    TOEHOLD,
    Complex,
    Parts,
    Strand,
    StrandDisplacement,
    domain_parts,
)
from crn_nn_tellurium.errors import FileFormatError
from crn_nn_tellurium.exporters.source import Source


@dataclass(frozen=True)
class Options:
    """How many bases the domains have."""

    toehold: int = TOEHOLD
    long: int = LONG


def write_pil(source: Source, options: Options) -> str:
    """Domains with their lengths, strands and complexes in kernel notation with what is put in, in
    nM.
    """
    parts = _parts(source, options)
    lines = [f"# {line}" for line in _statements(source, parts)]
    lines += [f"length {domain} = {length}" for domain, length in parts.lengths.items()]
    lines += [
        f"{part.name} = {part.kernel} @initial {part.concentration!r} nM"
        for part in parts.complexes
    ]
    return "\n".join(lines) + "\n"


def write_nupack(source: Source, options: Options) -> str:
    """A design script of NUPACK's language: domains, strands, target structures. Which bases,
    NUPACK finds.
    """
    parts = _parts(source, options)
    ids = _strand_ids(parts)
    lines = [f"# {line}" for line in _statements(source, parts)]
    lines += ["material = dna", "temperature[C] = 25.0", "trials = 1"]
    lines += [f"domain {domain} = N{length}" for domain, length in parts.lengths.items()]
    lines += [f"strand {name} = {' '.join(strand.domains)}" for strand, name in ids.items()]
    for part in parts.complexes:
        lines.append(f"structure {part.name} = {_by_base(part, parts)}")
        lines.append(f"{part.name}.seq = {' '.join(ids[strand] for strand in part.strands)}")
    return "\n".join(lines) + "\n"


def write_parts(source: Source, options: Options) -> dict[str, str]:
    """``NAME.csv``, strands and complexes with concentrations, and ``NAME.strands.csv``, strands
    with lengths.
    """
    parts = _parts(source, options)
    ids = _strand_ids(parts)
    complexes = [
        [
            "name",
            "role",
            "concentration_nM",
            "strands",
            "n_strands",
            "bases",
            "dot_bracket",
            "kernel",
        ]
    ]
    for part in parts.complexes:
        names = " + ".join(ids[strand] for strand in part.strands)
        bases = sum(map(parts.length, part.strands))
        numbers = [repr(part.concentration), names, str(len(part.strands)), str(bases)]
        complexes.append([part.name, part.role, *numbers, part.dot_bracket, part.kernel])
    used = {
        strand: sum(p.strands.count(strand) * p.concentration for p in parts.complexes)
        for strand in ids
    }
    strands = [["name", "bases", "total_concentration_nM", "domains"]]
    strands += [[ids[s], str(parts.length(s)), repr(used[s]), " ".join(s.domains)] for s in ids]
    strands.append(["all", str(parts.total_length), repr(sum(used.values())), ""])
    return {"": to_csv(complexes), ".strands.csv": to_csv(strands)}


def _strand_ids(parts: Parts) -> dict[Strand, str]:
    taken = {*parts.lengths, *(part.name for part in parts.complexes)}
    return {strand: free_id(f"strand_{i}", taken) for i, strand in enumerate(parts.strands)}


def _parts(source: Source, options: Options) -> Parts:
    dna = source.model
    if not isinstance(dna, StrandDisplacement):
        raise FileFormatError(
            f"{source.crn.name!r} is no strand displacement implementation; to_strand_displacement"
            " makes one of it, --dna on the command line"
        )
    return domain_parts(dna, options.toehold, options.long)


def _statements(source: Source, parts: Parts) -> list[str]:
    return [
        *source.statements,
        (
            f"{len(parts.strands)} different strands of {parts.total_length} bases in"
            f" {len(parts.complexes)} complexes."
        ),
        "Domains are names: sequences are to be designed, by NUPACK (nupack.org) for example.",
    ]


def _by_base(part: Complex, parts: Parts) -> str:
    strands = []
    for strand, marks in zip(part.strands, part.pairs, strict=True):
        strands.append(
            "".join(
                m * parts.lengths[d.rstrip("*")] for d, m in zip(strand.domains, marks, strict=True)
            )
        )
    return "+".join(strands)
