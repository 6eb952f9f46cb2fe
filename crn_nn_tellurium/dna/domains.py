"""The strands of a strand displacement implementation, domain by domain.

A signal X is the strand  h t_X d_X u_X : a history domain h of whatever released it, the toehold
t_X that opens gates, the long domain d_X, the toehold u_X. With ( for paired and * for complements,
5' to 3' (kernel notation):

    gate G        d_X( u_X( p + ) ) t_X*
                  X displaces the output strand O = d_X u_X p
    linker L      d_X( u_X( t_Y( + d_Y( u_Y( p + ) ) ) ) ) t_X*
                  X displaces B = d_X u_X t_Y, then Y displaces O = d_Y u_Y p
    translator T  h1( t_1( d_1 u_1 + h2( t_2( d_2 u_2 + ) ) ) ) u_Y*     with p = h1 t_1 h2 t_2 ...
                  O displaces the products, each h_i t_i d_i u_i
    buffer LS     d_X( u_X( b_X( + ) ) ) t_X*
                  X displaces BS = d_X u_X b_X, and back

u and t are toeholds (short), h and d recognise (long). Which rate constant a toehold gives, and
which bases a domain has, is for NUPACK and its kin. Source: Soloveichik, Seelig and Winfree, PNAS
107 (2010) 5393, doi 10.1073/pnas.0909380107, figures 2 and 3; notation: Badelt et al., J. R. Soc.
Interface 17 (2020) 20190866.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crn_nn_tellurium.basics import card, check_kind, free_id, whole_number
from crn_nn_tellurium.dna.strand_displacement import Buffer, Module, StrandDisplacement

if TYPE_CHECKING:  # half a second, for tables alone
    import pandas as pd

TOEHOLD, LONG = 6, 20
"""Lengths in bases: toeholds that bind fast and leave again, long domains that stay."""


@dataclass(frozen=True)
class Strand:
    """Domains in order, 5' to 3'; ``a*`` is the complement of ``a``."""

    domains: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class Complex:
    """One or more strands and which of their domains are paired."""

    # the species of the implementation
    name: str
    role: str
    strands: tuple[Strand, ...]
    # by strand and domain "(", ")" or "."
    pairs: tuple[tuple[str, ...], ...]
    # what is put into the tube, in nM
    concentration: float

    def __repr__(self) -> str:
        return f"Complex({self.name!r}: {self.role}, {self.concentration:g} nM, {self.kernel})"

    @property
    def dot_bracket(self) -> str:
        """One character per domain, ``+`` between strands."""
        return "+".join("".join(marks) for marks in self.pairs)

    @property
    def kernel(self) -> str:
        """Kernel notation, as Nuskell and Peppercorn read it."""
        # a closing mark stands for its domain, since it is the complement of the opening one's
        written = {"(": "{}(", ")": ")", ".": "{}"}
        strands = []
        for strand, marks in zip(self.strands, self.pairs, strict=True):
            pairs = zip(strand.domains, marks, strict=True)
            strands.append(" ".join(written[mark].format(domain) for domain, mark in pairs))
        return " + ".join(strands)


@dataclass(frozen=True)
class Parts:
    """What has to be ordered: domains, and the signals and fuels that are put into the tube."""

    # of domains, without complements, in bases
    lengths: dict[str, int]
    complexes: tuple[Complex, ...]

    @property
    def strands(self) -> tuple[Strand, ...]:
        """Different strands, each once."""
        return tuple(dict.fromkeys(strand for c in self.complexes for strand in c.strands))

    def length(self, strand: Strand) -> int:
        """Bases of a strand."""
        return sum(self.lengths[domain.rstrip("*")] for domain in strand.domains)

    @property
    def total_length(self) -> int:
        """Bases of all different strands: what a synthesis would cost."""
        return sum(map(self.length, self.strands))

    @property
    def strand_names(self) -> dict[Strand, str]:
        """Of the different strands; no name of a domain or a complex among them."""
        taken = {*self.lengths, *(part.name for part in self.complexes)}
        return {strand: free_id(f"strand_{i}", taken) for i, strand in enumerate(self.strands)}

    def to_frame(self) -> pd.DataFrame:
        """A row per strand or complex that is put in, with its concentration in nM."""
        import pandas as pd

        names = self.strand_names
        columns = "name role concentration_nM strands n_strands bases dot_bracket kernel".split()
        rows = [
            (
                part.name,
                part.role,
                part.concentration,
                " + ".join(names[strand] for strand in part.strands),
                len(part.strands),
                sum(map(self.length, part.strands)),
                part.dot_bracket,
                part.kernel,
            )
            for part in self.complexes
        ]
        return pd.DataFrame(rows, columns=columns)

    def strands_to_frame(self) -> pd.DataFrame:
        """A row per strand, with what is put in of it in all, in nM; last, of them all."""
        import pandas as pd

        names = self.strand_names
        used = dict.fromkeys(names, 0.0)
        for part in self.complexes:
            for strand in part.strands:
                used[strand] += part.concentration
        columns = ["name", "bases", "total_concentration_nM", "domains"]
        rows = [
            (name, self.length(strand), used[strand], " ".join(strand.domains))
            for strand, name in names.items()
        ]
        rows.append(("all", self.total_length, sum(used.values()), ""))
        return pd.DataFrame(rows, columns=columns)

    def __repr__(self) -> str:
        return (
            f"Parts({len(self.strands)} strands of {self.total_length:,} bases in"
            f" {len(self.complexes)} strands and complexes, from {len(self.lengths)} domains)"
        )

    def _repr_html_(self) -> str:
        facts = {
            "put in": f"{len(self.complexes):,} strands and complexes",
            "strands": f"{len(self.strands):,}, of {self.total_length:,} bases in all",
            "domains": len(self.lengths),
        }
        return card("Parts to order", facts, self.to_frame().set_index("name"))


def domain_parts(dna: StrandDisplacement, toehold: int = TOEHOLD, long: int = LONG) -> Parts:
    """The strands and complexes that are put into the tube.

    Parameters
    ----------
    dna : StrandDisplacement
    toehold, long : int
        Lengths of the two kinds of domains, in bases.

    Raises
    ------
    InputError
        If a length is not a whole number > 0.

    Examples
    --------
    >>> from crn_nn_tellurium import Reaction, ReactionNetwork, Species, to_strand_displacement
    >>> crn = ReactionNetwork(
    ...     [Species("A", 1.0), Species("B")], [Reaction("J", ("A",), ("B",), "k", 2.0)]
    ... )
    >>> for part in domain_parts(to_strand_displacement(crn)).complexes:
    ...     print(f"{part.name} = {part.kernel}")
    A = h_A t_A d_A u_A
    B = h_B t_B d_B u_B
    T_J = h_J_1( t_B( d_B u_B + ) ) u_A*
    G_J = d_A( u_A( h_J_1 t_B + ) ) t_A*
    """
    check_kind("dna", dna, StrandDisplacement, "which to_strand_displacement gives")
    for name, value in (("toehold", toehold), ("long", long)):
        whole_number(name, value, 1, "a number of bases, 1 or more")
    domains = _Domains(set(dna.identifiers))
    built = {part.name: part for part in _complexes(dna, domains)}
    ordered = tuple(built[s] for s in dna.floating if s in built)
    strands = [strand for part in ordered for strand in part.strands]
    used = dict.fromkeys(d.rstrip("*") for strand in strands for d in strand.domains)
    # h and d recognise, t and u are toeholds
    lengths = {domain: long if domains.kind[domain] in "hd" else toehold for domain in used}
    return Parts(lengths, ordered)


class _Domains:
    """Names of domains: a letter and an owner, and no species' name; each once."""

    def __init__(self, taken: set[str]) -> None:
        self._taken = taken
        self._names: dict[tuple[str, ...], str] = {}
        self.kind: dict[str, str] = {}

    def __call__(self, kind: str, *owner: str) -> str:
        key = (kind, *owner)
        if key not in self._names:
            self._names[key] = free_id("_".join(key), self._taken)
            self.kind[self._names[key]] = kind
        return self._names[key]

    def signal(self, species: str) -> tuple[str, str, str]:
        """What all strands of a signal have."""
        return self("t", species), self("d", species), self("u", species)


