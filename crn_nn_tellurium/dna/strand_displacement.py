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

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy.typing as npt

from crn_nn_tellurium.basics import check_positive, free_id
from crn_nn_tellurium.chemistry import (
    NANOMOLAR_PER_MOLAR,
    Expression,
    Monomial,
    Observable,
    PhysicalUnits,
    Reaction,
    ReactionNetwork,
    Species,
)
from crn_nn_tellurium.encoding import C0, MAX_RATE_CONSTANT, to_reactions
from crn_nn_tellurium.errors import InputError, NetworkError, ReactionError
from crn_nn_tellurium.networks import Network

C_MAX = 1e4
"""Largest concentration of any strand, in nM: beyond some 10 uM, strands bind where they should
not.
"""
BOUND_SHARE = 0.5
"""The share of the signals that is bound where the scaling is ours to choose: sigma / q_max."""
_TRANSIT = 0.01
"""Where the scaling is ours: how long products are in transit, 1 / (q_max fuel), as a share of a
time of 1 or of the mean life of what a reaction of one molecule takes."""

Role = Literal[
    "signal",
    "gate",
    "linker",
    "translator",
    "trigger",
    "buffer",
    "half",
    "backward",
    "output",
    "bound",
]
FUELS: frozenset[Role] = frozenset(
    {"gate", "linker", "translator", "trigger", "buffer", "backward"}
)
"""What is put in beside the signals."""
_PARTS: tuple[Role, ...] = ("gate", "linker", "half", "backward", "output", "translator", "trigger")
"""Of a module, by the names of its attributes."""


@dataclass(frozen=True)
class Module:
    """The strands and complexes that do one reaction; "" where it has none.

    Attributes
    ----------
    reaction : Reaction
        The formal one.
    first, second : str
        The signals that start it: the one that opens the gate or linker, the one that then ends it.
    products : tuple of str
        Signals that it makes, each as often as it does.
    gate, linker, half, backward, output, translator, trigger : str
        Species of the implementation.
    """

    reaction: Reaction
    first: str
    second: str
    products: tuple[str, ...]
    gate: str = ""
    linker: str = ""
    half: str = ""
    backward: str = ""
    output: str = ""
    translator: str = ""
    trigger: str = ""


@dataclass(frozen=True)
class Buffer:
    """A linker without a second step, which binds as much of a signal as reactions bind of the most
    bound one.
    """

    signal: str
    linker: str
    half: str
    backward: str


