"""Strands of a strand displacement network: for Nuskell, Peppercorn, NUPACK, and to order."""

from __future__ import annotations

from dataclasses import dataclass

from crn_nn_tellurium.dna import LONG, TOEHOLD, Complex, Parts, StrandDisplacement, domain_parts
from crn_nn_tellurium.errors import FileFormatError
from crn_nn_tellurium.exporters.writing import Source


@dataclass(frozen=True)
class Options:
    """How many bases the domains have."""

    toehold: int = TOEHOLD
    long: int = LONG


def write_pil(source: Source, options: Options) -> str:
    """Domains with lengths, strands, complexes in kernel notation with what is put in, in nM."""
    parts = _parts(source, options)
    lines = [f"# {line}" for line in _statements(source, parts)]
    lines += [f"length {domain} = {length}" for domain, length in parts.lengths.items()]
    for part in parts.complexes:
        lines.append(f"{part.name} = {part.kernel} @initial {part.concentration!r} nM")
    return "\n".join(lines) + "\n"


def write_nupack(source: Source, options: Options) -> str:
    """A design script of NUPACK, which finds the bases: domains, strands, target structures."""
    parts = _parts(source, options)
    ids = parts.strand_names
    lines = [f"# {line}" for line in _statements(source, parts)]
    lines += ["material = dna", "temperature[C] = 25.0", "trials = 1"]
    lines += [f"domain {domain} = N{length}" for domain, length in parts.lengths.items()]
    lines += [f"strand {name} = {' '.join(strand.domains)}" for strand, name in ids.items()]
    for part in parts.complexes:
        lines.append(f"structure {part.name} = {_by_base(part, parts)}")
        lines.append(f"{part.name}.seq = {' '.join(ids[strand] for strand in part.strands)}")
    return "\n".join(lines) + "\n"


def write_parts(source: Source, options: Options) -> dict[str, str]:
    """``NAME.csv``, complexes with concentrations, ``NAME.strands.csv``, strands with lengths;
    with tabs, both are .tsv.
    """
    parts = _parts(source, options)
    return source.tables({"": parts.to_frame(), "strands": parts.strands_to_frame()})


def _parts(source: Source, options: Options) -> Parts:
    dna = source.model
    if not isinstance(dna, StrandDisplacement):
        raise FileFormatError(
            f"{source.crn.name!r} is no strand displacement implementation; to_strand_displacement"
            " makes one of it, --dna on the command line"
        )
    return domain_parts(dna, options.toehold, options.long)


def _statements(source: Source, parts: Parts) -> list[str]:
    strands = f"{len(parts.strands)} different strands of {parts.total_length} bases"
    return [
        *source.statements,
        f"{strands} in {len(parts.complexes)} complexes.",
        "Domains are names: sequences are to be designed, by NUPACK (nupack.org) for example.",
    ]


def _by_base(part: Complex, parts: Parts) -> str:
    return "+".join(
        # a domain pairs as a whole, so its mark stands for each of its bases
        "".join(m * parts.lengths[d.rstrip("*")] for d, m in zip(s.domains, marks, strict=True))
        for s, marks in zip(part.strands, part.pairs, strict=True)
    )