def _complexes(dna: StrandDisplacement, domain: _Domains) -> Iterator[Complex]:
    start = dna.start_values
    for name in (species.id for species in dna.formal.species):
        yield _single(name, "signal", (domain("h", name), *domain.signal(name)), start)
    for module in dna.modules:
        yield from _module(module, start, domain)
    for buffer in dna.buffers:
        yield from _buffer(buffer, start, domain)


def _module(module: Module, start: dict[str, float], domain: _Domains) -> Iterator[Complex]:
    name = module.reaction.id
    # each product has a history of its own: two of one signal come from one translator
    histories = [domain("h", name, str(i)) for i in range(1, len(module.products) + 1)]
    released = list(zip(histories, module.products, strict=True))
    tail = [d for history, product in released for d in (history, domain("t", product))]
    first, last = module.first, module.second or module.first
    if module.trigger:
        yield _single(module.trigger, "trigger", (domain("h", first), *domain.signal(first)), start)
    if module.gate:
        output = [domain("d", first), domain("u", first), *tail]
        yield _duplex(module.gate, "gate", [(output, 2)], domain("t", first), start)
    if module.linker:
        backward = [domain("d", first), domain("u", first), domain("t", last)]
        output = [domain("d", last), domain("u", last), *tail]
        tops = [(backward, 3), (output, 2)]
        yield _duplex(module.linker, "linker", tops, domain("t", first), start)
        yield _single(module.backward, "backward", backward, start)
    if module.translator:
        tops = [([history, *domain.signal(product)], 2) for history, product in released]
        yield _duplex(module.translator, "translator", tops, domain("u", last), start)


def _buffer(buffer: Buffer, start: dict[str, float], domain: _Domains) -> Iterator[Complex]:
    x = buffer.signal
    backward = [domain("d", x), domain("u", x), domain("b", x)]
    yield _duplex(buffer.linker, "buffer", [(backward, 3)], domain("t", x), start)
    yield _single(buffer.backward, "backward", backward, start)


def _single(name: str, role: str, domains: Sequence[str], start: dict[str, float]) -> Complex:
    return Complex(name, role, (Strand(tuple(domains)),), (tuple("." * len(domains)),), start[name])


def _duplex(
    name: str, role: str, tops: list[tuple[list[str], int]], toehold: str, start: dict[str, float]
) -> Complex:
    """Strands side by side on one bottom strand, with an open toehold at its end."""
    # of each strand the first n domains are paired; the bottom one runs the other way
    paired = [domain for domains, n in tops for domain in domains[:n]]
    bottom = [f"{domain}*" for domain in reversed([toehold, *paired])]
    strands = [Strand(tuple(domains)) for domains, _ in tops] + [Strand(tuple(bottom))]
    pairs = [tuple("(" * n + "." * (len(domains) - n)) for domains, n in tops]
    pairs.append(tuple(")" * len(paired) + "."))
    return Complex(name, role, tuple(strands), tuple(pairs), start[name])
