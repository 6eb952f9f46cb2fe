"""What a tube can do, and how fast it is: which signal binds how much, and the shortest time of 1.

While the fuel is plentiful, a half-opened linker H follows its signal, H = (q / q_max) X. The load
of a signal is the sum of the rate constants q with which it binds to linkers, sigma the largest
load, and the share of every signal that stays free f = 1 - sigma / (c0 tau q_max). Rate constants
and start values are divided by f, so f sets the pace: the more is bound, the faster the steps must
be that remain.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from crn_nn_tellurium.basics import check_kind, check_positive
from crn_nn_tellurium.chemistry import NANOMOLAR_PER_MOLAR, PhysicalUnits, Reaction, ReactionNetwork
from crn_nn_tellurium.encoding import C0, MAX_RATE_CONSTANT
from crn_nn_tellurium.errors import InputError, ReactionError

BOUND_SHARE = 0.5
"""The share of the signals that is bound where the scaling is ours to choose: sigma / q_max."""
_TRANSIT = 0.01
"""Where the scaling is ours: how long products are in transit, 1 / (q_max fuel), as a share of a
time of 1 or of the mean life of what a reaction of one molecule takes."""
_UNIT = {"c_max": "nM", "q_max": "1/M/s", "fuel": "nM", "c0": "nM"}


@dataclass(frozen=True)
class StrandOptions:
    """What a tube can do, and how a network is put into it.

    Parameters
    ----------
    c_max : float
        The largest concentration of any strand or complex, in nM: beyond some 10 uM, strands bind
        where they should not.
    q_max : float
        The rate constant of strand displacement with a full toehold, in 1/M/s.
    fuel : float, optional
        Initial concentration of each fuel, in nM; by default `c_max`.
    c0 : float, optional
        What a concentration of 1 is, in nM, where the time is to be found. By default 10 nM, or
        less where start values would exceed a hundredth of the fuel (signals that grow far beyond
        those need a smaller one).
    units : PhysicalUnits, optional
        What a concentration and a time of 1 are. By default `c0`, and the shortest time with which
        at most half of a signal is bound, every rate constant is within `q_max`, and products are
        in transit for a hundredth of a time of 1.

    Raises
    ------
    InputError
        If a number is not > 0, `fuel` is above `c_max`, or `c0` and `units` are both given.

    Examples
    --------
    >>> StrandOptions(units=PhysicalUnits(c0=10, tau=100)).amount
    10000.0
    """

    c_max: float = 1e4
    q_max: float = MAX_RATE_CONSTANT
    fuel: float | None = None
    c0: float | None = None
    units: PhysicalUnits | None = None

    def __post_init__(self) -> None:
        for name, unit in _UNIT.items():
            value = getattr(self, name)
            if value is not None or name in ("c_max", "q_max"):
                check_positive(name, value, f"a number of {unit} > 0")
        if self.units is not None:
            check_kind("units", self.units, PhysicalUnits, "by PhysicalUnits(c0, tau), say")
            if self.c0 is not None:
                raise InputError(
                    f"c0 is {self.c0!r} nM and units are {self.units!r}; expected one of the two"
                )
        if self.amount > self.c_max:
            raise InputError(f"fuel is {self.fuel!r} nM; expected at most c_max, {self.c_max!r} nM")

    @property
    def amount(self) -> float:
        """What is put in of each fuel, in nM."""
        return float(self.c_max if self.fuel is None else self.fuel)


DEFAULTS = StrandOptions()


@dataclass(frozen=True)
class TimeScales:
    """What limits the speed of a formal network, in model units, in a tube."""

    formal: ReactionNetwork
    fuel: float  # nM
    q_max: float  # 1/nM/s

    @cached_property
    def _binding(self) -> tuple[dict[str, str], dict[str, float]]:
        load = {species.id: 0.0 for species in self.formal.species}
        firsts = {}
        # that which is bound less so far, the fastest reactions first: the most bound signal sets
        # the pace
        for reaction in sorted(self.formal.reactions, key=lambda r: -r.value):
            if reaction.order == 2:
                first = min((species for species, _ in reaction.substrates), key=lambda s: load[s])
                load[first] += reaction.value
                firsts[reaction.id] = first
        return firsts, load

    @property
    def firsts(self) -> dict[str, str]:
        """By reaction of two molecules, which of its signals binds to the linker."""
        return self._binding[0]

    @property
    def load(self) -> dict[str, float]:
        """By signal, the sum of the rate constants with which it binds, in model units."""
        return self._binding[1]

    @property
    def sigma(self) -> float:
        """The largest load."""
        return max(self.load.values(), default=0.0)

    def free_share(self, units: PhysicalUnits) -> float:
        """The share of every signal that is free, f."""
        return 1 - self.sigma / (units.c0 * units.tau * self.q_max)

    def tuned(self, reaction: Reaction, units: PhysicalUnits) -> float:
        """The rate constant of the step that starts a reaction, but for the free share."""
        # a reaction of one molecule meets one fuel, one of none meets two
        fuels = self.fuel ** (2 - reaction.order)
        return float(units.rate_constant(reaction.value, reaction.order)) / fuels

    def units(self, options: StrandOptions) -> PhysicalUnits:
        """The units asked for, or the fastest ones, within what the chemistry can do."""
        start = self.formal.start_values
        largest = max(start.values(), default=0.0)
        roomy = min(C0, self.fuel / 100 / largest if largest else C0)
        c0 = float(roomy if options.c0 is None else options.c0)
        units = options.units or PhysicalUnits(c0, self._fastest(c0))
        share = self.free_share(units)
        self._check_rates(units, share)
        for species, value in start.items():
            if (put_in := value * units.c0 / share) > options.c_max:
                remedy = f"c0 = {roomy:.3g} nM with tau = {self._fastest(roomy):.6g} s would do"
                raise InputError(
                    f"signal {species!r} starts at {put_in:g} nM, above c_max ="
                    f" {options.c_max:g} nM; {remedy}"
                )
        return units

    def _fastest(self, c0: float) -> float:
        """The shortest tau at which `BOUND_SHARE` of the most bound signal is bound and all fit."""
        needs = [self.sigma / (BOUND_SHARE * c0 * self.q_max)]
        transit = 1 / (self.q_max * self.fuel)
        one_second = PhysicalUnits(c0, 1.0)
        for reaction in self.formal.reactions:
            # what is free, the rest of the bound share, carries the whole rate; with tau the rate
            # constant of the step falls as 1 / tau
            in_one_second = self.tuned(reaction, one_second)
            needs.append(in_one_second / ((1 - BOUND_SHARE) * self.q_max))
            life = reaction.value if reaction.order == 1 else 0.0
            needs.append(transit * max(1.0, life) / _TRANSIT)
        return max(needs) or 1.0

    def _check_rates(self, units: PhysicalUnits, share: float) -> None:
        remedy = (
            f"q_max is {self.q_max * NANOMOLAR_PER_MOLAR:g} /M/s; tau ="
            f" {self._fastest(units.c0):.6g} s would do, with c0 = {units.c0:g} nM"
        )
        if share <= 0:
            most = max(self.load, key=lambda name: self.load[name])
            binding = [r for r in self.formal.reactions if self.firsts.get(r.id) == most]
            reaction = max(binding, key=lambda r: r.value)
            total = self.sigma / (units.c0 * units.tau) * NANOMOLAR_PER_MOLAR
            raise ReactionError(
                f"signal {most!r} would be bound altogether: its rate constants, that of reaction"
                f" {reaction.id!r} ({reaction.equation}) above all, add up to {total:.3g} /M/s;"
                f" {remedy}"
            )
        for reaction in self.formal.reactions:
            rate = self.tuned(reaction, units) / share
            # the fastest tau makes the fastest step q_max, but for rounding
            if rate > self.q_max * (1 + 1e-12):
                raise ReactionError(
                    f"reaction {reaction.id!r} ({reaction.equation}) needs a step of"
                    f" {rate * NANOMOLAR_PER_MOLAR:.3g} /M/s; {remedy}"
                )