@dataclass(frozen=True, repr=False)
class StrandDisplacement(ReactionNetwork):
    """A strand displacement implementation: a ReactionNetwork in nM and s that knows what it
    implements.

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

    def without_fuel(self) -> list[tuple[list[str], list[str]]]:
        """The steps as pairs of sides, fuel and its remains left out: what bisimulation compares
        with `formal`.
        """
        quiet = {name for name, role in self.roles.items() if role in FUELS}

        def side(pairs: tuple[tuple[str, int], ...]) -> list[str]:
            return [species for species, n in pairs for _ in range(n) if species not in quiet]

        return [(side(r.substrates), side(r.products)) for r in self.reactions]

    def __repr__(self) -> str:
        return (
            f"StrandDisplacement({self.name!r}: {len(self.species)} strands and complexes,"
            f" {len(self.reactions)} steps for the {len(self.formal.reactions)} reactions of"
            f" {self.formal.name!r}; {len(self.fuels)} fuels of {self.fuel:g} nM;"
            f" {self.free_share:.0%} of the signals free; 1 is {self.units.c0:g} nM, time of 1 is"
            f" {self.units.tau:g} s)"
        )

    @property
    def fuels(self) -> tuple[str, ...]:
        """Species that are put in beside the signals."""
        return tuple(name for name in self.floating if self.roles[name] in FUELS)


def to_strand_displacement(
    model: Network | ReactionNetwork,
    x: npt.ArrayLike | None = None,
    *,
    c_max: float = C_MAX,
    q_max: float = MAX_RATE_CONSTANT,
    fuel: float | None = None,
    c0: float | None = None,
    tau: float | None = None,
) -> StrandDisplacement:
    """A mass-action network as DNA strand displacement.

    Parameters
    ----------
    model : Network or ReactionNetwork
        With reactions of at most two molecules. What is held constant is a catalyst: reactions that
        take it give it back.
    x : (n_in,) array_like, optional
        For a Network, its input values.
    c_max : float
        The largest concentration of any strand or complex, in nM.
    q_max : float
        The rate constant of strand displacement with a full toehold, in 1/M/s.
    fuel : float, optional
        Initial concentration of each fuel, in nM; by default `c_max`.
    c0, tau : float, optional
        What a concentration of 1 is in nM and a time of 1 in s. By default c0 is 10 nM, or less
        where start values would exceed a hundredth of the fuel (signals that grow far beyond those
        need a smaller one), and tau the shortest time with which at most half of a signal is bound,
        every rate constant is within `q_max`, and products are in transit for a hundredth of a time
        of 1.

    Returns
    -------
    StrandDisplacement
        A ReactionNetwork in nM and s. Signals keep their identifiers, boundary species are signals
        too. Its observables are those of the model times c0, in nM.

    Raises
    ------
    ReactionError
        If more than two molecules meet in a reaction, or the given c0 and tau need a larger rate
        constant than `q_max`; the message names the reaction and a tau that would do.
    InputError
        If a number is not > 0, `fuel` is above `c_max`, or a signal is.

    Examples
    --------
    >>> crn = ReactionNetwork([Species("A", 1.0), Species("B")], [Reaction("J", ("A",), ("B",), "k", 2.0)])
    >>> dna = to_strand_displacement(crn, c0=10, tau=100)
    >>> for reaction in dna.reactions:
    ...     print(reaction.equation)
    A + G_J => O_J
    O_J + T_J => B
    """
    if not isinstance(model, Network | ReactionNetwork):
        raise NetworkError(
            f"to_strand_displacement takes a Network or ReactionNetwork; got {type(model).__name__}"
        )
    if isinstance(model, ReactionNetwork) and x is not None:
        raise InputError(
            "x goes with a Network; a ReactionNetwork has its boundary concentrations already"
        )
    formal = to_reactions(model, x) if isinstance(model, Network) else model
    given = {"c_max": c_max, "q_max": q_max, "fuel": fuel, "c0": c0, "tau": tau}
    for name, value in given.items():
        if value is not None:
            unit = {"q_max": "1/M/s", "tau": "s"}.get(name, "nM")
            check_positive(name, value, f"a number of {unit} > 0")
    amount = float(c_max if fuel is None else fuel)
    if amount > c_max:
        raise InputError(f"fuel is {fuel!r} nM; expected at most c_max, {c_max!r} nM")
    for reaction in formal.reactions:
        if reaction.order > 2:
            raise ReactionError(
                f"reaction {reaction.id!r}: {reaction.order} molecules meet ({reaction.equation});"
                " strand displacement takes at most 2; split it into steps"
            )
    builder = _Builder(formal, amount, q_max / NANOMOLAR_PER_MOLAR)
    units = builder.scaled(c0, tau, c_max)
    return builder.build(units, q_max)


@dataclass
class _Builder:
    """Finds the scaling and builds the steps. Concentrations in nM, rate constants in 1/nM/s."""

    formal: ReactionNetwork
    fuel: float
    q_max: float

    def __post_init__(self) -> None:
        self.taken = set(self.formal.identifiers)
        self.reactions = []
        for reaction in self.formal.reactions:
            before, after = self.formal.catalytic_sides(reaction)
            self.reactions.append(replace(reaction, substrates=before, products=after))
        self.values: dict[str, float] = {}
        self.firsts = self._choose_firsts()
        self.load: dict[str, float] = {species.id: 0.0 for species in self.formal.species}
        for reaction in self.formal.reactions:
            if reaction.order == 2:
                self.load[self.firsts[reaction.id]] += reaction.value

    def _choose_firsts(self) -> dict[str, str]:
        """Which signal comes first in each reaction of two: that which is bound less so far, the
        fastest reactions first, since the most bound signal sets the pace."""
        load = {species.id: 0.0 for species in self.formal.species}
        firsts = {}
        for reaction in sorted(self.formal.reactions, key=lambda r: -r.value):
            if reaction.order == 2:
                first = min((species for species, _ in reaction.substrates), key=lambda s: load[s])
                load[first] += reaction.value
                firsts[reaction.id] = first
        return firsts

    @property
    def sigma(self) -> float:
        """The largest sum of rate constants in which a signal comes first, in the formal network's
        units.
        """
        return max(self.load.values(), default=0.0)

    # Scaling ----------------------------------------------------------------------------------

    def scaled(self, c0: float | None, tau: float | None, c_max: float) -> PhysicalUnits:
        """The units asked for, or the fastest ones, within what the chemistry can do."""
        start = self.formal.start_values
        largest = max(start.values(), default=0.0)
        roomy = min(C0, self.fuel / 100 / largest if largest else C0)
        unit = float(roomy if c0 is None else c0)
        units = PhysicalUnits(unit, self._fastest(unit, BOUND_SHARE) if tau is None else tau)
        share = self._free_share(units)
        self._check(units, share)
        for species, value in start.items():
            if (put_in := value * units.c0 / share) > c_max:
                raise InputError(
                    f"signal {species!r} starts at {put_in:g} nM, above c_max = {c_max:g} nM; c0 ="
                    f" {roomy:.3g} nM with tau = {self._fastest(roomy, BOUND_SHARE):.6g} s would do"
                )
        return units

    def _fastest(self, c0: float, bound: float) -> float:
        """The shortest tau with which `bound` of the most bound signal is bound and all rate
        constants fit.
        """
        needs = [self.sigma / (bound * c0 * self.q_max)]
        transit = 1 / (self.q_max * self.fuel)
        for reaction in self.formal.reactions:
            needs.append(self._tuned(reaction, PhysicalUnits(c0, 1.0)) / ((1 - bound) * self.q_max))
            needs.append(
                transit * max(1.0, reaction.value if reaction.order == 1 else 0.0) / _TRANSIT
            )
        return max(needs) or 1.0

    def _free_share(self, units: PhysicalUnits) -> float:
        return 1 - self.sigma / (units.c0 * units.tau * self.q_max)

    def _check(self, units: PhysicalUnits, share: float) -> None:
        ceiling = f"q_max is {self.q_max * NANOMOLAR_PER_MOLAR:g} /M/s"
        would_do = (
            f"tau = {self._fastest(units.c0, BOUND_SHARE):.6g} s would do, with c0 ="
            f" {units.c0:g} nM"
        )
        if share <= 0:
            most = max(self.load, key=lambda name: self.load[name])
            reaction = max(
                (r for r in self.formal.reactions if self.firsts.get(r.id) == most),
                key=lambda r: r.value,
            )
            total = self.sigma / (units.c0 * units.tau) * NANOMOLAR_PER_MOLAR
            raise ReactionError(
                f"signal {most!r} would be bound altogether: its rate constants, that of reaction"
                f" {reaction.id!r} ({reaction.equation}) above all, add up to {total:.3g} /M/s;"
                f" {ceiling}; {would_do}"
            )
        for reaction in self.formal.reactions:
            rate = self._tuned(reaction, units) / share
            if rate > self.q_max * (1 + 1e-12):
                raise ReactionError(
                    f"reaction {reaction.id!r} ({reaction.equation}) needs a step of"
                    f" {rate * NANOMOLAR_PER_MOLAR:.3g} /M/s; {ceiling}; {would_do}"
                )

    def _tuned(self, reaction: Reaction, units: PhysicalUnits) -> float:
        """The rate constant of the step that starts a reaction, but for the free share."""
        return float(units.rate_constant(reaction.value, reaction.order)) / self.fuel ** (
            2 - reaction.order
        )

    # Steps ------------------------------------------------------------------------------------

    def build(self, units: PhysicalUnits, q_max: float) -> StrandDisplacement:
        """The implementation in these units."""
        self.units, self.share = units, self._free_share(units)
        self.species: list[Species] = []
        self.steps: list[Reaction] = []
        self.tuned: dict[str, str] = {}
        self.full = free_id("q_max", self.taken)
        for species, value in self.formal.start_values.items():
            self.species.append(
                Species(species, value * units.c0 / self.share, name=f"signal_{species}")
            )
        modules = tuple(self._module(reaction) for reaction in self.reactions)
        buffers = tuple(self._buffers())
        name = f"{self.formal.name}_dna"
        return StrandDisplacement(
            tuple(self.species),
            tuple(self.steps),
            tuple(self._observables()),
            free_id(name, self.taken),
            formal=self.formal,
            units=units,
            q_max=float(q_max),
            fuel=self.fuel,
            free_share=self.share,
            modules=modules,
            buffers=buffers,
        )

    def _add(self, letter: str, owner: str, fuel: bool, what: str) -> str:
        name = free_id(f"{letter}_{owner}", self.taken)
        self.species.append(Species(name, self.fuel if fuel else 0.0, name=f"{what}_of_{owner}"))
        return name

    def _step(
        self,
        owner: str,
        number: int,
        before: tuple[str, ...],
        after: tuple[str, ...],
        constant: str,
    ) -> None:
        value = self.q_max if constant == self.full else self.values[constant]
        self.steps.append(
            Reaction(free_id(f"{owner}_{number}", self.taken), before, after, constant, value)
        )

    def _constant(self, reaction: Reaction) -> str:
        """The rate constant of the step that starts it; reactions that shared one do so again."""
        key = reaction.rate_constant
        if key not in self.tuned:
            self.tuned[key] = free_id(f"q_{key}", self.taken)
            self.values[self.tuned[key]] = self._tuned(reaction, self.units) / self.share
        return self.tuned[key]

    def _module(self, reaction: Reaction) -> Module:
        name, q = reaction.id, self._constant(reaction)
        products = tuple(species for species, n in reaction.products for _ in range(n))
        translator = self._add("T", name, True, "translator") if products else ""
        if reaction.order == 2:
            module = self._bimolecular(reaction, q, products, translator)
        else:
            trigger = self._add("I", name, True, "trigger") if reaction.order == 0 else ""
            first = trigger or reaction.substrates[0][0]
            gate = self._add("G", name, True, "gate")
            output = self._add("O", name, False, "output") if products else ""
            self._step(name, 1, (first, gate), (output,) if output else (), q)
            module = Module(
                reaction,
                first,
                "",
                products,
                gate=gate,
                output=output,
                translator=translator,
                trigger=trigger,
            )
        if products:
            self._step(name, 9, (module.output, translator), products, self.full)
        return module

    def _bimolecular(
        self, reaction: Reaction, q: str, products: tuple[str, ...], translator: str
    ) -> Module:
        name, first = reaction.id, self.firsts[reaction.id]
        second = next((s for s, _ in reaction.substrates if s != first), first)
        linker = self._add("L", name, True, "linker")
        half = self._add("H", name, False, "half_opened_linker")
        backward = self._add("B", name, True, "backward_strand")
        output = self._add("O", name, False, "output") if products else ""
        self._step(name, 1, (first, linker), (half, backward), q)
        self._step(name, 2, (half, backward), (first, linker), self.full)
        self._step(name, 3, (second, half), (output,) if output else (), self.full)
        return Module(
            reaction, first, second, products, "", linker, half, backward, output, translator
        )

    def _buffers(self) -> Iterator[Buffer]:
        for species, load in self.load.items():
            missing = self.sigma - load
            if missing <= 1e-12 * self.sigma:
                continue
            linker = self._add("LS", species, True, "buffer")
            half = self._add("HS", species, False, "bound_signal")
            backward = self._add("BS", species, True, "backward_strand")
            constant = free_id(f"q_buffer_{species}", self.taken)
            self.values[constant] = float(self.units.rate_constant(missing, 2)) / self.share
            self._step(f"buffer_{species}", 1, (species, linker), (half, backward), constant)
            self._step(f"buffer_{species}", 2, (half, backward), (species, linker), self.full)
            yield Buffer(species, linker, half, backward)

    def _observables(self) -> Iterator[Observable]:
        """Those of the formal network in nM; what they read of rate constants is put in as numbers."""
        formal, c0 = self.formal, self.units.c0
        values = formal.constant_values
        for observable in formal.observables:
            terms = []
            for term in observable.expression.terms:
                scaled = Monomial(c0)
                for symbol, power in term.powers:
                    formal_value = Monomial(values[symbol] if symbol in values else 1 / c0)
                    scaled *= formal_value**power
                    if symbol not in values:
                        scaled *= Monomial(1.0, ((symbol, power),))
                terms.append(Monomial(term.coefficient) * scaled)
            yield replace(observable, expression=Expression(tuple(terms)))
