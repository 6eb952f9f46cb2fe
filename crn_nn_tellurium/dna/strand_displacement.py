"""Any mass-action network of orders 0 to 2 as DNA strand displacement, with finite fuel.

After Soloveichik, Seelig and Winfree (PNAS 107 (2010) 5393, doi 10.1073/pnas.0909380107). A signal
is a strand. A reaction becomes steps of two molecules; what it needs besides signals is fuel, put
in at one concentration:

    X -> ...        X + G -> O,                       O + T -> products
    X + Y -> ...    X + L <-> H + B,   Y + H -> O,    O + T -> products
    -> ...          I + G -> O,                       O + T -> products

The steps that start a reaction have rate constants of their own (by the binding of their toeholds),
all others q_max. While the fuel is plentiful, H follows X, H = (q / q_max) X, so that a share of
every signal is bound. Linkers without a second step, X + LS <-> HS + BS, bind as much of the others
as of the most bound, so that the free share is one number for all, f = 1 - sigma / q_max, sigma
being the largest sum of rate constants in which a signal comes first. The *free* signal then
follows the formal equations, if rate constants and what is put in are divided by f.

What falls short of the ideal: fuel runs down, and slowest reactions first differ; signals are in
transit in O; a network that is at rest still burns fuel. `read_out_window` says from when until
when the outputs can be read.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal, get_args

from crn_nn_tellurium.basics import bars, card
from crn_nn_tellurium.chemistry import PhysicalUnits, Reaction, ReactionNetwork

if TYPE_CHECKING:
    import pandas as pd

Fuel = Literal["gate", "linker", "translator", "trigger", "buffer", "backward"]
Role = Literal["signal", "half", "output", "bound", Fuel]
FUELS: tuple[Role, ...] = get_args(Fuel)
"""What is put in beside the signals."""
_PARTS: tuple[Role, ...] = ("gate", "linker", "half", "backward", "output", "translator", "trigger")
"""Of a module, by the names of its attributes."""


@dataclass(frozen=True)
class Module:
    """The strands and complexes that do one formal reaction; "" where it has none."""

    reaction: Reaction
    # signals that it makes, each as often as it does
    products: tuple[str, ...]
    # the signals that start it: the one that opens the gate or linker, the one that then ends it
    first: str = ""
    second: str = ""
    # species of the implementation
    gate: str = ""
    linker: str = ""
    half: str = ""
    backward: str = ""
    output: str = ""
    translator: str = ""
    trigger: str = ""


@dataclass(frozen=True)
class Buffer:
    """A linker without a second step: binds of a signal what reactions bind of the most bound."""

    signal: str
    linker: str
    half: str
    backward: str


@dataclass(frozen=True, repr=False)
class StrandDisplacement(ReactionNetwork):
    """A strand displacement implementation: a ReactionNetwork in nM and s, and what it implements.

    Attributes
    ----------
    formal : ReactionNetwork
        What it implements, in units of its own.
    units : PhysicalUnits
        What a concentration and a time of 1 of the formal network are.
    q_max : float
        In 1/M/s.
    fuel : float
        Initial concentration of each fuel, in nM.
    free_share : float
        The share of every signal that is free, f.
    modules, buffers : tuple
        The parts, by reaction and by signal.

    Examples
    --------
    >>> import crn_nn_tellurium as cn
    >>> dna = cn.to_strand_displacement(cn.load_model("xor"), [0, 1])
    >>> len(dna.formal.reactions), len(dna.reactions), len(dna.fuels)
    (20, 73, 65)
    >>> dna.units
    PhysicalUnits(c0=10 nM, tau=775.919 s)
    """

    formal: ReactionNetwork = field(kw_only=True)
    units: PhysicalUnits = field(kw_only=True)
    q_max: float = field(kw_only=True)
    fuel: float = field(kw_only=True)
    free_share: float = field(kw_only=True)
    modules: tuple[Module, ...] = field(kw_only=True)
    buffers: tuple[Buffer, ...] = field(kw_only=True)

    @cached_property
    def roles(self) -> dict[str, Role]:
        """What each species is."""
        found: dict[str, Role] = {species.id: "signal" for species in self.formal.species}
        for module in self.modules:
            found |= {name: role for role in _PARTS if (name := getattr(module, role))}
        for b in self.buffers:
            found |= {b.linker: "buffer", b.half: "bound", b.backward: "backward"}
        return found

    def __repr__(self) -> str:
        return (
            f"StrandDisplacement({self.name!r}: {len(self.species)} strands and complexes,"
            f" {len(self.reactions)} steps for the {len(self.formal.reactions)} reactions of"
            f" {self.formal.name!r}; {len(self.fuels)} fuels of {self.fuel:g} nM;"
            f" {self.free_share:.0%} of the signals free; 1 is {self.units.c0:g} nM, time of 1 is"
            f" {self.units.tau:g} s)"
        )

    def species_to_frame(self) -> pd.DataFrame:
        """A row per strand or complex: its start in nM, whether it is held, and its role."""
        return super().species_to_frame().assign(role=[self.roles[s.id] for s in self.species])

    def _repr_html_(self) -> str:
        facts = {
            "implements": self.formal,
            "steps": len(self.reactions),
            "fuels": f"{len(self.fuels):,} of {self.fuel:g} nM each",
            "free": f"{self.free_share:.0%} of every signal",
            "units": self.units.in_words,
        }
        roles: Counter[str] = Counter(self.roles[species.id] for species in self.species)
        picture = bars(dict(roles.most_common()), "strands and complexes by role")
        rows = self.species_to_frame()
        return card(f"Strand displacement {self.name}", facts, rows, picture)

    @property
    def fuels(self) -> tuple[str, ...]:
        """Species that are put in beside the signals."""
        return tuple(name for name in self.floating if self.roles[name] in FUELS)
